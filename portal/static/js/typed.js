// Completions and results while typing. The panel lies over the page below the field, so nothing
// moves; the last results stay until the next ones are there.
import { Combobox } from "./combobox.js";
import { renderCompletions } from "./completions.js";
import { element, group } from "./element.js";
import { SearchLog } from "./log.js";
import { Lookup } from "./lookup.js";
import { renderResults } from "./panel.js";

const COMPLETE_AFTER = 120;
const SEARCH_AFTER = 200;
const HAN = /\p{Script=Han}/u;

export function typeAhead(form) {
  const input = form.querySelector(".search-input");
  const texts = form.dataset;
  const log = new SearchLog(texts.events, texts.locale);
  const completing = new Lookup(texts.complete, COMPLETE_AFTER);
  const searching = new Lookup(texts.api, SEARCH_AFTER);

  const panel = element("div", "typed");
  const ways = group(texts.textSuggestions);
  const results = group(texts.textResults);
  const status = element("p", "visually-hidden");
  panel.id = `${input.id}-typed`;
  panel.setAttribute("aria-label", texts.textOptions);
  panel.append(ways, results);
  panel.hidden = ways.hidden = results.hidden = true;
  status.setAttribute("aria-live", "polite");
  form.append(panel, status);
  const combobox = new Combobox(input, panel);

  let completions = [];
  let found = null;
  let shown = ""; // the text that `found` is for
  let spoken = "";
  let composing = false;

  const typed = () => input.value.trim();
  const enough = (query) => HAN.test(query) || query.length > 1;

  const offered = (count) => {
    if (!count) return "";
    return count === 1 ? texts.textSuggestionsOne : texts.textSuggestionsMany.replace("{count}", String(count));
  };

  const open = () => {
    // What the reader is about to choose does not move away.
    if (!ways.contains(combobox.active)) renderCompletions(ways, completions, found, texts, typed());
    const nothing = results.querySelector(".typed-none");
    if (nothing) nothing.hidden = !ways.hidden;
    combobox.update(!(ways.hidden && results.hidden));
    const said = [offered(ways.childElementCount), nothing && !ways.hidden ? "" : spoken];
    status.textContent = said.filter(Boolean).join(" ");
  };

  const close = () => {
    completing.cancel();
    searching.cancel();
    form.removeAttribute("aria-busy");
    combobox.update(false);
    status.textContent = "";
  };

  const takeResults = (query, answer) => {
    form.removeAttribute("aria-busy");
    found = answer;
    shown = answer ? query : "";
    spoken = answer ? renderResults(results, answer, texts, query) : "";
    if (!answer) empty(results); // Enter still searches
    panel.scrollTop = 0;
    open();
    if (answer) log.settle(query, answer);
  };

  const changed = () => {
    log.cancel();
    combobox.leave();
    const query = typed();
    if (!enough(query)) {
      completions = [];
      found = null;
      shown = spoken = "";
      empty(ways);
      empty(results);
      close();
      return;
    }
    completing.ask({ q: query, locale: texts.locale }, (answer) => {
      completions = answer?.completions ?? [];
      open();
    });
    if (query === shown) {
      searching.cancel();
      form.removeAttribute("aria-busy");
      open();
    } else {
      searching.ask(
        { q: query, locale: texts.locale, typing: "1", limit: "6" },
        (answer) => takeResults(query, answer),
        () => form.setAttribute("aria-busy", "true"),
      );
    }
  };

  input.addEventListener("compositionstart", () => { composing = true; });
  input.addEventListener("compositionend", () => { composing = false; changed(); });
  input.addEventListener("input", (event) => { if (!composing && !event.isComposing) changed(); });
  input.addEventListener("focus", () => { if (shown && shown === typed()) open(); });

  input.addEventListener("keydown", (event) => {
    if (composing || event.isComposing || event.keyCode === 229) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && panel.hidden && shown && shown === typed()) open();
    if (panel.hidden) return;
    if (step) {
      event.preventDefault();
      combobox.move(step);
    } else if (event.key === "Enter" && combobox.active) {
      event.preventDefault();
      combobox.active.click();
    } else if (event.key === "Escape") {
      event.preventDefault(); // the browser would empty the field
      close();
    } else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
      combobox.leave();
    }
  });
  form.addEventListener("focusout", (event) => {
    const to = event.relatedTarget;
    if (to && to !== input && !panel.contains(to)) close();
  });
  document.addEventListener("pointerdown", (event) => { if (!form.contains(event.target)) close(); });
  form.addEventListener("submit", (event) => {
    log.cancel(); // the page of results logs it
    if (!typed()) {
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

function empty(box) {
  box.replaceChildren();
  box.hidden = true;
}
