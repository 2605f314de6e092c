// The keyboard model of the search field (WAI-ARIA 1.2, editable combobox with list autocomplete):
// focus stays in the field, the arrow keys move through every option of the list below it.
export class Combobox {
  #input;
  #list;
  #active = null;

  constructor(input, list) {
    this.#input = input;
    this.#list = list;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");
    list.setAttribute("role", "listbox");
  }

  get active() {
    return this.#active;
  }

  // To be called whenever options came or went, or the list is to be shown or hidden.
  update(open) {
    const options = this.#options();
    const shown = open && options.length > 0;
    options.forEach((option, number) => { option.id = `${this.#list.id}-${number}`; });
    this.#list.hidden = !shown;
    this.#input.setAttribute("aria-expanded", String(shown));
    this.#point(shown && options.includes(this.#active) ? this.#active : null);
  }

  // One step down (1) or up (-1); beyond either end lies the field itself.
  move(step) {
    const stops = [null, ...this.#options()];
    const to = (stops.indexOf(this.#active) + step + stops.length) % stops.length;
    this.#point(stops[to]);
    this.#active?.scrollIntoView({ block: "nearest" });
  }

  leave() {
    this.#point(null);
  }

  #options() {
    return [...this.#list.querySelectorAll("[role=option]")];
  }

  #point(option) {
    if (this.#active !== option) this.#active?.setAttribute("aria-selected", "false");
    this.#active = option;
    option?.setAttribute("aria-selected", "true");
    if (option) this.#input.setAttribute("aria-activedescendant", option.id);
    else this.#input.removeAttribute("aria-activedescendant");
  }
}
