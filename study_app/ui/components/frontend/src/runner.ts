// Run, its streamed output and the visible examples.
import { type Api, jsonLines, readAnswer } from "./api";
import { type Announcer, h, StickyEnd } from "./dom";
import type { Say } from "./texts";
import type { Check, LastRun, Line, RunEnd } from "./types";

const STOPPED_BY_LIMIT = new Set(["time", "cpu", "memory", "output", "infrastructure"]);

export interface RunnerHooks {
  /** What is sent: the code, and up to which event of which page it contains the edits. */
  program: () => { code: string; page: string; seq: number };
  page: () => string;
  pressed: (what: "run_pressed" | "stop_pressed") => void;
  refused: (reason: string, body: Record<string, any>) => void;
  showLine: (line: number) => void;
}

export class Runner {
  readonly runButton: HTMLButtonElement;
  readonly stopButton: HTMLButtonElement;
  readonly bar: HTMLElement;
  readonly output: HTMLElement;
  private readonly text = h("pre", { class: "sa-lines", "data-source": "output" });
  private readonly checks = h("ul", { class: "sa-checks" });
  private readonly status = h("div", { class: "sa-run-status" });
  private readonly box: HTMLElement;
  private readonly end: StickyEnd;
  private current: AbortController | null = null;
  private waiting: Line[] = [];

  constructor(
    private readonly api: Api,
    private readonly say: Say,
    private readonly announcer: Announcer,
    private readonly hooks: RunnerHooks,
  ) {
    const run = () => void this.run();
    this.runButton = h("button", { type: "button", class: "sa-primary", onclick: run, "aria-keyshortcuts": "Control+Enter" });
    this.runButton.append(say("run"));
    this.stopButton = h("button", { type: "button", class: "sa-plain", hidden: true, onclick: () => this.stop() });
    this.stopButton.append(say("run_stop"));
    const hint = h("span", { class: "sa-hint", "aria-hidden": "true" }, say(isMac() ? "run_keys_mac" : "run_keys"));
    this.bar = h("div", { class: "sa-runbar" }, this.runButton, this.stopButton, hint, this.status);
    this.box = h("div", { class: "sa-scroll", tabindex: 0 }, this.text, this.checks);
    this.output = h("section", { class: "sa-output", "aria-label": say("output") }, h("h2", {}, say("output")), this.box);
    this.end = new StickyEnd(this.box);
    this.clear();
  }

  get outputText(): string {
    return this.text.textContent ?? "";
  }

  /** What the last run of this task printed, when the page was left in between. */
  restore(last: LastRun | null): void {
    if (this.current) return;
    this.clear();
    if (!last) return;
    this.print(last.lines);
    if (last.end) this.finish(last.end, true);
    if (last.checks) this.showChecks(last.checks);
  }

  lock(locked: boolean): void {
    this.runButton.disabled = locked;
  }

  async run(): Promise<void> {
    if (this.runButton.disabled) return;
    this.hooks.pressed("run_pressed");
    const mine = new AbortController();
    this.current = mine;
    this.clear();
    this.setRunning(true);
    this.status.textContent = this.say("run_starting");
    try {
      await this.follow(mine);
    } catch {
      if (this.current === mine) this.fail(this.say("run_unreachable"));
    }
    if (this.current !== mine) return;
    this.current = null;
    this.setRunning(false);
  }

  private async follow(mine: AbortController): Promise<void> {
    const response = await this.api.stream("/api/runs", this.hooks.program(), mine.signal);
    if (response.status !== 200) {
      const { body } = await readAnswer(response);
      if (this.current !== mine) return;
      if (body["reason"]) this.hooks.refused(body["reason"], body);
      return this.fail(body["error"] ?? this.say("run_unreachable"));
    }
    let ended = false;
    for await (const message of jsonLines(response)) {
      if (this.current !== mine) return mine.abort();
      ended ||= message["type"] === "end";
      this.receive(message);
    }
    this.printWaiting();
    if (!ended && this.current === mine) this.fail(this.say("run_unreachable"));
  }

