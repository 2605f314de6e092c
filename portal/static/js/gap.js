// A conflict is read first; the way back leads to the queue as it was filtered.
document.querySelector("#conflict")?.focus();
const back = document.querySelector("[data-back]");
const queue = new URL(back.href).pathname;
if (document.referrer) {
  const from = new URL(document.referrer);
  if (from.origin === location.origin && from.pathname === queue) back.href = from.href;
}
