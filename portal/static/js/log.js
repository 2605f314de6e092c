// Tells the event log of a typed search once it has settled, at most once for each question.
const SETTLED = 2000;

export class SearchLog {
  #address;
  #locale;
  #timer = 0;
  #sent = new Set();

  constructor(address, locale) {
    this.#address = address;
    this.#locale = locale;
  }

  settle(query, found) {
    this.cancel();
    if (!found.results.length) return;
    this.#timer = setTimeout(() => {
      if (!this.#sent.has(query)) this.#send(query, {});
    }, SETTLED);
  }

  opened(query, article, position) {
    this.cancel();
    this.#send(query, { opened: article, position });
  }

  cancel() {
    clearTimeout(this.#timer);
  }

  #send(query, more) {
    this.#sent.add(query);
    const body = JSON.stringify({ type: "search", q: query, locale: this.#locale, ...more });
    navigator.sendBeacon?.(this.#address, new Blob([body], { type: "application/json" }));
  }
}
