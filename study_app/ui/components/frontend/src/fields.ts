// The fields of a form: each draws one question's answer, knows what stands in it, and tells every change.
import { h, setTrustedHtml } from "./dom";
import type { Edit } from "./edits";
import type * as Code from "./code";
import type { Editor } from "./editor";
import { changeBetween, kindOfInput, storable } from "./textdelta";
import { Matrix, Ranking, Slider } from "./grids";
import { pageLanguage, type Say } from "./texts";
import type { FieldData } from "./types";

export type Value = string | number | (string | number)[] | Record<string, string | number> | null;

export interface FieldHooks {
  /** A choice was made or taken back. */
  set: (value: Value) => void;
  /** A text was edited. */
  edit: (edit: Edit) => void;
  focus: () => void;
  /** Something could not be taken. */
  refuse: (words: string) => void;
  /** A paste or drop into the field; recorded beside the edit that it makes. */
  incoming: (text: string, how: "paste" | "drop") => void;
}

/** What a form needs of a field. */
export interface Field {
  readonly element: HTMLElement;
  readonly value: Value;
  /** The element that takes the focus, and `aria-invalid`. */
  readonly focusable: HTMLElement;
  lock: (locked: boolean) => void;
  destroy?: () => void;
}

/** Ids that the field's labels have. */
export interface Labels {
  prompt: string;
  /** The line over the answer, which names a quiz item's box. */
  hint: string;
  /** Space-separated ids of what describes the field; may be empty. */
  described: string;
}

/** `code` is there on pages with code. */
export function makeField(
  data: FieldData, value: Value, labels: Labels, say: Say, hooks: FieldHooks, code: typeof Code | null,
): Field {
  if (data.kind === "choice" || data.kind === "scale") return new Choice(data, value, labels, say, hooks);
  if (data.kind === "multiple") return new Picks(data, value, labels, hooks);
  if (data.kind === "slider") return new Slider(data, value, labels, say, hooks);
  if (data.kind === "ranking") return new Ranking(data, value, labels, say, hooks);
  if (data.kind === "matrix") return new Matrix(data, value, labels, hooks);
  if (data.kind === "code" && code) return new CodeBox(data, value, labels, say, hooks, code);
  return new TextBox(data, value, labels, say, hooks);
}

let unique = 0;

export function newId(): string {
  return `sa-f${++unique}`;
}

class Choice implements Field {
  readonly element = h("div", { class: "sa-answer" });
  private readonly inputs: HTMLInputElement[];
  private readonly clear: HTMLButtonElement | null;

  constructor(
    data: FieldData,
    public value: Value,
    labels: Labels,
    say: Say,
    private readonly hooks: FieldHooks,
  ) {
    const scale = data.kind === "scale";
    const name = newId();
    const group = h("div", {
      class: scale ? "sa-scale-steps" : "sa-options",
      role: "radiogroup",
      "aria-labelledby": labels.prompt,
      "aria-describedby": labels.described || null,
      "aria-required": data.required ? "true" : null,
    });
    this.inputs = data.options.map((option) => {
      const input = h("input", { type: "radio", name, onchange: () => this.choose(option.value), onfocus: hooks.focus });
      input.checked = option.value === value;
      group.append(h("label", { class: scale ? "sa-step-option" : "sa-option", "data-value": String(option.value) }, input, words(option.html)));
      return input;
    });
    this.element.append(group);
    if (scale) this.addEnds(group, data);
    this.clear = data.clearable ? h("button", { type: "button", class: "sa-clear", onclick: () => this.takeBack() }, say("clear")) : null;
    if (this.clear) this.element.append(this.clear);
    this.showClear();
  }

  get focusable(): HTMLElement {
    return this.inputs.find((input) => input.checked) ?? this.inputs[0]!;
  }

  private addEnds(group: HTMLElement, data: FieldData): void {
    this.element.classList.add("sa-scale");
    if (data.options.length > 11) this.element.classList.add("sa-scale-long");
    const ends = h("div", { class: "sa-scale-ends", "aria-hidden": "true" });
    ends.append(h("span", {}, data.low_label ?? ""), h("span", {}, data.high_label ?? ""));
    if (data.low_label || data.high_label) group.before(ends);
  }

  private choose(value: Value): void {
    if (value === this.value) return;
    this.value = value;
    this.hooks.set(value);
    this.showClear();
  }

  private takeBack(): void {
    for (const input of this.inputs) input.checked = false;
    this.choose(null);
    this.inputs[0]?.focus();
  }

  private showClear(): void {
    if (this.clear) this.clear.hidden = this.value === null;
  }

  lock(locked: boolean): void {
    for (const input of this.inputs) input.disabled = locked;
    if (this.clear) this.clear.disabled = locked;
  }
}

class Picks implements Field {
  readonly element = h("div", { class: "sa-answer" });
  private readonly inputs: HTMLInputElement[];

  constructor(
    private readonly data: FieldData,
    value: Value,
    labels: Labels,
    private readonly hooks: FieldHooks,
  ) {
    const picked = Array.isArray(value) ? value : [];
    const group = h("div", {
      class: "sa-options",
      role: data.number ? null : "group",
      "aria-labelledby": data.number ? null : labels.prompt,
      "aria-describedby": data.number ? null : labels.described || null,
    });
    this.inputs = data.options.map((option) => {
      const input = h("input", { type: "checkbox", onchange: () => this.hooks.set(this.value), onfocus: hooks.focus });
      input.checked = picked.includes(option.value);
      group.append(h("label", { class: "sa-option", "data-value": String(option.value) }, input, words(option.html)));
      return input;
    });
    this.element.append(group);
  }

