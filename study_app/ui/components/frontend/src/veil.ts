// What is said over the room when nothing more can be written in it.
import { type Announcer, h } from "./dom";
import type { Say } from "./texts";

export type Lock = "superseded" | "identity" | "submitted" | "stage" | "deadline" | "probe";

/** The most final reason is the one that is said; a probe has its own card. */
const ORDER: Lock[] = ["superseded", "identity", "submitted", "stage", "deadline"];
const RELOADABLE = new Set<Lock>(["superseded", "identity"]);

export class Veil {
  readonly element = h("div", { class: "sa-veil", hidden: true });
  private shown: Lock | null = null;

  constructor(
    private readonly covered: HTMLElement,
    private readonly say: Say,
    private readonly announcer: Announcer,
  ) {}

  show(locks: ReadonlySet<Lock>): void {
    const lock = ORDER.find((each) => locks.has(each)) ?? null;
    this.element.hidden = lock === null;
    this.covered.inert = locks.size > 0;
    if (lock && lock !== this.shown) this.write(lock);
    this.shown = lock;
  }

  /** Says what became of the work, and waits for a press; what waits goes on by itself after a while. */
  card(text: string, button: string, go: () => void): void {
    const on = h("button", { type: "button", class: "sa-primary", onclick: go }, button);
    this.element.replaceChildren(h("div", { class: "sa-card" }, h("p", {}, text), on));
    on.focus();
    this.announcer.say(text);
  }

  private write(lock: Lock): void {
    const text = this.say(`veil_${lock}`);
    const reload = h("button", { type: "button", class: "sa-plain", onclick: () => location.reload() });
    reload.append(this.say("use_this_window"));
    this.element.replaceChildren(h("div", { class: "sa-card" }, h("p", {}, text), RELOADABLE.has(lock) && reload));
    if (RELOADABLE.has(lock)) reload.focus();
    this.announcer.say(text);
  }
}
