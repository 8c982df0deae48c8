// The server's time as this browser best knows it; the participant's own clock may be wrong.
import { clockFace, type Say } from "./texts";
import { h } from "./dom";

export class ServerClock {
  private offset = 0;
  private roundTrip = Infinity;

  /** Learn from an answer: `now` on the server, `roundTrip` in ms. A quick answer outweighs a slow one. */
  sync(now: number, roundTrip = 1000): void {
    const offset = now + roundTrip / 2 - Date.now();
    if (roundTrip > this.roundTrip && Math.abs(offset - this.offset) < 2000) return;
    this.offset = offset;
    this.roundTrip = roundTrip;
  }

  now(): number {
    return Date.now() + this.offset;
  }
}

const WARNINGS = [
  { seconds: 300, key: "five_minutes_left" },
  { seconds: 60, key: "one_minute_left" },
];

/** Draws the time left; calls `onZero` every time it finds the deadline passed, `onTime` while it is not. */
export class Countdown {
  private readonly value = h("span", { class: "sa-clock-value" });
  readonly element: HTMLElement;
  private readonly timer: number;
  private last = Infinity;

  constructor(
    say: Say,
    private readonly clock: ServerClock,
    private readonly deadline: () => number | null,
    private readonly on: { zero: () => void; warn: (text: string) => void },
  ) {
    this.element = h("div", { class: "sa-clock", role: "timer", "aria-label": say("time_left"), "aria-live": "off" });
    this.element.append(h("span", { class: "sa-clock-label" }, say("time_left")), this.value);
    this.warning = (key) => this.on.warn(say(key));
    this.timer = window.setInterval(() => this.tick(), 250);
    document.addEventListener("visibilitychange", this.tick);
    this.tick();
  }

  private readonly warning: (key: string) => void;

  readonly tick = (): void => {
    const deadline = this.deadline();
    this.element.hidden = deadline === null;
    if (deadline === null) return;
    const seconds = (deadline - this.clock.now()) / 1000;
    const face = clockFace(seconds);
    if (this.value.textContent !== face) this.value.textContent = face;
    this.element.classList.toggle("sa-clock-soon", seconds <= 300);
    for (const { seconds: mark, key } of WARNINGS) {
      if (seconds <= mark && seconds > mark - 30 && this.last > mark) this.warning(key);
    }
    this.last = seconds;
    if (seconds <= 0) this.on.zero();
  };

  destroy(): void {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.tick);
  }
}
