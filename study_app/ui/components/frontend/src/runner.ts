// Run, its streamed output and the visible examples.
import { type Api, jsonLines, readAnswer, whyNot } from "./api";
import { type Announcer, h } from "./dom";
import { Examples } from "./examples";
import { Tabs } from "./tabs";
import { inPlaces, type Say } from "./texts";
import type { Check, LastRun, Line, RunEnd } from "./types";

const STOPPED_BY_LIMIT = new Set(["time", "cpu", "memory", "output", "infrastructure"]);
/** Ends after which no examples come any more. */
const UNCHECKED = new Set(["cancelled", "infrastructure"]);
/** A warning about the participant's own line, such as a coroutine that was never awaited. */
const WARNED = /^main\.py:(\d+): (\w*Warning): /;

export interface RunnerHooks {
  /** What is sent: the code, and up to which event of which page it contains the edits. */
  program: () => { code: string; page: string; seq: number };
  page: () => string;
  /** Why this program is not sent at all, or nothing. */
  tooLong: () => string;
  pressed: (what: "run_pressed" | "stop_pressed") => void;
  refused: (reason: string, body: Record<string, any>) => void;
  showLine: (line: number) => void;
  /** Marks the line that an error came from, or none. */
  markLine: (line: number | null, why: string) => void;
}

export class Runner {
  readonly runButton: HTMLButtonElement;
  readonly stopButton: HTMLButtonElement;
  readonly bar: HTMLElement;
  readonly output: HTMLElement;
  private readonly text = h("pre", { class: "sa-lines", "data-source": "output" });
  private readonly figures = h("div", { class: "sa-figures" });
  private readonly examples: Examples;
  private readonly status = h("div", { class: "sa-run-status" });
  private readonly box: HTMLElement;
  private readonly tabs: Tabs;
  private current: AbortController | null = null;
  private waiting: Line[] = [];
  private ended: (Node | string)[] | null = null;
  private warned: { line: number; why: string } | null = null;

  constructor(
    private readonly api: Api,
    private readonly say: Say,
    private readonly announcer: Announcer,
    private readonly hooks: RunnerHooks,
  ) {
    const run = () => void this.run();
    this.runButton = h("button", { type: "button", class: "sa-primary", "data-act": "run", onclick: run, "aria-keyshortcuts": "Control+Enter" });
    this.runButton.append(say("run"));
    this.stopButton = h("button", { type: "button", class: "sa-plain", hidden: true, onclick: () => this.stop() });
    this.stopButton.append(say("run_stop"));
    const hint = h("span", { class: "sa-hint", "aria-hidden": "true" }, say(isMac() ? "run_keys_mac" : "run_keys"));
    this.bar = h("div", { class: "sa-runbar" }, this.runButton, this.stopButton, hint, this.status);
    this.box = h("div", { class: "sa-scroll", tabindex: 0 }, this.text, this.figures);
    this.examples = new Examples(say);
    this.tabs = new Tabs([
      { id: "output", title: say("output"), label: say("output_panel"), body: this.box },
      { id: "examples", title: say("examples"), label: say("examples_panel"), body: this.examples.element },
    ]);
    this.output = h("section", { class: "sa-output", "aria-label": say("output") }, this.tabs.list, ...this.tabs.bodies);
    this.clear();
  }

  get outputText(): string {
    return this.text.textContent ?? "";
  }

  /** Another task: what was run before is of no interest. */
  open(): void {
    this.tabs.select("output");
  }

  /** What the last run of this task printed, when the page was left in between. */
  restore(last: LastRun | null): void {
    if (this.current) return;
    this.clear();
    if (!last) return;
    this.print(last.lines);
    this.draw(last.figures ?? []);
    if (last.checks?.length) this.showExamples(last.checks);
    if (last.end) this.finish(last.end, true);
  }

  lock(locked: boolean): void {
    this.runButton.disabled = locked;
  }

  async run(): Promise<void> {
    if (this.runButton.disabled) return;
    this.hooks.pressed("run_pressed");
    const tooLong = this.hooks.tooLong();
    if (tooLong) {
      this.clear();
      return this.fail(tooLong);
    }
    const mine = new AbortController();
    this.current = mine;
    this.clear();
    this.setRunning(true);
    this.tell(this.say("run_starting"));
    try {
      await this.follow(mine);
    } catch {
      if (this.current === mine) this.fail(this.say("run_unreachable"));
    }
    if (this.current !== mine) return;
    this.current = null;
    this.setRunning(false);
    this.settle();
  }

  private async follow(mine: AbortController): Promise<void> {
    const response = await this.api.stream("/api/runs", this.hooks.program(), mine.signal);
    if (response.status !== 200) {
      const answer = await readAnswer(response);
      const { body } = answer;
      if (this.current !== mine) return;
      if (body["reason"]) this.hooks.refused(body["reason"], body);
      return this.fail(whyNot(answer, this.say, this.say("run_unreachable")));
    }
    // A program that prints nothing is running all the same.
    this.tell(this.say("run_running"));
    for await (const message of jsonLines(response)) {
      if (this.current !== mine) return mine.abort();
      this.receive(message);
    }
    this.printWaiting();
    if (!this.ended && this.current === mine) this.fail(this.say("run_unreachable"));
  }

