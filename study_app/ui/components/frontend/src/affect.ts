// A probe of affect: a card over the room with a grid and a slider. It asks the server whether one is due, and stays as
// long as the server says; the clock stands still meanwhile, which the server decides, too.
import type { Answer, Api } from "./api";
import { h } from "./dom";
import type { Say } from "./texts";
import type { ProbesData, ServerState } from "./types";

const SIZE = 9;
const ASK_AGAIN_MS = 2000;
const TICK_MS = 500;

export interface ProbeHooks {
  page: () => string;
  /** Milliseconds left on the clock; null where none runs. */
  left: () => number | null;
  /** Nothing else covers the room, and people can see it. */
  free: () => boolean;
  /** Sends what was typed so far. */
  settled: () => Promise<unknown>;
  heard: (state: ServerState) => void;
  refused: (reason: string, body: ServerState) => void;
  /** The room is the card's, or the participant's again. */
  covers: (on: boolean) => void;
}

export class Probes {
  readonly element = h("div", { class: "sa-probe-cover", hidden: true });
  private due: number[] = [];
  private card: ProbeCard | null = null;
  private asking = false;
  private askAt = 0;
  private endTimer = 0;
  private open = false;
  private readonly timer = window.setInterval(() => void this.look(), TICK_MS);

  constructor(
    private readonly api: Api,
    private readonly say: Say,
    private readonly hooks: ProbeHooks,
  ) {}

  get shown(): boolean {
    return this.card !== null;
  }

  /** What the script knows: when probes are due, and whether one was on when the page was left. */
  plan(data: ProbesData | null): void {
    this.due = data?.due_ms ?? [];
    this.open = data?.open ?? false;
  }

  private async look(): Promise<void> {
    const left = this.hooks.left();
    const ready = this.open || (left !== null && left > 0 && this.due.some((each) => left <= each));
    if (!ready || this.card || this.asking || Date.now() < this.askAt || !this.hooks.free()) return;
    this.asking = true;
    await this.hooks.settled();
    const answer = await this.api.post("/api/probes", { act: "show", page: this.hooks.page() });
    this.asking = false;
    this.askAt = Date.now() + ASK_AGAIN_MS;
    if (answer.status === 409) this.hooks.refused(String(answer.body["reason"] ?? "stage"), answer.body);
    if (answer.status !== 200) return;
    this.open = false;
    this.take(answer);
  }

  private take({ body }: Answer): void {
    this.due = (body["due_ms"] as number[] | undefined) ?? [];
    const probe = body["probe"] as { minute: number; left_ms: number } | null | undefined;
    // First the room, so that the clock is seen to stand where it was.
    if (probe && !this.card) this.show(probe.minute, probe.left_ms);
    this.hooks.heard(body);
    if (!probe) this.close();
  }

  private show(minute: number, leftMs: number): void {
    this.card = new ProbeCard(this.say, {
      done: (values) => void this.send({ act: "answer", minute, ...values }),
      skip: () => void this.send({ act: "skip", minute }),
    });
    this.element.replaceChildren(this.card.element);
    this.element.hidden = false;
    this.hooks.covers(true);
    this.card.begin();
    this.endTimer = window.setTimeout(() => this.lapse(), leftMs);
  }

  private async send(body: Record<string, unknown>): Promise<void> {
    const card = this.card;
    if (!card) return;
    card.busy(true);
    const answer = await this.api.post("/api/probes", { page: this.hooks.page(), ...body });
    if (this.card !== card) return;
    card.busy(false);
    if (answer.status === 200) this.take(answer);
    else if (answer.status === 409) this.hooks.refused(String(answer.body["reason"] ?? "stage"), answer.body);
    else card.warn(this.say("probe_unreachable"));
  }

  /** Its time is over: it goes, and the clock runs on. */
  private lapse(): void {
    this.close();
    this.askAt = Date.now() + ASK_AGAIN_MS;
  }

  /** Takes the card away, whatever became of it. */
  close(): void {
    clearTimeout(this.endTimer);
    if (!this.card) return;
    this.card = null;
    this.element.hidden = true;
    this.element.replaceChildren();
    this.hooks.covers(false);
  }

  destroy(): void {
    clearInterval(this.timer);
    clearTimeout(this.endTimer);
  }
}

interface Values {
  valence?: number;
  arousal?: number;
  calm_desperate?: number;
}

class ProbeCard {
  readonly element: HTMLElement;
  private readonly heading: HTMLElement;
  private readonly cells: HTMLElement[][] = [];
  private readonly slider: HTMLInputElement;
  private readonly words = h("p", { class: "sa-warn", role: "alert" });
  private readonly buttons: HTMLButtonElement[];
  /** Column and row of the grid's cell that the keyboard is on; rows from the top. */
  private at: [number, number] = [4, 4];
  private values: Values = {};