  get value(): Value {
    return this.data.options.filter((_, place) => this.inputs[place]!.checked).map((option) => option.value);
  }

  get focusable(): HTMLElement {
    return this.inputs[0]!;
  }

  lock(locked: boolean): void {
    for (const input of this.inputs) input.disabled = locked;
  }
}

class TextBox implements Field {
  readonly element = h("div", { class: "sa-answer" });
  private readonly box: HTMLInputElement | HTMLTextAreaElement;
  private before: string;

  constructor(
    private readonly data: FieldData,
    value: Value,
    labels: Labels,
    private readonly say: Say,
    private readonly hooks: FieldHooks,
  ) {
    const shared = {
      class: "sa-text",
      "aria-labelledby": data.number || data.label ? labels.hint : labels.prompt,
      "aria-describedby": labels.described || null,
      "aria-required": data.required && !data.number ? "true" : null,
      autocomplete: "off",
      "data-gramm": "false",
      oninput: (event: Event) => this.onInput(event),
      onbeforeinput: (event: InputEvent) => this.onBefore(event),
      onfocus: hooks.focus,
      onpaste: (event: ClipboardEvent) => hooks.incoming(event.clipboardData?.getData("text/plain") ?? "", "paste"),
      ondrop: (event: DragEvent) => hooks.incoming(event.dataTransfer?.getData("text/plain") ?? "", "drop"),
    };
    const rows = data.rows ?? 1;
    this.box =
      rows > 1
        ? h("textarea", { ...shared, rows })
        : h("input", { ...shared, type: "text", inputmode: data.kind === "number" ? "decimal" : null, spellcheck: data.number ? "false" : null });
    this.box.value = typeof value === "string" ? value : value === null ? "" : String(value);
    this.before = this.box.value;
    this.element.append(this.box);
    if (data.unit) {
      this.element.classList.add("sa-with-unit");
      this.element.append(h("span", { class: "sa-unit", "aria-hidden": "true" }, data.unit));
    }
  }

  get value(): Value {
    return this.before;
  }

  get focusable(): HTMLElement {
    return this.box;
  }

  /** Refuses what would not fit before it is in the box, so that the browser's own undo goes on working. */
  private onBefore(event: InputEvent): void {
    const text = event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
    const chosen = (this.box.selectionEnd ?? 0) - (this.box.selectionStart ?? 0);
    if (!text || this.before.length - chosen + text.length <= this.data.limit || !event.cancelable) return;
    event.preventDefault();
    this.hooks.refuse(this.say("too_long_now", { limit: this.data.limit.toLocaleString(pageLanguage()) }));
  }

  private onInput(event: Event): void {
    this.makeStorable();
    const after = this.box.value;
    if (after === this.before) return;
    if (after.length > this.data.limit && after.length > this.before.length) {
      this.box.value = this.before;
      this.hooks.refuse(this.say("too_long_now", { limit: this.data.limit.toLocaleString(pageLanguage()) }));
      return;
    }
    const change = changeBetween(this.before, after);
    this.before = after;
    const type = (event as InputEvent).inputType ?? "";
    this.hooks.edit({ kind: kindOfInput(event), changes: [change], length: after.length, user_event: type });
  }

  private makeStorable(): void {
    const clean = storable(this.box.value);
    if (clean === this.box.value) return;
    const at = this.box.selectionStart ?? clean.length;
    this.box.value = clean;
    this.box.setSelectionRange(Math.min(at, clean.length), Math.min(at, clean.length));
  }

  lock(locked: boolean): void {
    this.box.readOnly = locked;
  }
}

class CodeBox implements Field {
  readonly element = h("div", { class: "sa-answer sa-code-answer" });
  private readonly editor: Editor;

  constructor(data: FieldData, value: Value, labels: Labels, say: Say, hooks: FieldHooks, code: typeof Code) {
    const help = newId();
    const box = h("div", { class: "sa-code-box", style: `--rows: ${Math.max(3, data.rows ?? 6)}` });
    this.element.append(box, h("div", { class: "sa-hidden", id: help }, say("code_help")));
    this.editor = new code.Editor(
      box,
      { label: say("code_answer"), help: `${help} ${labels.described}`.trim(), phrases: code.phrasesOf(say) },
      {
        edit: (edit) => hooks.edit(edit),
        full: () => hooks.refuse(say("too_long_now", { limit: data.limit.toLocaleString(pageLanguage()) })),
        focus: (focused) => focused && hooks.focus(),
        run: () => undefined,
        allow: (text, how) => {
          const fits = this.editor.text.length + text.length <= data.limit;
          if (fits) hooks.incoming(text, how);
          else hooks.refuse(say("too_long_now", { limit: data.limit.toLocaleString(pageLanguage()) }));
          return fits;
        },
      },
      typeof value === "string" ? value : "",
    );
  }

  get value(): Value {
    return this.editor.text;
  }

  get focusable(): HTMLElement {
    return this.editor.view.contentDOM;
  }

  lock(locked: boolean): void {
    this.editor.lock(locked);
  }

  destroy(): void {
    this.editor.destroy();
  }
}

export function words(html: string): HTMLElement {
  const element = h("span", { class: "sa-option-words sa-prose" });
  setTrustedHtml(element, html);
  return element;
}
