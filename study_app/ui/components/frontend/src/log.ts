// The event log of one page: numbered, kept on disk until acknowledged, sent in order, never twice in effect.
import type { Answer, Api } from "./api";
import type { ServerClock } from "./clock";
import { Outbox, type Outcome, type Queue, queueOf, takeBytes } from "./outbox";
import { type Draft, fingerprint, type LoggedEvent, type Store, type StoredEvent } from "./store";
import type { ServerState } from "./types";

const FLUSH_MS = 2000;
const FLUSH_EVENTS = 200;
/** Browsers send at most 64 KiB for a page that is already gone (`fetch` with `keepalive`). */
const FAREWELL_BYTES = 60_000;
/** Short at its longest: once the server is back, a few seconds later everything is saved. */
const BACKOFF_MS = [1000, 2000, 3000];
const LATE_MS = 5000;
/** How often what an earlier page left is tried before this page takes over without it. */
const HELD_UP = 3;
/** After so many answers in a row that say no, and not for the page or its stage, the page says so. */
const TURNED_AWAY = 3;

/** `turned_away`: something on the way to the server refuses the requests. `too_long`: the server has not this text. */
export type Saving = "saved" | "saving" | "offline" | "turned_away" | "too_long";

export interface LogListener {
  saving: (state: Saving, durable: boolean, status: number) => void;
  server: (state: ServerState) => void;
  refused: (reason: string) => void;
  /** The server has not what this page shows: all of it goes into the log once more. */
  reload: () => void;
}

export class EventLog {
  readonly page = newPageId();
  private seq = 0;
  private readonly own: Queue = queueOf([this.page, []]);
  private readonly outbox: Outbox;
  private leftovers: Queue[] = [];
  /** Names of drafts that this page may still need, whatever earlier pages have sent. */
  private needed: (name: string) => boolean = () => true;
  private heldUp = 0;
  private sending = false;
  private failures = 0;
  private timer: number | undefined;
  private opened = false;
  private toldOfDisk = false;
  private refusal: string | null = null;
  /** The status of the last answers that said no, and how many they were. */
  private turnedAway = { status: 0, times: 0 };
  private ackedHash: string | null = null;
  /** Characters of the shortest text that the server did not take as a whole. */
  private tooMuch = Infinity;
  /** The server lacks what the page shows, because it is too long. */
  private behind = false;
  /** The text now in the editor and the task it belongs to, for the draft on disk. */
  document: { task: string; text: () => string } | null = null;

  constructor(
    private readonly api: Api,
    private readonly store: Store,
    private readonly clock: ServerClock,
    private readonly owner: string,
    private readonly listener: LogListener,
  ) {
    this.outbox = new Outbox(api, store, {
      answered: (queue, answer, roundTrip) => this.answered(queue, answer, roundTrip),
      dropped: (queue, events, ack) => this.dropped(queue, events, ack),
      noted: (queue, event) => this.noted(queue, event),
      failed: (queue, answer) => this.failed(answer, queue),
    });
    window.addEventListener("pagehide", this.farewell);
    window.addEventListener("online", this.retryNow);
    document.addEventListener("visibilitychange", this.retryNow);
  }

  /** What earlier pages could not send; call before `start`. Drafts of theirs that nothing here needs go once it is sent. */
  adopt(leftovers: Map<string, StoredEvent[]>, needed: (name: string) => boolean = () => true): void {
    this.leftovers = [...leftovers].map(queueOf);
    this.needed = needed;
  }

  /** Sends what is left over, takes the attempt over, then keeps sending. */
  start(): void {
    void this.flush();
  }

  /** A page that another one has replaced records nothing more. */
  add(kind: string, payload: Record<string, unknown>, text?: string): void {
    if (this.refusal === "superseded") return;
    const event: LoggedEvent = {
      seq: ++this.seq,
      kind,
      client_time_ms: Date.now(),
      mono_ms: Math.round(performance.now() * 10) / 10,
      payload,
    };
    const hash = text === undefined ? null : fingerprint(text);
    const stored = { owner: this.owner, page: this.page, seq: event.seq, event, hash };
    this.own.events.push(stored);
    this.store.put(stored, hash === null ? null : this.draft);
    if (this.own.events.length % FLUSH_EVENTS === 0) void this.flush();
    else this.schedule(FLUSH_MS);
    this.report();
    if (this.behind && !this.isTooLong()) this.reload();
  }