  constructor(
    private readonly say: Say,
    private readonly on: { done: (values: Values) => void; skip: () => void },
  ) {
    this.heading = h("h2", { id: "sa-probe-title", tabindex: -1 }, say("probe_title"));
    this.slider = this.makeSlider();
    const skip = h("button", { type: "button", class: "sa-quiet", "data-act": "probe-skip", onclick: () => on.skip() }, say("probe_skip"));
    const done = h("button", { type: "button", class: "sa-primary", "data-act": "probe-done", onclick: () => this.finish() }, say("probe_done"));
    this.buttons = [skip, done];
    this.element = h(
      "div",
      { class: "sa-probe", role: "dialog", "aria-labelledby": "sa-probe-title", "aria-describedby": "sa-probe-stopped" },
      this.heading,
      h("p", { class: "sa-probe-stopped", id: "sa-probe-stopped" }, say("probe_stopped")),
      this.makeField(),
      h("div", { class: "sa-probe-line" }, h("span", { "aria-hidden": "true" }, say("probe_calm")), this.slider, h("span", { "aria-hidden": "true" }, say("probe_desperate"))),
      this.words,
      h("div", { class: "sa-probe-bar" }, skip, done),
    );
  }

  begin(): void {
    // Not a control: what is being typed must not answer.
    this.heading.focus();
  }

  busy(busy: boolean): void {
    for (const button of this.buttons) button.disabled = busy;
  }

  warn(text: string): void {
    this.words.textContent = text;
  }

  private finish(): void {
    const { valence, calm_desperate } = this.values;
    if (valence === undefined || calm_desperate === undefined) return this.warn(this.say("probe_missing"));
    this.on.done(this.values);
  }

  private makeField(): HTMLElement {
    const grid = h("div", { class: "sa-probe-grid", role: "grid", "aria-label": this.say("probe_grid"), "aria-describedby": "sa-probe-help" });
    for (let row = 0; row < SIZE; row++) {
      const line = h("div", { role: "row" });
      this.cells.push([]);
      for (let column = 0; column < SIZE; column++) {
        const label = this.say("probe_cell", { valence: column + 1, arousal: SIZE - row });
        const cell = h("div", { role: "gridcell", tabindex: -1, "aria-label": label, "aria-selected": "false", onclick: () => this.choose(column, row) });
        this.cells[row]!.push(cell);
        line.append(cell);
      }
      grid.append(line);
    }
    this.cell().tabIndex = 0;
    grid.addEventListener("keydown", (event) => this.steer(event));
    return h(
      "div",
      { class: "sa-probe-field" },
      h("span", { class: "sa-probe-top", "aria-hidden": "true" }, this.say("probe_high")),
      h("span", { class: "sa-probe-left", "aria-hidden": "true" }, this.say("probe_unpleasant")),
      grid,
      h("span", { class: "sa-probe-right", "aria-hidden": "true" }, this.say("probe_pleasant")),
      h("span", { class: "sa-probe-bottom", "aria-hidden": "true" }, this.say("probe_low")),
      h("p", { class: "sa-probe-help", id: "sa-probe-help" }, this.say("probe_grid_help")),
    );
  }

  private cell(): HTMLElement {
    return this.cells[this.at[1]]![this.at[0]]!;
  }

  private moveTo(column: number, row: number): void {
    this.cell().tabIndex = -1;
    this.at = [Math.min(Math.max(column, 0), SIZE - 1), Math.min(Math.max(row, 0), SIZE - 1)];
    this.cell().tabIndex = 0;
    this.cell().focus();
  }

  private choose(column: number, row: number): void {
    this.moveTo(column, row);
    for (const cell of this.cells.flat()) cell.setAttribute("aria-selected", String(cell === this.cell()));
    this.values = { ...this.values, valence: column + 1, arousal: SIZE - row };
    this.warn("");
  }

  private steer(event: KeyboardEvent): void {
    const [column, row] = this.at;
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [column - 1, row],
      ArrowRight: [column + 1, row],
      ArrowUp: [column, row - 1],
      ArrowDown: [column, row + 1],
      Home: [0, row],
      End: [SIZE - 1, row],
    };
    const to = steps[event.key];
    if (to) this.moveTo(...to);
    else if (event.key === "Enter" || event.key === " ") this.choose(column, row);
    else return;
    event.preventDefault();
  }

  private makeSlider(): HTMLInputElement {
    const slider = h("input", { type: "range", min: 0, max: 100, step: 1, "aria-label": this.say("probe_slider"), "aria-valuetext": this.say("probe_unset"), "data-unset": true });
    slider.value = "50";
    const set = () => {
      slider.removeAttribute("data-unset");
      slider.setAttribute("aria-valuetext", this.say("probe_at", { value: slider.value }));
      this.values = { ...this.values, calm_desperate: Number(slider.value) };
      this.warn("");
    };
    slider.addEventListener("input", set);
    // The middle can be meant: a press on it changes no value.
    slider.addEventListener("click", set);
    slider.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") set();
    });
    return slider;
  }
}