  private receive(message: Record<string, any>): void {
    if (message["type"] === "queued") {
      const ahead = Number(message["ahead"]);
      this.tell(ahead > 0 ? this.say("run_queued", { ahead }) : this.say("run_running"));
    } else if (message["type"] === "line") {
      this.tell(this.say("run_running"));
      this.waiting.push({ stream: message["stream"], text: message["text"] });
      if (this.waiting.length === 1) requestAnimationFrame(() => this.printWaiting());
    } else if (message["type"] === "end") {
      this.printWaiting();
      this.finish(message as RunEnd, false);
    } else if (message["type"] === "figures") {
      this.draw(message["figures"] as string[]);
    } else if (message["type"] === "examples") {
      this.showExamples(message["checks"] as Check[]);
      this.announcer.say(this.examples.summary);
    }
  }

  private stop(): void {
    this.hooks.pressed("stop_pressed");
    this.tell(this.say("run_stopping"));
    void this.api.post("/api/runs/stop", { page: this.hooks.page() });
  }

  private setRunning(running: boolean): void {
    if (!running && document.activeElement === this.stopButton) this.runButton.focus();
    this.stopButton.hidden = !running;
    this.output.setAttribute("aria-busy", String(running));
  }

  private tell(...words: (Node | string)[]): void {
    this.status.replaceChildren(...words);
  }

  /** The run is over, with or without examples. */
  private settle(): void {
    if (!this.ended) return;
    const { summary } = this.examples;
    if (!summary) this.showExamples(null);
    this.tell(...this.ended, ...(summary ? [` · ${summary}`] : []));
  }

  private clear(): void {
    this.waiting = [];
    this.ended = null;
    this.warned = null;
    this.text.replaceChildren(h("span", { class: "sa-empty" }, this.say("output_empty")));
    this.figures.replaceChildren();
    this.box.scrollTop = 0;
    this.tabs.forgetScroll();
    this.showExamples(null);
    this.hooks.markLine(null, "");
    this.tell();
  }

  private printWaiting(): void {
    const lines = this.waiting;
    this.waiting = [];
    this.print(lines);
  }

  /** What the program drew, below what it printed. */
  private draw(figures: string[]): void {
    const pictures = figures.map((png, place) =>
      h("img", { src: `data:image/png;base64,${png}`, alt: this.say("figure", { n: place + 1 }) }));
    if (pictures.length) this.text.querySelector(".sa-empty")?.remove();
    this.figures.replaceChildren(...pictures);
  }

  private print(lines: Line[]): void {
    if (!lines.length) return;
    this.text.querySelector(".sa-empty")?.remove();
    for (const { stream, text } of lines) {
      const whole = text.endsWith("\n") ? text : `${text}\n`;
      this.text.append(stream === "stderr" ? h("span", { class: "sa-stderr" }, whole) : whole);
      const warning = stream === "stderr" ? WARNED.exec(text) : null;
      if (warning) this.warned ??= { line: Number(warning[1]), why: warning[2]! };
    }
  }

  private finish(end: RunEnd, old: boolean): void {
    const seconds = inPlaces(end.wall_seconds ?? 0, 2);
    const key = STOPPED_BY_LIMIT.has(end.ended_by) ? `run_ended_${end.ended_by}` : `run_ended_${end.error_type ? "error" : end.ended_by}`;
    const line = end.error_type ? (end.error_line ?? (end.error_type === this.warned?.why ? this.warned.line : null)) : null;
    const summary = this.say(key, { seconds, error: end.error_type ?? "" });
    this.ended = [summary, ...(line ? [" ", this.lineButton(line)] : [])];
    if (line) this.hooks.markLine(line, end.error_type ?? "");
    if (end.message) this.note(end.message);
    if (!this.text.textContent || this.text.querySelector(".sa-empty")) {
      this.text.replaceChildren(h("span", { class: "sa-empty" }, this.say("output_nothing")));
    }
    if (end.error_type || end.message) this.showTrouble();
    if (old) return this.settle();
    this.announcer.say(`${summary} ${end.message}`.trim());
    // The examples are tried beside the program, so they may have come before its end.
    if (this.examples.summary) return this.settle();
    if (UNCHECKED.has(end.ended_by)) return this.tell(...this.ended);
    this.tell(...this.ended, ` · ${this.say("examples_checking")}`);
    this.examples.clear(this.say("examples_checking"));
  }

  private lineButton(line: number): HTMLElement {
    const label = this.say("error_line", { line });
    return h("button", { type: "button", class: "sa-link", onclick: () => this.hooks.showLine(line) }, label);
  }

  private note(message: string): void {
    this.text.querySelector(".sa-empty")?.remove();
    this.text.append(h("span", { class: "sa-note" }, `${message}\n`));
  }

  /** The first line of the error, and its last where both fit. */
  private showTrouble(): void {
    const parts = [...this.text.querySelectorAll<HTMLElement>(".sa-stderr, .sa-note")];
    const [first, last] = [parts[0], parts[parts.length - 1]];
    if (!first || !last) return;
    const room = this.box.clientHeight;
    const [top, bottom] = [first.offsetTop, last.offsetTop + last.offsetHeight + 8];
    if (bottom - this.box.scrollTop <= room) return;
    this.box.scrollTop = bottom - top <= room ? top : bottom - room;
  }

  private fail(message: string): void {
    this.tell();
    this.note(message);
    this.showTrouble();
    this.announcer.say(message);
  }

  private showExamples(checks: Check[] | null): void {
    if (checks) this.examples.show(checks);
    else this.examples.clear();
    const tab = this.tabs.tab("examples");
    tab.textContent = [this.say("examples"), this.examples.count].filter(Boolean).join(" ");
    tab.dataset["state"] = checks ? (this.examples.allPass ? "pass" : "fail") : "";
  }
}

function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}
