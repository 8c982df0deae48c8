// Submitting a task: everything sent first, a question where an example fails, and no second click in between.
import { type Answer, whyNot } from "./api";
import { h } from "./dom";
import { examplesOf } from "./examples";
import { ask } from "./side";
import type { Say } from "./texts";
import type { Check } from "./types";

export interface SubmitHooks {
  /** Logs the press, sends all events, asks the server. */
  send: (confirm: boolean) => Promise<Answer>;
  accepted: () => void;
  refused: (reason: string, body: Record<string, any>) => void;
  failed: (why: string) => void;
}

export class Submission {
  readonly button: HTMLButtonElement;
  private busy = false;
  private locked = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly say: Say,
    private readonly hooks: SubmitHooks,
  ) {
    this.button = h("button", { type: "button", class: "sa-outline", "data-act": "submit", onclick: () => void this.submit(false) }, say("submit"));
  }

  lock(locked: boolean): void {
    this.locked = locked;
    this.button.disabled = locked || this.busy;
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.button.disabled = busy || this.locked;
    this.button.textContent = this.say(busy ? "submitting" : "submit");
  }

  private async submit(confirm: boolean): Promise<void> {
    if (this.busy || this.locked) return;
    this.setBusy(true);
    const answer = await this.hooks.send(confirm);
    const { status, body } = answer;
    this.setBusy(false);
    if (status === 200 && body["accepted"]) this.hooks.accepted();
    else if (status === 200 && body["checks"]) await this.warn(body["checks"]);
    else if (status === 409 && body["reason"]) this.hooks.refused(body["reason"], body);
    else this.hooks.failed(whyNot(answer, this.say, this.say("submit_unreachable")));
  }

  private async warn(checks: Check[]): Promise<void> {
    const words = h("p", {}, this.say("examples_fail"));
    const title = this.say("examples_fail_title");
    if (await ask(this.root, this.say, title, [words, ...examplesOf(checks, this.say)], this.say("submit_anyway"))) await this.submit(true);
    else this.button.focus();
  }
}
