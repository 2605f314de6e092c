// The queue by keyboard: j and k move, Enter opens, i asks why and ignores, u takes it back. Without script
// every row is a link and ignoring is a form of its page. Also tells how far a refresh is.
import { element } from "./element.js";

const table = document.querySelector("[data-queue]");
const toast = document.querySelector("[data-toast]");
const rows = table ? [...table.querySelectorAll("tbody tr")] : [];
let current = -1;
let ignored = null;
let asked = null;
const because = document.querySelector("[data-because]");
const question = because?.querySelector("label");
const words = question?.textContent;

function move(to) {
  if (!rows.length) return;
  rows[current]?.classList.remove("current");
  current = Math.max(0, Math.min(rows.length - 1, to));
  const row = rows[current];
  row.classList.add("current");
  row.querySelector(".queue-name").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// What the row and the heading say, once a gap has left the queue or come back.
function became(row, state, more) {
  row.querySelector("[data-state]").textContent = state;
  const all = document.querySelector("[data-total]");
  const count = Number(all.dataset.total) + more;
  all.dataset.total = count;
  const number = count.toLocaleString(document.documentElement.lang);
  all.textContent = count === 1 ? all.dataset.one : all.dataset.many.replace("2", number);
}

// The toast must not lie over the row that it speaks of.
function uncover(row) {
  const over = row.getBoundingClientRect().bottom - toast.getBoundingClientRect().top;
  if (over > 0) scrollBy({ top: over + 16 });
}

function say(text, undo) {
  const said = element("span", "", text);
  said.dataset.toastSaid = "";
  toast.querySelector("[data-toast-said]").replaceWith(said);
  toast.querySelector("[data-undo]").hidden = !undo;
  toast.hidden = false;
}

async function send(address, row, fields = {}) {
  const body = new URLSearchParams({ csrf_token: table.dataset.token, version: row.dataset.version, ...fields });
  const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!response.ok) {
    say(response.status === 409 ? table.dataset.changed : table.dataset.failed, false);
    return null;
  }
  const gap = await response.json();
  row.dataset.version = gap.version;
  return gap;
}

function ask(row) {
  if (!because || !row || row.classList.contains("gone")) return;
  asked = row;
  toast.hidden = true;
  question.textContent = words.replace("{name}", () => row.dataset.name);
  because.reset();
  because.hidden = false;
  because.elements.because.focus();
}

function leave() {
  because.hidden = true;
  if (asked) move(rows.indexOf(asked));
  asked = null;
}

async function ignore(event) {
  event.preventDefault();
  const row = asked;
  const said = because.elements.because.value.trim();
  if (!row || !said) return;
  leave();
  row.classList.add("gone");
  const gap = await send(row.dataset.ignore, row, { because: said }).catch(() => say(table.dataset.failed, false));
  if (!gap) {
    row.classList.remove("gone");
    return;
  }
  ignored = row;
  became(row, table.dataset.ignoredState, -1);
  say(table.dataset.ignored.replace("{name}", () => row.dataset.name), true);
  uncover(row);
}

async function undo() {
  const row = ignored;
  if (!row) return;
  ignored = null;
  const gap = await send(row.dataset.reopen, row).catch(() => say(table.dataset.failed, false));
  if (!gap) return;
  row.classList.remove("gone");
  became(row, gap.state === row.dataset.stateKey ? row.dataset.stateName : table.dataset.openState, 1);
  say(table.dataset.undone.replace("{name}", () => row.dataset.name), false);
  move(rows.indexOf(row));
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const acts = {
    j: () => move(current + 1),
    k: () => move(current < 0 ? 0 : current - 1),
    i: () => ask(rows[current]),
    u: undo,
  };
  const act = acts[event.key];
  if (act) {
    event.preventDefault();
    act();
  } else if (event.key === "Enter" && current >= 0 && event.target === document.body) {
    rows[current].querySelector(".queue-name").click();
  }
}

if (table) {
  document.querySelector("[data-keys]").hidden = false;
  document.addEventListener("keydown", pressed);
  toast.querySelector("[data-undo]").addEventListener("click", undo);
  because?.addEventListener("submit", ignore);
  because?.querySelector("[data-leave]").addEventListener("click", leave);
  because?.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) leave();
  });
  rows.forEach((row, place) => {
    row.addEventListener("focusin", () => {
      if (current !== place) {
        rows[current]?.classList.remove("current");
        current = place;
        row.classList.add("current");
      }
    });
  });
}

// A refresh goes on beside the page: say how far it is, and show what it found.
const refresh = document.querySelector("[data-progress]");
if (refresh) {
  const said = refresh.querySelector("[data-said]");
  const button = refresh.querySelector("button");
  const PATIENCE = 60; // looks, a second each, that find nothing under way and nothing new
  const watch = async (before, left = PATIENCE) => {
    const response = await fetch(refresh.dataset.progress).catch(() => null);
    const now = response?.ok ? await response.json() : null;
    if (now?.running) said.textContent = now.total ? `${now.stage} ${now.done}/${now.total}` : now.stage;
    const isNew = (name) => now && !now.running && now[name] && now[name] !== before?.[name];
    if (isNew("refreshed")) {
      location.reload();
    } else if (left > 0 && !isNew("failed")) {
      setTimeout(() => watch(before, now?.running ? PATIENCE : left - 1), 1000);
    } else {
      said.textContent = refresh.dataset.failed;
      if (button) button.disabled = false;
    }
  };
  const begin = async () => {
    const response = await fetch(refresh.dataset.progress).catch(() => null);
    const now = response?.ok ? await response.json() : null;
    watch(now);
  };
  if ("running" in refresh.dataset) begin();
  refresh.querySelector("form")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await begin();
    await fetch(event.target.action, {
      method: "POST", body: new URLSearchParams(new FormData(event.target)), headers: { Accept: "application/json" },
    });
  });
}
