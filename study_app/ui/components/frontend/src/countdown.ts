// Entry of the component `countdown`: the time left on pages without workspace, and a record of attention there.
import { Repeater } from "./advance";
import { Api } from "./api";
import { Countdown, ServerClock } from "./clock";
import { Announcer, h, isDark } from "./dom";
import { EventLog } from "./log";
import { recordPresence } from "./presence";
import { Store } from "./store";
import styles from "./style.css";
import { sayer } from "./texts";
import type { ComponentArgs, CountdownData } from "./types";

const MAX_TEXT = 20_000;

interface Expired {
  n: number;
  deadline_ms: number;
}

class Clock {
  readonly host = h("div", { class: "sa-countdown" });
  private readonly note = h("div", { class: "sa-time-note", hidden: true });
  private readonly clock = new ServerClock();
  private readonly expired = new Repeater<Expired>((value) => this.args.setTriggerValue("expired", value));
  private readonly countdown: Countdown;
  private readonly endings: (() => void)[] = [];
  private deadline: number | null = null;

  constructor(private args: ComponentArgs<CountdownData>) {
    const announcer = new Announcer();
    this.countdown = new Countdown(sayer(() => this.args.data.texts), this.clock, () => this.deadline, {
      zero: () => this.deadline !== null && this.expired.start({ deadline_ms: this.deadline }),
      warn: (text, urgent) => {
        announcer.say(text);
        this.note.textContent = text;
        this.note.hidden = false;
        this.note.classList.toggle("sa-urgent", urgent);
      },
    });
    this.host.append(h("style", {}, styles), this.countdown.element, this.note, announcer.element);
    if (args.data.record) void this.record(args.data.record);
  }

  attend(args: ComponentArgs<CountdownData>): void {
    this.args = args;
    this.host.classList.toggle("sa-countdown-fixed", args.data.fixed === true && args.data.deadline_ms !== null);
    this.host.dataset["scheme"] = isDark(this.host) ? "dark" : "light";
    if (args.data.deadline_ms !== this.deadline) {
      this.expired.stop();
      this.note.hidden = true;
    }
    this.deadline = args.data.deadline_ms;
    this.clock.drawn(args.data.now_ms);
    this.countdown.tick();
  }

  /** Focus, visibility and the clipboard of the whole page; no answers, which the forms keep. */
  private async record(where: NonNullable<CountdownData["record"]>): Promise<void> {
    const store = await Store.open(where.page_key);
    const log = new EventLog(new Api(where.api, where.page_key), store, this.clock, where.page_key, {
      saving: () => undefined,
      server: (state) => this.heard(state.deadline_ms),
      refused: () => undefined,
      reload: () => undefined,
    });
    log.adopt(await store.leftovers());
    const onClipboard = (event: ClipboardEvent) => {
      const pasted = event.type === "paste";
      const text = pasted ? (event.clipboardData?.getData("text/plain") ?? "") : String(document.getSelection() ?? "");
      const payload = { text: text.slice(0, MAX_TEXT), length: text.length, from: "outside", target: "answer" };
      log.add(pasted ? "paste_attempt" : event.type, payload);
    };
    const names = ["copy", "cut", "paste"] as const;
    for (const name of names) document.addEventListener(name, onClipboard, true);
    this.endings.push(recordPresence(log), () => log.destroy(), () => {
      for (const name of names) document.removeEventListener(name, onClipboard, true);
    });
    log.start();
  }

  private heard(deadline: number | null | undefined): void {
    if (deadline !== undefined && deadline !== this.deadline) {
      this.deadline = deadline;
      this.expired.stop();
    }
  }

  destroy(): void {
    this.expired.stop();
    this.countdown.destroy();
    for (const end of this.endings) end();
  }
}

const mounted = new WeakMap<HTMLElement, Clock>();

export default function countdown(args: ComponentArgs<CountdownData>): () => void {
  const parent = args.parentElement;
  const clock = mounted.get(parent) ?? new Clock(args);
  if (!mounted.has(parent)) {
    mounted.set(parent, clock);
    parent.append(clock.host);
  }
  clock.attend(args);
  return () => {
    setTimeout(() => {
      if (clock.host.isConnected || mounted.get(parent) !== clock) return;
      mounted.delete(parent);
      clock.destroy();
    }, 0);
  };
}
