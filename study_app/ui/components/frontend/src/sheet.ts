// A page of a quiz or a survey: its questions, its event log, and the way on.
import { Repeater } from "./advance";
import { Api, TOO_LARGE, whyNot } from "./api";
import { Countdown, ServerClock } from "./clock";
import type * as Code from "./code";
import { Announcer, h, isDark } from "./dom";
import { EventLog, type Saving } from "./log";
import { recordPresence } from "./presence";
import { Questions } from "./questions";
import { newerDraft } from "./recover";
import { Store } from "./store";
import { type Say, sayer } from "./texts";
import type { ComponentArgs, FormAdvance, FormData, ServerState } from "./types";
import { type Lock, Veil } from "./veil";

const SETTLE_MS = 4000;
const SEND_MS = 20_000;
const TRIES = 4;
const PAUSE_MS = 10_000;
/** How often a press is repeated that the server answers and does not take. */
const REPEATS = 6;
const VEIL_MS = 700;
const CODE_MS = 1500;

/** What this window showed last, by participant and page: a component that Streamlit draws anew goes on from it. */
const remembered = new Map<string, { page: string; text: string }>();

export class Sheet {
  readonly element: HTMLElement;
  private readonly say: Say;
  private readonly api: Api;
  private readonly clock = new ServerClock();
  private readonly announcer = new Announcer();
  private readonly log: EventLog;
  private readonly timeNote = h("div", { class: "sa-time-note sa-form-time", hidden: true });
  private readonly countdown: Countdown;
  private readonly questions: Questions;
  private readonly advance: Repeater<FormAdvance>;
  private readonly endings: (() => void)[] = [];
  private readonly saving = h("div", { class: "sa-saving", role: "status" });
  private readonly note = h("div", { class: "sa-form-note", role: "alert" });
  private readonly button: HTMLButtonElement;
  /** Other ways on from this page than its answer. */
  private readonly others: HTMLButtonElement[];
  private readonly veil: Veil;
  private readonly locks = new Set<Lock>();
  private readonly key: string;
  private deadline: number | null;
  private ending: FormAdvance["reason"] | null = null;
  private lastProbe = 0;
  private busy = false;
  /** A press that did not reach the server; it is repeated once the connection is back, unless something changes. */
  private pending = false;
  /** Not before this moment is a press repeated that the server answered and did not take. */
  private pausedUntil = 0;
  private repeats = 0;

  /** Prepares the disk first, so that unsent work of an earlier page is in the fields from the start. */
  static async open(args: ComponentArgs<FormData>): Promise<Sheet> {
    const { data } = args;
    const store = await Store.open(data.page_key);
    const task = taskOf(data);
    const given = Questions.serialised(data.fields, data.fields.map((field) => field.value));
    const ready = [store.leftovers(), store.drafts(), sameWindow(data), codeFor(data)] as const;
    const [leftovers, drafts, here, code] = await Promise.all(ready);
    const text = newerDraft(drafts.get(task) ?? null, leftovers, given) ?? here;
    const sheet = new Sheet(args, store, text, code);
    sheet.log.adopt(leftovers, (name) => name === task);
    sheet.log.start();
    return sheet;
  }

  private constructor(
    private args: ComponentArgs<FormData>,
    store: Store,
    recovered: string | null,
    code: typeof Code | null,
  ) {
    const { data } = args;
    this.key = rememberedKey(data);
    this.say = sayer(() => this.args.data.texts);
    this.api = new Api(data.api, data.page_key);
    this.deadline = data.deadline_ms;
    this.clock.drawn(data.now_ms);
    this.log = new EventLog(this.api, store, this.clock, data.page_key, {
      saving: (state, durable, status) => this.showSaving(state, durable, status),
      server: (state) => this.heard(state),
      refused: (reason) => this.refused(reason),
      reload: () => this.questions.logShown(),
    });
    this.advance = new Repeater<FormAdvance>((value) => this.args.setTriggerValue("advance", value));
    this.countdown = new Countdown(this.say, this.clock, () => this.deadline, {
      zero: () => this.timeIsUp(),
      warn: (text, urgent) => {
        this.announcer.say(text);
        this.timeNote.textContent = text;
        this.timeNote.hidden = false;
        this.timeNote.classList.toggle("sa-urgent", urgent);
      },
    });
    this.questions = new Questions(data, recovered, this.say, {
      log: (kind, payload) => this.record(kind, payload),
      tell: (words) => this.tell(words),
    }, code);
    this.button = h("button", { type: "button", class: "sa-primary", "data-act": "hand_in", onclick: () => void this.press() }, data.button);
    this.others = (data.acts ?? []).map(({ act, label }) =>
      h("button", { type: "button", class: "sa-plain", "data-act": act, onclick: () => void this.leave(act) }, label));
    this.element = h("div", { class: `sa-form sa-form-${data.kind}` });
    const content = h("div", { class: "sa-form-content" }, this.questions.element, this.foot());
    this.veil = new Veil(content, this.say, this.announcer);
    const status = h("div", { class: "sa-form-status" }, this.saving, this.countdown.element);
    this.element.append(status, this.timeNote, content, this.announcer.element, this.veil.element);
    this.log.document = { task: taskOf(data), text: () => this.questions.text };
    this.questions.logShown();
    this.endings.push(recordPresence(this.log), this.questions.recordClipboard());
    this.showSaving("saved", true);
    this.attend(args);
  }