  /** Number of the last event: what a program that is sent now contains. */
  get last(): number {
    return this.seq;
  }

  private readonly draft = (): Draft => ({
    owner: this.owner,
    task: this.document?.task ?? "",
    page: this.page,
    text: this.document?.text() ?? "",
    base: this.ackedHash,
  });

  /** True once everything so far is stored on the server; gives up after `ms`. */
  async settle(ms: number): Promise<boolean> {
    const until = Date.now() + ms;
    const last = this.seq;
    while (Date.now() < until && !this.refusal) {
      if ((this.own.events[0]?.seq ?? Infinity) > last) return true;
      await this.flush();
      if ((this.own.events[0]?.seq ?? Infinity) > last) return true;
      await new Promise((wait) => setTimeout(wait, 150));
    }
    return false;
  }

  /** What is over needs no draft any more, unless something of it is still to be sent. */
  forgetDrafts(over: (name: string) => boolean): void {
    const unsent = [this.own, ...this.leftovers].some(({ events }) => events.some(({ hash }) => hash !== null));
    if (!unsent) this.store.forgetDrafts(({ task }) => over(task));
  }

  /** A new stage or task: what was refused may be accepted now. */
  reopen(): void {
    if (this.refusal === "superseded") return;
    this.refusal = null;
    void this.flush();
  }

  async flush(): Promise<void> {
    if (this.sending || this.refusal) return;
    this.sending = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    try {
      await this.sendEverything();
    } finally {
      this.sending = false;
    }
    if (this.own.events.length && !this.refusal) this.schedule(this.failures ? this.backoff() : FLUSH_MS);
    this.report();
  }

  private async sendEverything(): Promise<void> {
    // Before this page takes the attempt over: from then on the events of earlier pages change no text any more.
    const sent = await this.outbox.sendAll(this.leftovers);
    if (!sent && ++this.heldUp < HELD_UP) return;
    const wasOpen = this.opened;
    if (!(await this.open())) return;
    if (!wasOpen) await this.forgetWhatIsOver();
    // The server answers, and not for them: they wait on the disk for the next page.
    if (!sent) this.leftovers = [];
    while (this.own.events.length && !this.refusal) {
      const outcome = await this.outbox.send(this.own, true);
      if (outcome === "again") continue;
      if (outcome !== "done") return;
      if (this.own.events.length < FLUSH_EVENTS) return;
    }
  }

  /** Of drafts of earlier pages nothing stays that this page cannot take up and whose events the server has. */
  private async forgetWhatIsOver(): Promise<void> {
    const unsent = await this.store.leftovers();
    this.store.forgetDrafts(({ task, page }) => page !== this.page && !this.needed(task) && !unsent.has(page));
  }

  private async open(): Promise<boolean> {
    if (this.opened) return true;
    const sentAt = performance.now();
    // With the server's time of this request the page's own clock is anchored there.
    const answer = await this.api.post("/api/open", { page: this.page, mono_ms: Math.round(sentAt * 10) / 10 });
    if (answer.status !== 200) return this.failed(answer, this.own) === "done";
    this.opened = true;
    this.heard(answer.body, performance.now() - sentAt);
    return true;
  }

  private answered(queue: Queue, { body }: Answer, roundTrip: number): void {
    this.failures = this.turnedAway.times = 0;
    this.heard(body, roundTrip);
    if (queue === this.own && body["load_again"] === true) this.reload();
  }

  private noted(queue: Queue, { kind, payload }: LoggedEvent): void {
    const own = queue === this.own;
    if (kind === "load") this.tooMuch = Math.min(this.tooMuch, String(payload["text"] ?? "").length);
    if (own && kind === "answer_load") this.tooMuch = Math.min(this.tooMuch, this.length);
    if (own && (kind === "load" || kind === "edit" || kind.startsWith("answer_"))) this.reload();
  }

