// An assistant that acts: the step that waits for the participant, in one fixed place, and the steps before it.
import type { ServerClock } from "./clock";
import { type Announcer, h, isSendKey } from "./dom";
import type { Kept } from "./kept";
import { blocksOf, drawBlock } from "./markdown";
import { clockFace, type Say } from "./texts";
import type { AgentAction, AgentFrame } from "./types";

/** Lines of a change that are shown; a longer one is scrolled within its box. */
const CONTEXT_LINES = 400;

/** Boxes of a step. */
const BOXES = ["answer", "why", "edit"] as const;

/** The name of what is kept of one. */
function nameOf(actionId: string, box: (typeof BOXES)[number]): string {
  return `agent:${actionId}:${box}`;
}

export interface AgentHooks {
  /** Puts a change into the editor, as one edit of this step; false where the program is another by now. */
  apply: (action: AgentAction, insert: string) => boolean;
  /** Whether the program still is the one that a change was made for. */
  fits: (action: AgentAction) => boolean;
  /** A paste or drop into the proposal that is edited first; false: it may not go in. */
  incoming: (text: string, how: "paste" | "drop") => boolean;
  /** A paste into the answer to a question, or into why a step is rejected. */
  pasted: (text: string) => void;
  log: (kind: string, payload: Record<string, unknown>) => void;
  flush: () => void;
  stop: () => void;
}

/** What a sentence on a step is about: its tool, or of an edit one line alone. */
function place(action: AgentAction, lines: string): string {
  return action.tool === "edit" && /^\d+$/.test(lines) ? "line" : action.tool;
}

/** The steps of one turn, as a list of short lines. */
export class StepList {
  readonly element = h("ol", { class: "sa-steps", hidden: true });
  private readonly rows = new Map<string, HTMLLIElement>();

  constructor(private readonly say: Say) {}

  show(action: AgentAction, lines: string): void {
    this.element.hidden = false;
    let row = this.rows.get(action.action_id);
    if (!row) {
      row = h("li", { "data-source": "reply", "data-turn": action.turn_id });
      this.rows.set(action.action_id, row);
      this.element.append(row);
    }
    // `agent_reject` is the button.
    const word = action.decision === "reject" ? "rejected" : action.decision;
    const state = word ? this.say(`agent_${word}`) : "";
    row.dataset["decision"] = action.decision ?? "";
    row.replaceChildren(
      h("span", {}, this.say(`agent_did_${place(action, lines)}`, { lines })),
      state && h("span", { class: "sa-step-state" }, state),
      ...(action.tool === "report" ? inMarkdown(action.input["summary"] ?? "") : []),
    );
  }
}

export class AgentDock {
  readonly element: HTMLElement;
  private readonly status = h("span", { class: "sa-agent-clock" });
  private readonly card = h("div", { class: "sa-agent-card", role: "group", hidden: true, "data-source": "reply" });
  private readonly mode: HTMLLabelElement;
  private readonly free = h("input", { type: "checkbox", "data-act": "without-asking" });
  private switched = false;
  private pending: AgentAction | null = null;
  private began: number | null = null;
  private editing: HTMLTextAreaElement | null = null;
  private readonly onKeys = (event: KeyboardEvent) => this.keys(event);

  constructor(
    private readonly say: Say,
    private readonly clock: ServerClock,
    private readonly announcer: Announcer,
    private readonly kept: Kept,
    private readonly hooks: AgentHooks,
    offersMode: boolean,
  ) {
    this.free.addEventListener("change", () => {
      this.switched = true;
      this.hooks.log("agent_switched", { without_asking: this.free.checked });
      this.hooks.flush();
    });
    this.mode = h("label", { class: "sa-agent-mode", hidden: !offersMode }, this.free, say("agent_without_asking"));
    this.element = h("section", { class: "sa-agent", "aria-label": say("agent_steps") }, this.mode, this.card, this.status);
    // On the way down: the page's components keep their keys from the rest of the page, and so from this window.
    window.addEventListener("keydown", this.onKeys, { capture: true });
  }

  /** The step that waits for the participant. */
  get open(): AgentAction | null {
    return this.pending;
  }

  /**
   * As the server goes by it, over reloads and tasks. What was switched here may still be on its way there; at another
   * stage, which may have another treatment, it is the server's word alone.
   */
  showMode(withoutAsking: boolean, anew: boolean): void {
    if (anew) this.switched = false;
    if (!this.switched) this.free.checked = withoutAsking;
  }

  begin(): void {
    this.began = this.clock.now();
    this.tick();
  }

  end(): void {
    this.began = null;
    this.settle();
    this.tick();
  }

  /** Time since the turn began, in a place that is always there, so that nothing moves. */
  tick(): void {
    const seconds = this.began === null ? null : (this.clock.now() - this.began) / 1000;
    this.status.textContent = seconds === null ? "" : this.say("agent_elapsed", { time: clockFace(Math.floor(seconds)) });
  }

