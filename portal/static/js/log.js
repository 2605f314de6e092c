// Tells the event log of a typed search, once for each question: when it has settled, or when one
// of its results is opened. The opened page then counts as a click on that search.
const SETTLED = 2000;

export class SearchLog {
  #address;
  #locale;
  #timer = 0;
  #ids = new Map(); // question -> id of its logged search, "" while that is on its way

  constructor(address, locale) {
    this.#address = address;
    this.#locale = locale;
  }

  settle(query, found) {
    this.cancel();
    if (!found.results.length || this.#ids.has(query)) return;
    this.#timer = setTimeout(() => this.#record(query), SETTLED);
  }

  opened(query, link) {
    this.cancel();
    const id = this.#ids.get(query);
    if (id) {
      amend(link, { s: id, n: link.dataset.position });
    } else if (id === undefined && navigator.sendBeacon) {
      this.#ids.set(query, "");
      const event = { opened: link.dataset.article, position: Number(link.dataset.position) };
      navigator.sendBeacon(this.#address, this.#body(query, event));
      amend(link, { via: "typed" }); // the beacon counts the reading, so the page need not
    }
  }

  cancel() {
    clearTimeout(this.#timer);
  }

  async #record(query) {
    this.#ids.set(query, "");
    try {
      const answer = await fetch(this.#address, { method: "POST", body: this.#body(query, {}), keepalive: true });
      if (answer.ok) this.#ids.set(query, (await answer.json()).search_id ?? "");
    } catch {
      // A lost event must not disturb the reader.
    }
  }

  #body(query, more) {
    const event = JSON.stringify({ type: "search", q: query, locale: this.#locale, ...more });
    return new Blob([event], { type: "application/json" });
  }
}

function amend(link, values) {
  const address = new URL(link.href);
  for (const [name, value] of Object.entries(values)) address.searchParams.set(name, value);
  link.href = address.pathname + address.search + address.hash;
}