  private receive(message: Record<string, any>): void {
    if (message["type"] === "queued") {
      const ahead = Number(message["ahead"]);
      this.status.textContent = ahead > 0 ? this.say("run_queued", { ahead }) : this.say("run_running");
    } else if (message["type"] === "line") {
      this.status.textContent = this.say("run_running");
      this.waiting.push({ stream: message["stream"], text: message["text"] });
      if (this.waiting.length === 1) requestAnimationFrame(() => this.printWaiting());
    } else if (message["type"] === "end") {
      this.printWaiting();
      this.finish(message as RunEnd, false);
    } else if (message["type"] === "examples") {
      this.showChecks(message["checks"] as Check[]);
    }
  }

  private stop(): void {
    this.hooks.pressed("stop_pressed");
    this.status.textContent = this.say("run_stopping");
    void this.api.post("/api/runs/stop", { page: this.hooks.page() });
  }

  private setRunning(running: boolean): void {
    if (!running && document.activeElement === this.stopButton) this.runButton.focus();
    this.stopButton.hidden = !running;
    this.output.setAttribute("aria-busy", String(running));
  }

  private clear(): void {
    this.waiting = [];
    this.text.replaceChildren(h("span", { class: "sa-empty" }, this.say("output_empty")));
    this.checks.replaceChildren();
    this.status.textContent = "";
  }

  private printWaiting(): void {
    const lines = this.waiting;
    this.waiting = [];
    this.print(lines);
  }

  private print(lines: Line[]): void {
    if (!lines.length) return;
    this.text.querySelector(".sa-empty")?.remove();
    for (const { stream, text } of lines) {
      const whole = text.endsWith("\n") ? text : `${text}\n`;
      this.text.append(stream === "stderr" ? h("span", { class: "sa-stderr" }, whole) : whole);
    }
    this.end.follow();
  }

  private finish(end: RunEnd, old: boolean): void {
    const seconds = (end.wall_seconds ?? 0).toFixed(2);
    const key = STOPPED_BY_LIMIT.has(end.ended_by) ? `run_ended_${end.ended_by}` : `run_ended_${end.error_type ? "error" : end.ended_by}`;
    const line = end.error_type && end.error_line ? this.lineButton(end.error_line) : null;
    const summary = this.say(key, { seconds, error: end.error_type ?? "" });
    this.status.replaceChildren(summary, ...(line ? [" ", line] : []));
    if (end.message) this.note(end.message);
    if (!this.text.textContent || this.text.querySelector(".sa-empty")) {
      this.text.replaceChildren(h("span", { class: "sa-empty" }, this.say("output_nothing")));
    }
    if (!old) this.announcer.say(`${summary} ${end.message}`.trim());
  }

  private lineButton(line: number): HTMLElement {
    const label = this.say("error_line", { line });
    return h("button", { type: "button", class: "sa-link", onclick: () => this.hooks.showLine(line) }, label);
  }

  private note(message: string): void {
    this.text.querySelector(".sa-empty")?.remove();
    this.text.append(h("span", { class: "sa-note" }, `${message}\n`));
    this.end.follow();
  }

  private fail(message: string): void {
    this.status.textContent = "";
    this.note(message);
    this.announcer.say(message);
  }

  private showChecks(checks: Check[]): void {
    this.checks.replaceChildren(...checks.map((check) => checkItem(check, this.say)));
    this.end.follow();
  }
}

export function checkItem(check: Check, say: Say): HTMLElement {
  const item = h("li", { class: check.passed ? "sa-pass" : "sa-fail" });
  item.append(h("span", { class: "sa-mark" }, say(check.passed ? "check_passed" : "check_failed")));
  item.append(h("span", { class: "sa-check-name" }, check.name));
  if (check.message) item.append(h("span", { class: "sa-check-message" }, check.message));
  return item;
}

function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}
