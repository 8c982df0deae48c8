// `Part 7 of 9, about 65 minutes left`, which goes on falling on a page that stays.
import { h } from "./dom";
import type { ProgressData } from "./types";

const LOOK_MS = 15_000;

/** As study_app/domain/durations.py rounds: upwards, to the next five from ten on. */
function rounded(minutes: number): number {
  return minutes > 10 ? Math.ceil(minutes / 5) * 5 : Math.max(1, Math.ceil(minutes));
}

export class ProgressLine {
  readonly element = h("span", { class: "sa-step sa-part" });
  private readonly timer = window.setInterval(() => this.draw(), LOOK_MS);
  private data: ProgressData | null = null;

  /** `left`: minutes left of the stage that is on the page. */
  constructor(private readonly left: () => number) {}

  show(data: ProgressData | null): void {
    this.data = data;
    this.draw();
  }

  private draw(): void {
    if (!this.data) return void (this.element.textContent = "");
    const minutes = rounded(Math.max(0, this.left()) + this.data.later_minutes);
    const text = (minutes === 1 ? this.data.one : this.data.many).replace("{minutes}", String(minutes));
    if (this.element.textContent !== text) this.element.textContent = text;
  }

  destroy(): void {
    clearInterval(this.timer);
  }
}
