// Results while typing. The panel lies over the page below the field, so nothing moves; the last
// results stay until the next ones are there; text is only ever set as text.
import { renderPanel } from "./panel.js";
import { SearchLog } from "./log.js";

const DEBOUNCE = 200;
const PAUSE_AFTER_REFUSAL = 15_000;
const HAN = /\p{Script=Han}/u;

export function typeAhead(form) {
  const input = form.querySelector(".search-input");
  const texts = form.dataset;
  const log = new SearchLog(texts.events, texts.locale);
  const panel = document.createElement("section");
  panel.className = "typed";
  panel.id = `${input.id}-typed`;
  panel.setAttribute("aria-label", texts.textResults);
  panel.hidden = true;
  const status = document.createElement("p");
  status.className = "visually-hidden";
  status.setAttribute("aria-live", "polite");
  form.append(panel, status);

  let timer = 0;
  let request = null;
  let shown = "";
  let composing = false;
  let quietUntil = 0;

  const close = () => {
    clearTimeout(timer);
    request?.abort();
    form.removeAttribute("aria-busy");
    panel.hidden = true;
    status.textContent = "";
  };

  const ask = async (query) => {
    request?.abort();
    const mine = new AbortController();
    request = mine;
    form.setAttribute("aria-busy", "true");
    try {
      const address = `${texts.api}?${new URLSearchParams({ q: query, locale: texts.locale, typing: "1", limit: "6" })}`;
      const answer = await fetch(address, { signal: mine.signal, headers: { Accept: "application/json" } });
      if (answer.status === 429) quietUntil = Date.now() + PAUSE_AFTER_REFUSAL;
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (mine.signal.aborted) return;
      shown = query;
      status.textContent = renderPanel(panel, found, texts, query);
      panel.hidden = false;
      panel.scrollTop = 0;
      log.settle(query, found);
    } catch (error) {
      if (error.name !== "AbortError") panel.hidden = true; // Enter still searches
    } finally {
      if (request === mine) form.removeAttribute("aria-busy");
    }
  };

  const changed = () => {
    clearTimeout(timer);
    log.cancel();
    const query = input.value.trim();
    const enough = HAN.test(query) || query.length > 1;
    if (!enough) {
      shown = "";
      close();
    } else if (query === shown) {
      panel.hidden = false;
    } else if (Date.now() > quietUntil) {
      timer = setTimeout(() => ask(query), DEBOUNCE);
    }
  };

  input.setAttribute("aria-controls", panel.id);
  input.addEventListener("compositionstart", () => { composing = true; });
  input.addEventListener("compositionend", () => { composing = false; changed(); });
  input.addEventListener("input", (event) => { if (!composing && !event.isComposing) changed(); });
  input.addEventListener("focus", () => { if (shown && shown === input.value.trim()) panel.hidden = false; });

  form.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape" && !panel.hidden) {
      event.preventDefault(); // the browser would empty the field
      input.focus();
      close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !panel.hidden) {
      move(event, [input, ...panel.querySelectorAll("a")]);
    }
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget) && event.relatedTarget) close();
  });
  document.addEventListener("pointerdown", (event) => { if (!form.contains(event.target)) close(); });
  form.addEventListener("submit", (event) => {
    log.cancel(); // the page of results logs it
    if (!input.value.trim()) {
      event.preventDefault();
      input.focus();
    } else {
      close();
    }
  });
  panel.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-article]");
    if (link) log.opened(shown, link);
  });
}

function move(event, stops) {
  const at = stops.indexOf(document.activeElement);
  const to = at + (event.key === "ArrowDown" ? 1 : -1);
  if (to < 0 || to >= stops.length) return;
  event.preventDefault();
  stops[to].focus();
}
