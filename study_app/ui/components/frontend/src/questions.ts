// The questions of one page: drawn, read, logged, and marked where something is missing.
import type * as Code from "./code";
import { h, setTrustedHtml } from "./dom";
import { type Field, makeField, newId, type Value } from "./fields";
import { type Say, typedNumber } from "./texts";
import type { FieldData, FormData } from "./types";

const MAX_TEXT = 20_000;

export interface QuestionHooks {
  /** Adds an event about a field, or about the form. */
  log: (kind: string, payload: Record<string, unknown>) => void;
  tell: (words: string) => void;
}

interface Shown {
  data: FieldData;
  field: Field;
  box: HTMLElement;
  message: HTMLElement;
}

export interface Fault {
  code: string;
  words: string;
}

export class Questions {
  readonly element = h("div", { class: "sa-questions" });
  private readonly shown: Shown[] = [];
  private copied: string[] = [];

  constructor(
    private readonly data: FormData,
    recovered: string | null,
    private readonly say: Say,
    private readonly hooks: QuestionHooks,
    private readonly code: typeof Code | null,
  ) {
    const asked = data.fields.filter(isAsked);
    const values = recovered === null ? null : (JSON.parse(recovered) as Value[]);
    // In what was recovered, null is an answer taken back: the one that the server still has does not return.
    const first = (field: FieldData) => (values === null ? (field.value ?? field.starter) : values[asked.indexOf(field)]) ?? null;
    for (const field of data.fields) {
      if (!isAsked(field)) this.element.append(this.block(field));
      else this.element.append(this.question(field, first(field)));
    }
    code?.highlightBlocks(this.element);
  }

  /** The form as text, the same for the same values: for the draft on disk. */
  static serialised(fields: readonly FieldData[], values: readonly Value[]): string {
    const asked = fields.flatMap((field, place) => (isAsked(field) ? [comparable(field, values[place] ?? field.starter)] : []));
    return JSON.stringify(asked);
  }

  get text(): string {
    return JSON.stringify(this.shown.map(({ data, field }) => comparable(data, field.value)));
  }

  get values(): Record<string, Value> {
    return Object.fromEntries(this.shown.map(({ data, field }) => [data.id, field.value ?? null]));
  }

  /** Says what this page shows: from here on its events make the form. */
  logShown(): void {
    this.hooks.log("answers_shown", {});
    for (const { data, field } of this.shown) {
      if (!isBlank(field.value) || !isBlank(data.value)) this.hooks.log("answer_load", { field: data.id, value: field.value });
    }
  }

  /** Lets the next keys go into the first answer, unless something else has the focus already. */
  focusFirst(): void {
    if (document.activeElement === document.body) this.shown[0]?.field.focusable.focus({ preventScroll: true });
  }

  lock(locked: boolean): void {
    for (const { field } of this.shown) field.lock(locked);
  }

