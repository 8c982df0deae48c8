// Fields of more than one part: a slider, options put in order, and a matrix of rows that share their options.
import { h } from "./dom";
import { type Field, type FieldHooks, type Labels, newId, type Value, words } from "./fields";
import { type Say, typedNumber } from "./texts";
import type { FieldData } from "./types";

/** A slider says nothing until it is moved: its handle stands in the middle, pale. */
export class Slider implements Field {
  readonly element = h("div", { class: "sa-answer sa-slider" });
  private readonly input: HTMLInputElement;
  private readonly shown = h("output", { class: "sa-slider-value" });

  constructor(private readonly data: FieldData, public value: Value, labels: Labels, private readonly say: Say, hooks: FieldHooks) {
    const [low, high] = [data.low ?? 0, data.high ?? 100];
    this.input = h("input", {
      type: "range", min: low, max: high, step: 1,
      "aria-labelledby": labels.prompt, "aria-describedby": labels.described || null,
      "aria-required": data.required ? "true" : null,
      onfocus: hooks.focus,
      oninput: () => this.show(true),
      onchange: () => this.choose(hooks),
      onkeydown: (event: KeyboardEvent) => event.key === " " && (event.preventDefault(), this.choose(hooks)),
      onpointerup: () => this.choose(hooks),
    });
    this.input.value = String(typeof value === "number" ? value : Math.round((low + high) / 2));
    const ends = h("div", { class: "sa-scale-ends", "aria-hidden": "true" });
    ends.append(h("span", {}, data.low_label || typedNumber(low)), h("span", {}, data.high_label || typedNumber(high)));
    this.element.append(ends, this.input, this.shown);
    this.show(typeof value === "number");
  }

  get focusable(): HTMLElement {
    return this.input;
  }

  private choose(hooks: FieldHooks): void {
    this.show(true);
    if (Number(this.input.value) === this.value) return;
    this.value = Number(this.input.value);
    hooks.set(this.value);
  }

  private show(moved: boolean): void {
    this.element.classList.toggle("sa-slider-open", !moved);
    const text = moved ? `${this.input.value} ${this.data.unit}`.trim() : this.say("slider_open");
    this.shown.textContent = text;
    this.input.setAttribute("aria-valuetext", text);
  }

  lock(locked: boolean): void {
    this.input.disabled = locked;
  }
}

/** Options that are pressed in order; a place is given by each press, and taken back by another. */
export class Ranking implements Field {
  readonly element = h("div", { class: "sa-answer" });
  private readonly buttons: HTMLButtonElement[];
  private readonly places: HTMLElement[] = [];
  private order: (string | number)[];

  constructor(private readonly data: FieldData, value: Value, labels: Labels, private readonly say: Say, private readonly hooks: FieldHooks) {
    this.order = Array.isArray(value) ? [...value] : [];
    const group = h("div", { class: "sa-ranking", role: "group", "aria-labelledby": labels.prompt, "aria-describedby": labels.described || null });
    this.buttons = data.options.map((option, at) => {
      const place = h("span", { class: "sa-place" });
      this.places.push(place);
      const button = h("button", { type: "button", class: "sa-rank", "data-place": at, "data-value": String(option.value), onclick: () => this.press(option.value), onfocus: hooks.focus }, place, words(option.html));
      group.append(button);
      return button;
    });
    this.element.append(group);
    this.show();
  }

  get value(): Value {
    return this.order.length ? this.order : null;
  }

  get focusable(): HTMLElement {
    return this.buttons.find((_, at) => !this.order.includes(this.data.options[at]!.value)) ?? this.buttons[0]!;
  }

  private press(value: string | number): void {
    this.order = this.order.includes(value) ? this.order.filter((each) => each !== value) : [...this.order, value];
    this.hooks.set(this.value);
    this.show();
  }

  private show(): void {
    this.data.options.forEach((option, at) => {
      const place = this.order.indexOf(option.value);
      this.places[at]!.textContent = place < 0 ? "" : String(place + 1);
      this.buttons[at]!.setAttribute("aria-pressed", String(place >= 0));
      const said = place < 0 ? this.say("rank_open") : this.say("rank_place", { n: place + 1 });
      this.buttons[at]!.setAttribute("aria-description", said);
    });
  }

  lock(locked: boolean): void {
    for (const button of this.buttons) button.disabled = locked;
  }
}

/** Rows that each take one of the same options. */
export class Matrix implements Field {
  readonly element = h("div", { class: "sa-answer sa-matrix-box" });
  private readonly inputs: HTMLInputElement[] = [];
  private given: Record<string, string | number>;

  constructor(data: FieldData, value: Value, labels: Labels, private readonly hooks: FieldHooks) {
    this.given = value !== null && typeof value === "object" && !Array.isArray(value) ? { ...value } : {};
    const table = h("div", { class: "sa-matrix", role: "group", "aria-labelledby": labels.prompt, "aria-describedby": labels.described || null, style: `--columns: ${data.options.length}` });
    const head = h("div", { class: "sa-matrix-head", "aria-hidden": "true" }, h("span", {}));
    for (const option of data.options) head.append(words(option.html));
    table.append(head);
    for (const row of data.grid) table.append(this.row(data, row));
    this.element.append(table);
  }

  private row(data: FieldData, row: { id: string; html: string }): HTMLElement {
    const [name, label] = [newId(), newId()];
    const text = words(row.html);
    text.id = label;
    const line = h("div", { class: "sa-matrix-row", role: "radiogroup", "aria-labelledby": label, "aria-required": data.required ? "true" : null, "data-row": row.id }, text);
    for (const option of data.options) {
      const input = h("input", { type: "radio", name, onchange: () => this.choose(row.id, option.value), onfocus: this.hooks.focus });
      input.checked = this.given[row.id] === option.value;
      this.inputs.push(input);
      line.append(h("label", { class: "sa-cell", "data-value": String(option.value) }, input, words(option.html)));
    }
    return line;
  }

  get value(): Value {
    return Object.keys(this.given).length ? this.given : null;
  }

  get focusable(): HTMLElement {
    const open = this.inputs.find((input) => !this.element.querySelector(`input[name="${input.name}"]:checked`));
    return open ?? this.inputs[0]!;
  }

  private choose(row: string, value: string | number): void {
    this.given = { ...this.given, [row]: value };
    this.hooks.set(this.given);
  }

  lock(locked: boolean): void {
    for (const input of this.inputs) input.disabled = locked;
  }
}