  take(action: AgentAction): void {
    if (action.decision || action.action_id === this.pending?.action_id) return;
    if (!action.waits) {
      if (action.tool === "edit" && this.hooks.apply(action, action.input["new"] ?? "")) this.hooks.flush();
      else if (action.tool === "edit") this.hooks.flush();
      return;
    }
    // Made for a program that this page has changed since: the server hears of it, and the assistant looks again.
    if (action.tool === "edit" && !this.hooks.fits(action)) return this.hooks.flush();
    this.pending = action;
    this.draw(action);
    this.announcer.say(this.card.getAttribute("aria-label") ?? "");
  }

  decided(frame: { action_id: string }): void {
    if (frame.action_id !== this.pending?.action_id) return;
    this.forget(this.pending);
    this.settle();
  }

  /** The program changed by the participant's own hand: what was proposed for the one before is not offered any more. */
  programChanged(): void {
    if (!this.pending || this.pending.tool === "ask") return;
    if (this.pending.tool === "edit" && this.hooks.fits(this.pending)) return;
    this.forget(this.pending);
    this.settle(this.say("agent_stale"));
    this.hooks.flush();
  }

  private forget({ action_id }: AgentAction): void {
    for (const box of BOXES) this.kept.set(nameOf(action_id, box), "");
  }

  private settle(note = ""): void {
    const hadFocus = this.card.contains(document.activeElement);
    this.pending = null;
    this.editing = null;
    this.card.hidden = !note;
    this.card.replaceChildren(note);
    if (hadFocus) this.element.closest<HTMLElement>(".sa-chat")?.querySelector("textarea")?.focus();
  }

  private draw(action: AgentAction): void {
    const lines = this.lines(action);
    const title = this.say(`agent_wants_${place(action, lines)}`, { lines });
    const body = action.tool === "edit" ? this.diff(action) : action.tool === "ask" ? this.question(action) : null;
    const buttons = action.tool === "ask" ? [this.button("answer", () => this.answer())] : this.choices(action);
    const why = action.tool === "ask" ? null : h("input", { type: "text", class: "sa-agent-why", maxlength: 500, "aria-label": this.say("agent_why"), placeholder: this.say("agent_why") });
    const hint = h("p", { class: "sa-hint" }, this.say(action.tool === "edit" ? "agent_keys" : "agent_keys_short"));
    this.card.hidden = false;
    this.card.setAttribute("aria-label", title);
    if (why) {
      why.value = this.kept.box(nameOf(action.action_id, "why"), why);
      why.addEventListener("paste", (event) => this.hooks.pasted(event.clipboardData?.getData("text/plain") ?? ""));
    }
    this.card.dataset["turn"] = action.turn_id;
    this.card.replaceChildren(h("h3", {}, title), ...(body ? [body] : []), h("div", { class: "sa-agent-bar" }, ...buttons), ...(why ? [why] : []), ...(action.tool === "ask" ? [] : [hint]));
    if (action.tool === "edit" && this.kept.get(nameOf(action.action_id, "edit"))) this.edit(false);
  }

  lines({ line: from, input }: AgentAction): string {
    if (from === null) return "";
    const old = input["old"] ?? "";
    const last = from + Math.max(0, old.replace(/\n$/, "").split("\n").length - 1);
    return from === last ? String(from) : `${from}\u2013${last}`;
  }

  private choices(action: AgentAction): HTMLButtonElement[] {
    const edit = action.tool === "edit";
    return [
      this.button("apply", () => this.apply(), true),
      this.button("reject", () => this.reject()),
      ...(edit ? [this.button("edit_apply", () => this.edit())] : []),
    ];
  }

  private button(name: string, act: () => void, primary = false): HTMLButtonElement {
    const attributes = { type: "button", class: primary ? "sa-primary" : "sa-plain", "data-act": `agent-${name}`, onclick: act };
    return h("button", attributes, this.say(`agent_${name}`));
  }

  private diff(action: AgentAction): HTMLElement {
    const box = h("pre", { class: "sa-diff", tabindex: 0 });
    for (const { sign, text } of lineDiff(action.input["old"] ?? "", action.input["new"] ?? "").slice(0, CONTEXT_LINES)) {
      const kind = sign === "+" ? "sa-added" : sign === "-" ? "sa-removed" : "sa-same";
      // The sign is not selected with the line, so that what is copied is code.
      box.append(h("span", { class: kind }, h("span", { class: "sa-sign" }, `${sign} `), `${text}\n`));
    }
    return box;
  }