  /** Called for every run of the script: what stands in the fields is never touched. */
  attend(args: ComponentArgs<FormData>): void {
    this.args = args;
    const { data } = args;
    this.element.dataset["scheme"] = isDark(this.element) ? "dark" : "light";
    this.deadline = data.deadline_ms;
    this.clock.drawn(data.now_ms);
    this.reopenIfTimeRemains();
    if (this.locks.has("stage") || this.locks.has("submitted")) this.askAgain();
    this.countdown.tick();
  }

  /** Whether this sheet shows the page that these data are about. */
  shows(data: FormData): boolean {
    return taskOf(data) === taskOf(this.args.data) && data.page_key === this.args.data.page_key;
  }

  private foot(): HTMLElement {
    const { no_way_back } = this.args.data;
    const foot = h("div", { class: "sa-form-foot" }, this.note, h("div", { class: "sa-form-bar" }, this.button, ...this.others));
    if (no_way_back) foot.append(h("p", { class: "sa-form-hint" }, this.say("no_way_back")));
    return foot;
  }

  private record(kind: string, payload: Record<string, unknown>): void {
    const { stage, step } = this.args.data;
    const changes = kind.startsWith("answer_") && kind !== "answer_focus";
    if (kind === "answer_set" || kind === "answer_edit") {
      this.pending = false;
      this.tell("");
    }
    const text = changes || kind === "answers_shown" ? this.questions.text : undefined;
    this.log.add(kind, { stage, step, ...payload }, text);
    if (text !== undefined) remembered.set(this.key, { page: this.log.page, text });
  }

  // -- handing in ------------------------------------------------------------------------------------------------------

  private async press(): Promise<void> {
    if (this.busy || this.locks.size) return;
    this.tell("");
    if (this.args.data.kind === "quiz" && !(await this.questions.confirmGaps(this.element))) return;
    if (this.busy || this.locks.size) return;
    this.record("submit_pressed", {});
    this.repeats = 0;
    await this.send();
  }

  /** Sends what was pressed for, or repeats it: only a press is recorded as one. */
  private async send(): Promise<void> {
    if (this.busy || this.locks.size) return;
    this.setBusy(true);
    this.pending = false;
    try {
      for (let tries = 0; tries < TRIES; tries++) if ((await this.sendOnce()) === "done") return;
      this.notTaken();
    } finally {
      this.setBusy(false);
    }
  }

  /** Goes on without an answer. */
  private async leave(act: string): Promise<void> {
    if (this.busy || this.locks.size) return;
    this.tell("");
    this.setBusy(true);
    try {
      await this.log.settle(SETTLE_MS);
      if (this.locks.size) return;
      const { stage, step } = this.args.data;
      const { status, body } = await this.api.post("/api/interview", { page: this.log.page, stage, step, act }, SEND_MS);
      if (status === 200) this.accepted();
      else if (status === 409) this.log.refuse(String(body["reason"] ?? "stage"), body);
      else if (status === 401) this.lock("identity");
      else this.tell(this.say("unreachable"));
    } finally {
      this.setBusy(false);
    }
  }

  private async sendOnce(): Promise<"again" | "done"> {
    await this.log.settle(SETTLE_MS);
    if (this.locks.size) return "done";
    const { stage, step } = this.args.data;
    const answer = await this.api.post(
      "/api/answers",
      { page: this.log.page, seq: this.log.last, stage, step, shown: this.questions.values },
      SEND_MS,
    );
    const { status, body } = answer;
    if (status === 200 && body["accepted"]) this.accepted();
    else if (status === 200) this.questions.showFaults(body["faults"] ?? {}, (words) => this.tell(words));
    else if (status === 409 && body["reason"] === "behind") return "again";
    else if (status === 409 && body["reason"] === "differs") {
      this.questions.logShown();
      return "again";
    } else if (status === 409) this.log.refuse(String(body["reason"] ?? "stage"), body);
    else if (status === 401) this.lock("identity");
    else if (status === TOO_LARGE) this.tell(whyNot(answer, this.say, ""));
    else this.unreachable();
    return "done";
  }

  private accepted(): void {
    remembered.delete(this.key);
    this.over("submitted");
  }

  private unreachable(): void {
    this.pending = true;
    this.tell(this.say("unreachable"));
  }

  /** The server answers, and goes by other answers than this page shows. */
  private notTaken(): void {
    this.pausedUntil = Date.now() + PAUSE_MS;
    this.pending = this.repeats++ < REPEATS;
    this.tell(this.say(this.pending ? "not_taken" : "never_taken"));
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.button.setAttribute("aria-disabled", String(busy));
    this.button.textContent = busy ? this.say("sending") : this.args.data.button;
  }