  /** Not while it would be refused as before: once it is shorter. */
  private reload(): void {
    this.behind = this.isTooLong();
    if (!this.behind) this.listener.reload();
  }

  private isTooLong(): boolean {
    return this.length >= this.tooMuch;
  }

  /** Of the text on the page. */
  private get length(): number {
    return this.document?.text().length ?? 0;
  }

  private failed(answer: Answer, queue: Queue): Outcome {
    if (answer.status === 409) {
      if (queue === this.own) this.refuse(String(answer.body["reason"] ?? "stage"), answer.body);
      return "refused";
    }
    this.countRefusal(answer.refused ?? answer.status);
    if (answer.status === 401) this.listener.refused("identity");
    this.failures += 1;
    return "retry";
  }

  /** Other answers than of a server that is away or busy, or does not know this browser. */
  private countRefusal(status: number): void {
    const no = status >= 400 && status < 500 && status !== 401 && status !== 429;
    this.turnedAway = no ? { status, times: this.turnedAway.times + 1 } : { status: 0, times: 0 };
  }

  /** The server says no to this page, here or on another route. */
  refuse(reason: string, state: ServerState): void {
    const first = this.refusal === null;
    this.refusal = reason;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.heard(state, 1000);
    if (!first) return;
    this.listener.refused(reason);
    void this.drain();
    if (reason === "superseded") setTimeout(() => void this.drain(), 5000);
  }

  /** What is refused is stored all the same, and may count: all of it goes, as long as the server takes it. */
  private async drain(): Promise<void> {
    for (let goesOn = true; goesOn && this.own.events.length; ) {
      const before = this.own.events.length;
      goesOn = (await this.outbox.send(this.own, true)) === "again" || this.own.events.length < before;
    }
  }

  private dropped(queue: Queue, events: StoredEvent[], ack: number): void {
    const own = queue === this.own;
    const hashes = events.flatMap((stored) => stored.hash ?? []);
    if (own && hashes.length) this.ackedHash = hashes[hashes.length - 1]!;
    this.store.acknowledged(queue.page, ack, own && hashes.length && this.document ? this.draft : null);
  }

  private heard(state: ServerState, roundTrip: number): void {
    if (typeof state.now_ms === "number") this.clock.sync(state.now_ms, roundTrip);
    this.listener.server(state);
  }

  private schedule(ms: number): void {
    if (this.sending || this.refusal || this.timer !== undefined) return;
    this.timer = window.setTimeout(() => {
      this.timer = undefined;
      void this.flush();
    }, ms);
  }

  private backoff(): number {
    // Spread, so that the pages of a whole class do not come back at the same moment.
    return BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length) - 1]! * (0.8 + 0.4 * Math.random());
  }

  private readonly retryNow = (): void => {
    this.failures = 0;
    void this.flush();
  };

  /** The page goes away: send what fits; what does not is on disk and goes with the next page. */
  private readonly farewell = (): void => {
    this.store.write();
    if (this.refusal || !this.opened || !this.own.events.length) return;
    const batch = takeBytes(this.own.events, FAREWELL_BYTES - 200, true);
    if (batch.length) this.api.farewell("/api/events", JSON.stringify({ page: this.page, events: batch }));
  };

  private report(): void {
    if (!this.store.durable && !this.toldOfDisk) {
      this.toldOfDisk = true;
      this.add("storage_full", {});
    }
    const oldest = this.own.events[0];
    const late = oldest !== undefined && Date.now() - oldest.event.client_time_ms > LATE_MS;
    this.listener.saving(this.state(late), this.store.durable, this.turnedAway.status);
  }

  private state(late: boolean): Saving {
    if (this.failures) return this.turnedAway.times < TURNED_AWAY ? "offline" : "turned_away";
    if (late) return "saving";
    return this.behind ? "too_long" : "saved";
  }

  destroy(): void {
    this.farewell();
    this.refusal ??= "closed";
    clearTimeout(this.timer);
    window.removeEventListener("pagehide", this.farewell);
    window.removeEventListener("online", this.retryNow);
    document.removeEventListener("visibilitychange", this.retryNow);
    this.store.close();
  }
}

/** Random; `crypto.randomUUID` exists on secure origins only. */
function newPageId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