  private question(action: AgentAction): HTMLElement {
    const area = h("textarea", { rows: 2, maxlength: 4000, "aria-label": this.say("agent_answer_box") });
    area.addEventListener("keydown", (event) => {
      if (!isSendKey(event)) return;
      event.preventDefault();
      this.answer();
    });
    area.value = this.kept.box(nameOf(action.action_id, "answer"), area);
    area.addEventListener("paste", (event) => this.hooks.pasted(event.clipboardData?.getData("text/plain") ?? ""));
    this.editing = area;
    return h("div", {}, ...inMarkdown(action.input["question"] ?? ""), area);
  }

  private answer(): void {
    const words = this.editing?.value.trim() ?? "";
    if (this.pending && words) this.say_("answered", words);
  }

  private apply(): void {
    const action = this.pending;
    if (!action) return;
    if (action.tool !== "edit") return this.say_("approve");
    const insert = this.editing ? this.editing.value : (action.input["new"] ?? "");
    const done = this.hooks.apply(action, insert);
    // Too long for the editor, which says so: the step stays open.
    if (!done && this.hooks.fits(action)) return;
    this.forget(action);
    this.settle(done ? "" : this.say("agent_stale"));
    this.hooks.flush();
  }

  private reject(): void {
    const why = this.card.querySelector<HTMLInputElement>(".sa-agent-why")?.value.trim();
    if (this.pending) this.say_("reject", why || undefined);
  }

  private edit(focused = true): void {
    const action = this.pending;
    if (!action || this.editing) return;
    const area = h("textarea", { class: "sa-agent-edit", spellcheck: "false", "aria-label": this.say("agent_edit_box") });
    area.value = this.kept.box(nameOf(action.action_id, "edit"), area) || (action.input["new"] ?? "");
    area.addEventListener("paste", (event) => this.incoming(event, event.clipboardData, "paste"));
    area.addEventListener("drop", (event) => this.incoming(event, event.dataTransfer, "drop"));
    area.rows = Math.min(14, area.value.split("\n").length + 1);
    this.card.querySelector(".sa-diff")?.replaceWith(area);
    this.card.querySelector('[data-act="agent-edit_apply"]')?.remove();
    this.editing = area;
    if (focused) area.focus();
  }

  private incoming(event: Event, data: DataTransfer | null, how: "paste" | "drop"): void {
    const text = data?.getData("text/plain") ?? "";
    if (text && !this.hooks.incoming(text, how)) event.preventDefault();
  }

  private say_(decision: string, words?: string): void {
    const action = this.pending!;
    this.forget(action);
    this.hooks.log("agent_answered", { action_id: action.action_id, decision, ...(words === undefined ? {} : { words }) });
    this.settle();
    this.hooks.flush();
  }

  /** Not with Alt: on many keyboards Ctrl+Alt and a digit is AltGr, and writes a character. */
  private keys(event: KeyboardEvent): void {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return;
    const acts: Record<string, () => void> = {
      Digit1: () => this.pending && this.pending.tool !== "ask" && this.apply(),
      Digit2: () => this.pending && this.pending.tool !== "ask" && this.reject(),
      Digit3: () => this.pending?.tool === "edit" && this.edit(),
      Digit4: () => this.began !== null && this.hooks.stop(),
    };
    const act = acts[event.code];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    // A key that is held down decides once, and not on the next step as well.
    if (!event.repeat) act();
  }

  destroy(): void {
    window.removeEventListener("keydown", this.onKeys, { capture: true });
  }
}

/** What the assistant says within a step. */
function inMarkdown(text: string): Node[] {
  return blocksOf(text).flatMap((block) => drawBlock(block, (source) => h("pre", {}, h("code", {}, source))));
}

/** The lines of both texts in order: kept, taken away, added; by the longest common run of lines. */
export function lineDiff(before: string, after: string): { sign: " " | "-" | "+"; text: string }[] {
  const [a, b] = [before.replace(/\n$/, "").split("\n"), after.replace(/\n$/, "").split("\n")];
  if (a.length * b.length > 4_000_000) {
    return [...a.map((text) => ({ sign: "-" as const, text })), ...b.map((text) => ({ sign: "+" as const, text }))];
  }
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] = a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  const found: { sign: " " | "-" | "+"; text: string }[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) found.push({ sign: " ", text: a[i++]! }) && j++;
    else if (i < a.length && (j >= b.length || lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) found.push({ sign: "-", text: a[i++]! });
    else found.push({ sign: "+", text: b[j++]! });
  }
  return found;
}

/** Splits a streamed reply into its words and its steps; a step that is not whole yet is left for later. */
export function splitFrames(text: string, mark: string): { words: string; frames: AgentFrame[]; failure: string | null } {
  const parts = text.split(mark);
  const frames: AgentFrame[] = [];
  let words = parts[0]!;
  let failure: string | null = null;
  for (let at = 1; at < parts.length; at += 2) {
    const whole = at + 1 < parts.length;
    if (!whole) failure = parts[at]!;
    else frames.push(JSON.parse(parts[at]!) as AgentFrame);
    words += parts[at + 1] ?? "";
  }
  return { words, frames, failure };
}