  destroy(): void {
    for (const { field } of this.shown) field.destroy?.();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  private block(data: FieldData): HTMLElement {
    if (data.kind === "heading") return h("h2", { class: "sa-form-heading" }, data.prompt);
    const text = h("div", { class: "sa-form-block sa-prose" });
    setTrustedHtml(text, data.prompt_html);
    return text;
  }

  private question(data: FieldData, value: Value): HTMLElement {
    const [prompt, hint, message] = [newId(), newId(), newId()];
    const words = h("div", { class: "sa-prompt sa-prose", id: prompt });
    setTrustedHtml(words, data.prompt_html);
    if (data.optional) words.append(h("span", { class: "sa-optional" }, ` (${this.say("optional")})`));
    // The ends of a scale stand at its ends; the sentence is for those who hear it.
    const hints = h("p", { class: data.kind === "scale" || data.kind === "slider" ? "sa-hidden" : "sa-form-hint", id: hint }, this.hintOf(data));
    const fault = h("p", { class: "sa-fault", id: message, hidden: true });
    const named = !!data.label || (data.number !== null && (data.kind === "text" || data.kind === "code"));
    // A box points to its fault while there is one; the code editor keeps its attributes to itself.
    const about = data.label ? prompt : !named && hints.textContent && hint;
    const described = [about, data.kind === "code" && message].filter(Boolean).join(" ");
    const field = makeField(data, value, { prompt, hint, described }, this.say, {
      set: (chosen) => this.changed(data, "answer_set", { value: chosen }),
      edit: (edit) => this.changed(data, "answer_edit", { ...edit }),
      focus: () => this.hooks.log("answer_focus", { field: data.id }),
      refuse: (why) => this.refuse(data, why),
      incoming: (text, how) => this.incoming(data, text, how),
    }, this.code);
    const box = data.number ? this.item(data, words, hints, field) : h("div", { class: data.beside ? "sa-question sa-beside" : "sa-question" }, words, hints, field.element);
    box.dataset["field"] = data.id;
    field.element.after(fault);
    this.shown.push({ data, field, box, message: fault });
    return box;
  }

  /** A quiz item: code to read on the left and the answer on the right where there is room. */
  private item(data: FieldData, words: HTMLElement, hints: HTMLElement, field: Field): HTMLElement {
    const title = this.say("question_of", { n: data.number!, m: this.data.count });
    const group = h("fieldset", { class: "sa-question sa-item" }, h("legend", {}, title));
    const answer = h("div", { class: "sa-item-answer" }, hints, field.element);
    group.append(words);
    if (data.code) {
      const code = h("pre", { class: "sa-item-code", tabindex: 0, role: "region", "aria-label": this.say("given_code", { n: data.number! }) });
      const text = data.code.replace(/\n+$/, "");
      code.append(h("code", {}, this.code?.highlighted(text, "python") ?? text));
      group.append(h("div", { class: "sa-item-columns" }, code, answer));
    } else group.append(answer);
    return group;
  }

  private hintOf(data: FieldData): string {
    if (data.label) return data.label;
    if (data.number && data.kind === "text") return this.say("your_answer");
    if (data.number && data.kind === "code") return this.say("code_answer");
    if (data.number && data.kind === "choice") return this.say("choose_one");
    if (data.kind === "multiple") return this.say(data.number ? "choose_all" : "choose_several");
    const figure = (value: number | null) => (value === null ? "" : typedNumber(value));
    const ends = { low: figure(data.low), low_label: data.low_label, high: figure(data.high), high_label: data.high_label };
    if (data.kind === "ranking") return this.say("rank_help");
    if (data.kind === "scale" || data.kind === "slider") return data.low_label || data.high_label ? this.say("scale_ends", ends) : "";
    if (data.kind !== "number" || data.low === null || data.high === null) return "";
    return this.say("number_range", { low: typedNumber(data.low), high: typedNumber(data.high) });
  }

  // -- changes ---------------------------------------------------------------------------------------------------------

  private changed(data: FieldData, kind: string, payload: Record<string, unknown>): void {
    this.mark(data.id, null);
    this.hooks.log(kind, { field: data.id, ...payload });
  }

  private refuse(data: FieldData, words: string): void {
    this.mark(data.id, { code: "too_long", words });
  }

  private incoming(data: FieldData, text: string, how: "paste" | "drop"): void {
    if (!text) return;
    const from = this.copied.includes(squeeze(text)) ? "form" : "outside";
    const payload = { text: text.slice(0, MAX_TEXT), length: text.length, how, from, target: "answer", field: data.id };
    this.hooks.log("paste_attempt", payload);
  }

  /** Records what is copied from the page; the returned function ends it. */
  recordClipboard(): () => void {
    const onCopy = (event: ClipboardEvent) => {
      const text = selectedText(event.target);
      if (!text) return;
      this.copied = [squeeze(text), ...this.copied].slice(0, 40);
      const field = this.fieldAt(event.target);
      const payload = { text: text.slice(0, MAX_TEXT), length: text.length, from: "form", ...(field ? { field } : {}) };
      this.hooks.log(event.type, payload);
    };
    for (const name of ["copy", "cut"] as const) this.element.addEventListener(name, onCopy, true);
    return () => {
      for (const name of ["copy", "cut"] as const) this.element.removeEventListener(name, onCopy, true);
    };
  }

  /** The field in whose answer something lies; text of a question is of no field. */
  private fieldAt(target: EventTarget | null): string | undefined {
    const answer = target instanceof Element ? target.closest(".sa-answer") : null;
    return answer?.closest<HTMLElement>("[data-field]")?.dataset["field"];
  }

  // -- gaps and faults -------------------------------------------------------------------------------------------------

  private gaps(): Shown[] {
    const open = this.shown.filter(({ data, field }) => isBlank(field.value) || (data.kind === "code" && untouched(field.value, data.starter)));
    // Without an answer there is nothing to be sure of.
    return open.filter(({ data }) => !open.some((item) => item.data.id === data.beside));
  }

  /** On a quiz page with gaps: asks once before it is left. True where the participant goes on. */
  async confirmGaps(root: HTMLElement): Promise<boolean> {
    const gaps = this.gaps();
    if (!gaps.length) return true;
    const words = this.counted(gaps.length, "gaps_one", "gaps_many");
    const goesOn = await confirm(root, this.say("gaps_title"), words, this.say("go_back"), this.say("continue_anyway"));
    if (!goesOn) this.goTo(gaps[0]!);
    return goesOn;
  }

  showFaults(faults: Record<string, Fault>, tell: (words: string) => void): void {
    const wrong = this.shown.filter(({ data }) => faults[data.id]);
    for (const { data } of this.shown) this.mark(data.id, faults[data.id] ?? null);
    const open = wrong.filter(({ data }) => faults[data.id]!.code === "required").length;
    const parts = [
      open && this.counted(open, "open_one", "open_many"),
      wrong.length > open && this.counted(wrong.length - open, "wrong_one", "wrong_many"),
    ];
    tell(parts.filter(Boolean).join(" "));
    if (wrong[0]) this.goTo(wrong[0]);
  }

  private counted(count: number, one: string, many: string): string {
    const words = this.say("count_words").split(" ");
    const number = words[count - 1] ?? String(count);
    return this.say(count === 1 ? one : many, { One: number, Many: number, one: number.toLowerCase(), many: number.toLowerCase() });
  }

  private goTo({ field, box }: Shown): void {
    box.scrollIntoView({ block: "center" });
    field.focusable.focus({ preventScroll: true });
  }

  private mark(id: string, fault: Fault | null): void {
    const found = this.shown.find(({ data }) => data.id === id);
    if (!found || (fault === null && found.message.hidden)) return;
    found.message.hidden = fault === null;
    found.message.textContent = fault?.words ?? "";
    found.box.classList.toggle("sa-at-fault", fault !== null);
    const marked = [found.field.focusable, ...found.box.querySelectorAll("[role=radiogroup], [role=group]")];
    for (const element of marked) {
      if (fault) element.setAttribute("aria-invalid", "true");
      else element.removeAttribute("aria-invalid");
    }
    if (found.data.kind !== "code") for (const element of marked) describe(element, found.message.id, fault !== null);
  }
}

/** Adds a text to those that describe an element, or takes it away. */
function describe(element: Element, id: string, wanted: boolean): void {
  const ids = (element.getAttribute("aria-describedby") ?? "").split(" ").filter((each) => each && each !== id);
  if (wanted) ids.push(id);
  if (ids.length) element.setAttribute("aria-describedby", ids.join(" "));
  else element.removeAttribute("aria-describedby");
}

function isAsked(field: FieldData): boolean {
  return field.kind !== "heading" && field.kind !== "text_block";
}

/**
 * A value as the draft on disk has it. An empty field says "" or [] where the server has nothing; but code that was
 * emptied is not the starter, and rows of a grid have no order.
 */
function comparable(field: FieldData, value: Value | undefined): Value {
  if (value === null || value === undefined) return null;
  if (field.kind !== "code" && (value === "" || (typeof value === "object" && !Object.keys(value).length))) return null;
  if (typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isBlank(value: Value | undefined): boolean {
  return value === null || value === undefined || (typeof value === "object" ? !Object.keys(value).length : typeof value === "string" && !value.trim());
}

function untouched(value: Value, starter: string | null | undefined): boolean {
  return !!starter && String(value).trim() === starter.trim();
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function selectedText(target: EventTarget | null): string {
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement) {
    return target.value.slice(target.selectionStart ?? 0, target.selectionEnd ?? 0);
  }
  return String(document.getSelection() ?? "");
}

function confirm(root: HTMLElement, title: string, words: string, back: string, on: string): Promise<boolean> {
  return new Promise((answer) => {
    const heading = newId();
    const close = (value: boolean) => {
      answer(value);
      dialog.close();
      dialog.remove();
    };
    const dialog = h("dialog", { class: "sa-dialog", "aria-labelledby": heading, oncancel: () => close(false) });
    const stay = h("button", { type: "button", class: "sa-primary", onclick: () => close(false) }, back);
    const leave = h("button", { type: "button", class: "sa-plain", "data-act": "anyway", onclick: () => close(true) }, on);
    dialog.append(h("h2", { id: heading }, title), h("p", {}, words), h("div", { class: "sa-dialog-bar" }, leave, stay));
    root.append(dialog);
    dialog.showModal();
    stay.focus();
  });
}
