// Asks for what belongs to a text that is being typed: once the typing pauses, and only ever for
// the latest text.
const PAUSE_AFTER_REFUSAL = 15_000;

export class Lookup {
  #address;
  #wait;
  #timer = 0;
  #underWay = null;
  #quietUntil = 0;

  constructor(address, wait) {
    this.#address = address;
    this.#wait = wait;
  }

  // Calls `begin` once the typing has paused, and then `take` with the answer, or with null when
  // there is none to be had.
  ask(values, take, begin = () => {}) {
    this.cancel();
    if (Date.now() < this.#quietUntil) {
      take(null);
      return;
    }
    this.#timer = setTimeout(() => {
      begin();
      this.#send(values, take);
    }, this.#wait);
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#underWay?.abort();
  }

  async #send(values, take) {
    const mine = new AbortController();
    this.#underWay = mine;
    let found = null;
    try {
      const address = `${this.#address}?${new URLSearchParams(values)}`;
      const answer = await fetch(address, { signal: mine.signal, headers: { Accept: "application/json" } });
      if (answer.status === 429) this.#quietUntil = Date.now() + PAUSE_AFTER_REFUSAL;
      if (answer.ok) found = await answer.json();
    } catch {
      // Aborted, or no connection: the form still works.
    }
    if (!mine.signal.aborted) take(found);
  }
}
