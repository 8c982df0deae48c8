// The server's time as this browser best knows it; the participant's own clock may be wrong.
import { clockFace, type Say } from "./texts";
import { h } from "./dom";

export class ServerClock {
  private offset = 0;
  private roundTrip = Infinity;
  private drawnAt: number | null = null;

  /** What a page is drawn with. Streamlit gives the same again at a change of theme, and time has gone on since. */
  drawn(now: number): void {
    if (now === this.drawnAt) return;
    this.drawnAt = now;
    this.sync(now);
  }

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

/** Marks of the time left, with the key of what is said; the last is the more urgent. */
const WARNINGS = [
  { seconds: 300, key: "five_minutes_left", urgent: false },
  { seconds: 60, key: "one_minute_left", urgent: true },
];
const IN_TITLE = /^\d+(?::\d\d)+ – /;

/** Draws the time left; calls `onZero` every time it finds the deadline passed, `onTime` while it is not. */
export class Countdown {
  private readonly value = h("span", { class: "sa-clock-value" });
  private readonly scope = h("span");
  readonly element: HTMLElement;
  private readonly timer: number;
  private last = Infinity;

  constructor(
    say: Say,
    private readonly clock: ServerClock,
    private readonly deadline: () => number | null,
    private readonly on: { zero: () => void; warn: (text: string, urgent: boolean) => void },
    scope = "",
  ) {
    this.element = h("div", { class: "sa-clock", role: "timer", "aria-label": say("time_left"), "aria-live": "off" });
    this.scope.textContent = scope;
    this.element.append(h("span", { class: "sa-clock-label" }, say("time_left"), " ", this.scope), this.value);
    this.warning = ({ key, urgent }) => this.on.warn(say(key), urgent);
    this.timer = window.setInterval(() => this.tick(), 250);
    document.addEventListener("visibilitychange", this.tick);
    this.tick();
  }

  private readonly warning: (mark: (typeof WARNINGS)[number]) => void;

  /** What the time is for, where that is more than what is on the page. */
  showScope(scope: string): void {
    this.scope.textContent = scope;
  }

  readonly tick = (): void => {
    const deadline = this.deadline();
    this.element.hidden = deadline === null;
    if (deadline === null) return this.title("");
    const seconds = (deadline - this.clock.now()) / 1000;
    const face = clockFace(seconds);
    if (this.value.textContent !== face) this.value.textContent = face;
    this.title(face);
    this.element.classList.toggle("sa-clock-soon", seconds <= 300);
    this.element.classList.toggle("sa-clock-last", seconds <= 60);
    for (const mark of WARNINGS) {
      if (seconds <= mark.seconds && seconds > mark.seconds - 30 && this.last > mark.seconds) this.warning(mark);
    }
    this.last = seconds;
    if (seconds <= 0) this.on.zero();
  };

  /** The time in the tab's title, for those who look something up in another tab. */
  private title(face: string): void {
    const plain = document.title.replace(IN_TITLE, "");
    const wanted = face ? `${face} – ${plain}` : plain;
    if (document.title !== wanted) document.title = wanted;
  }

  destroy(): void {
    clearInterval(this.timer);
    this.title("");
    document.removeEventListener("visibilitychange", this.tick);
  }
}
