// Parts of a page that a phone folds behind their headings. Without script they stand open.

const narrow = matchMedia("(max-width: 47.99rem)");
const parts = [...document.querySelectorAll("details[data-fold]")];

// What the address points to, and what went wrong in a form, is never folded away.
function wanted(part) {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  return (target && (part.contains(target) || target.contains(part))) || part.querySelector("[role=alert]") !== null;
}

function arrange() {
  for (const part of parts) {
    part.open = !narrow.matches || wanted(part);
    part.querySelector("summary").tabIndex = narrow.matches ? 0 : -1;
  }
}

arrange();
narrow.addEventListener("change", arrange);
addEventListener("hashchange", () => {
  const found = parts.find((part) => !part.open && wanted(part));
  if (!found) return;
  found.open = true;
  document.getElementById(location.hash.slice(1)).scrollIntoView();
});
