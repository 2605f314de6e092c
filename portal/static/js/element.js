// Makes elements; text is only ever set as text.
export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// A link that is one option of a combobox: reached by the arrow keys, not by Tab.
export function option(className, href) {
  const made = element("a", className);
  made.href = href;
  made.tabIndex = -1;
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  return made;
}

export function group(label) {
  const made = element("div", "typed-group");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  return made;
}
