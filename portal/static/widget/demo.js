// The demo page: example texts to try, and a list of the events a page hears from the widget.
const form = document.querySelector("#demo-form");
const field = document.querySelector("#demo-text");
const examples = document.querySelector("#demo-examples");
const heard = document.querySelector("#demo-heard");
const list = heard.querySelector("ol");
const MOST = 12;

examples.hidden = false;
examples.addEventListener("click", ({ target }) => {
  if (target.localName !== "button") return;
  field.value = target.textContent;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
});

heard.hidden = false;
list.textContent = list.dataset.none;
for (const name of ["kb:ready", "kb:shown", "kb:opened", "kb:resolved", "kb:closed", "kb:error"]) {
  form.addEventListener(name, ({ type, detail }) => {
    if (!list.children.length) list.textContent = "";
    const line = document.createElement("li");
    const what = document.createElement("code");
    what.textContent = type;
    line.append(what, ` ${describe(detail)}`);
    list.prepend(line);
    while (list.children.length > MOST) list.lastChild.remove();
  });
}

function describe({ suggestions, id, kind, locale }) {
  return (suggestions?.map((one) => one.id).join(", ") ?? id ?? kind ?? locale ?? "") || "";
}