  private tell(words: string): void {
    if (this.note.textContent !== words) this.note.textContent = words;
  }

  // -- endings ---------------------------------------------------------------------------------------------------------

  private over(reason: FormAdvance["reason"]): void {
    if (this.advance.running) return;
    const { stage, step } = this.args.data;
    this.ending = reason;
    this.lock(reason);
    this.advance.start({ reason, stage, step });
  }

  private heard(state: ServerState): void {
    if (state.deadline_ms !== undefined) this.deadline = state.deadline_ms;
    const { data } = this.args;
    if (this.locks.delete("identity")) this.applyLocks();
    const elsewhere = state.stage !== undefined && (state.stage !== data.stage || Number(state.step ?? 0) !== data.step);
    if (elsewhere) this.over("stage");
    else if (state.stage !== undefined) this.release("stage");
    if (this.deadline !== null && (state.now_ms ?? 0) >= this.deadline) this.over("deadline");
    else this.reopenIfTimeRemains();
  }

  /** The server may give time back, for example for an outage. */
  private reopenIfTimeRemains(): void {
    if (this.deadline !== null && this.clock.now() >= this.deadline) return;
    if (this.release("deadline")) this.log.reopen();
  }

  private release(reason: "deadline" | "stage"): boolean {
    if (this.ending === reason) {
      this.advance.stop();
      this.ending = null;
    }
    if (!this.locks.delete(reason)) return false;
    this.applyLocks();
    return true;
  }

  /** The script ran again and shows this very page: ask the event route once more whether it is over. */
  private askAgain(): void {
    this.log.add("heartbeat", { focused: document.hasFocus() });
    this.log.reopen();
  }

  private refused(reason: string): void {
    if (reason === "superseded") remembered.delete(this.key);
    if (reason === "superseded" || reason === "identity") this.lock(reason);
    else if (reason === "deadline" || reason === "stage") this.over(reason);
  }

  /** By this page's clock the time is over: stop here, send everything, and let the server confirm. */
  private timeIsUp(): void {
    if (!this.locks.has("deadline")) this.lock("deadline");
    if (this.advance.running || Date.now() - this.lastProbe < 3000) return;
    this.lastProbe = Date.now();
    this.log.add("heartbeat", { focused: document.hasFocus() });
    void this.log.flush();
  }

  private lock(reason: Lock): void {
    this.locks.add(reason);
    this.applyLocks();
  }

  private applyLocks(): void {
    const locked = this.locks.size > 0;
    this.questions.lock(locked);
    this.button.disabled = locked;
    for (const other of this.others) other.disabled = locked;
    const show = () => this.veil.show(this.locks);
    // A page that is handed in is gone in a moment: no words over it unless it stays.
    if (locked && this.locks.has("submitted")) setTimeout(show, VEIL_MS);
    else show();
  }

  private showSaving(state: Saving, durable: boolean, status = 0): void {
    const key = state === "offline" && !durable ? "saving_offline_memory" : `saving_${state}`;
    if (this.pending && state === "saved" && Date.now() >= this.pausedUntil) void this.send();
    if (this.saving.dataset["state"] === key) return;
    this.saving.dataset["state"] = key;
    this.saving.textContent = this.say(key, { status });
  }

  /** After the first page of an interview the next answer can be typed at once. */
  focusFirst(): void {
    if (this.args.data.kind === "interview" && this.args.data.step > 0) this.questions.focusFirst();
  }

  destroy(): void {
    this.advance.stop();
    this.countdown.destroy();
    for (const end of this.endings) end();
    if (this.ending !== null) this.log.forgetDrafts((name) => name === taskOf(this.args.data));
    this.log.destroy();
    this.questions.destroy();
    this.element.remove();
  }
}

function taskOf(data: FormData): string {
  return `answers:${data.stage}:${data.step}`;
}

function rememberedKey(data: FormData): string {
  return `${data.page_key} ${taskOf(data)}`;
}

/** What this window showed last, unless another one has shown the form since. */
async function sameWindow(data: FormData): Promise<string | null> {
  const here = remembered.get(rememberedKey(data));
  if (!here) return null;
  const { status, body } = await new Api(data.api, data.page_key).get(`/api/answers?stage=${data.stage}&step=${data.step}`);
  return status !== 200 || body["page"] === here.page ? here.text : null;
}

/** The editor and its colours, for a page that needs them; asked for until it is there. */
async function codeFor(data: FormData): Promise<typeof Code | null> {
  const needed = data.fields.some((field) => field.kind === "code" || field.code || field.prompt_html.includes("<pre>"));
  const inOptions = data.fields.some((field) => field.options.some((option) => option.html.includes("<pre>")));
  while (needed || inOptions) {
    try {
      return (await import(new URL(data.code_module, document.baseURI).href)) as typeof Code;
    } catch {
      await new Promise((wait) => setTimeout(wait, CODE_MS));
    }
  }
  return null;
}
