// A conflict is read first; the way back leads to the queue as it was filtered.
document.querySelector("#conflict")?.focus();
const back = document.querySelector("[data-back]");
const queue = new URL(back.href).pathname;
if (document.referrer) {
  const from = new URL(document.referrer);
  if (from.origin === location.origin && from.pathname === queue) back.href = from.href;
}

// Which questions are ticked goes with the language of the article that is chosen.
const adding = document.querySelector("[data-add]");
adding?.addEventListener("change", ({ target }) => {
  if (target.name !== "article") return;
  for (const box of adding.querySelectorAll('[name="question"]')) {
    box.checked = box.dataset.language === target.dataset.language && !("doubtful" in box.dataset);
  }
});
