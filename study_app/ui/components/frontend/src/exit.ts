// `This cannot be done as described`: a way out of every task, with a reason in the participant's own words.
import { type Answer, whyNot } from "./api";
import { h } from "./dom";
import type { Kept } from "./kept";
import type { Say } from "./texts";

const LONGEST = 2000;

export interface ExitHooks {
  /** Logs the press, sends all events, asks the server. */
  send: (reason: string) => Promise<Answer>;
  accepted: () => void;
  refused: (reason: string, body: Record<string, any>) => void;
}

export class HonestExit {
  readonly button: HTMLButtonElement;
  private readonly reason = h("textarea", { class: "sa-reason", rows: 5, maxlength: LONGEST, "data-field": "impossible" });
  private readonly words = h("p", { class: "sa-warn", role: "alert" });
  private readonly end: HTMLButtonElement;
  private readonly dialog: HTMLDialogElement;
  private task = "";
  private busy = false;

  constructor(
    root: HTMLElement,
    private readonly kept: Kept,
    private readonly say: Say,
    private readonly hooks: ExitHooks,
  ) {
    this.button = h("button", { type: "button", class: "sa-quiet sa-exit", "data-act": "cannot", onclick: () => this.open() }, say("cannot"));
    this.end = h("button", { type: "button", class: "sa-plain", "data-act": "cannot-confirm", onclick: () => void this.confirm() }, say("cannot_confirm"));
    const back = h("button", { type: "button", class: "sa-primary", onclick: () => this.dialog.close() }, say("keep_working"));
    this.dialog = h(
      "dialog",
      { class: "sa-dialog", "aria-label": say("cannot") },
      h("h2", {}, say("cannot")),
      h("p", {}, say("cannot_body")),
      h("label", { class: "sa-reason-label" }, say("cannot_reason"), this.reason),
      this.words,
      h("div", { class: "sa-dialog-bar" }, this.end, back),
    );
    this.reason.addEventListener("input", () => {
      this.words.textContent = "";
      this.kept.set(this.key, this.reason.value);
    });
    root.append(this.dialog);
  }

  /** Another task: its own draft, and nothing open. */
  show(task: string): void {
    this.task = task;
    this.dialog.close();
    this.reason.value = this.kept.get(this.key);
    this.words.textContent = "";
  }

  lock(locked: boolean): void {
    this.button.disabled = locked;
    if (locked) this.dialog.close();
  }

  private get key(): string {
    return `cannot:${this.task}`;
  }

  private open(): void {
    if (this.dialog.open) return;
    this.words.textContent = "";
    this.dialog.showModal();
    this.reason.focus();
  }

  private async confirm(): Promise<void> {
    const reason = this.reason.value.trim();
    if (!reason) {
      this.words.textContent = this.say("cannot_missing");
      this.reason.focus();
      return;
    }
    if (this.busy) return;
    this.setBusy(true);
    const answer = await this.hooks.send(reason);
    const { status, body } = answer;
    this.setBusy(false);
    if (status === 200 && body["accepted"]) {
      this.kept.set(this.key, "");
      this.dialog.close();
      this.hooks.accepted();
    } else if (status === 409 && body["reason"]) this.hooks.refused(body["reason"], body);
    else this.words.textContent = whyNot(answer, this.say, this.say("submit_unreachable"));
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.end.disabled = busy;
  }
}
