// The event log of one page: numbered, kept on disk until acknowledged, sent in order, never twice in effect.
import type { Answer, Api } from "./api";
import type { ServerClock } from "./clock";
import { type Draft, fingerprint, type LoggedEvent, type Store, type StoredEvent } from "./store";
import type { ServerState } from "./types";

const FLUSH_MS = 2000;
const FLUSH_EVENTS = 200;
const BATCH_BYTES = 400_000;
/** Browsers send at most 64 KiB for a page that is already gone (`fetch` with `keepalive`). */
const FAREWELL_BYTES = 60_000;
/** Short at its longest: once the server is back, a few seconds later everything is saved. */
const BACKOFF_MS = [1000, 2000, 3000];
const LATE_MS = 5000;
/** How often what an earlier page left is tried before this page takes over without it. */
const HELD_UP = 3;
/** The answers after which the same may be taken later: none, no identity, too many requests. */
const LATER = [0, 401, 429];
/** Stands in the place of an event that the server refused. */
const NOTE = "event_refused";

export type Saving = "saved" | "saving" | "offline";

export interface LogListener {
  saving: (state: Saving, durable: boolean) => void;
  server: (state: ServerState) => void;
  refused: (reason: string) => void;
  /** The server has not what this page shows: all of it goes into the log once more. */
  reload: () => void;
}

/** One page's queue: this one's, or what an earlier page left behind. */
interface Queue {
  page: string;
  events: StoredEvent[];
  /** How many go at once: fewer while one among them is looked for that the server refuses. */
  most: number;
}

/** `again`: what is sent next is another batch than the one that was refused. */
type Outcome = "done" | "again" | "retry" | "refused";

export class EventLog {
  readonly page = newPageId();
  private seq = 0;
  private readonly own: Queue = { page: this.page, events: [], most: Infinity };
  private leftovers: Queue[] = [];
  private heldUp = 0;
  private sending = false;
  private failures = 0;
  private timer: number | undefined;
  private opened = false;
  private toldOfDisk = false;
  private refusal: string | null = null;
  private batchBytes = BATCH_BYTES;
  private ackedHash: string | null = null;
  /** Characters of the shortest text that the server did not take as a whole. */
  private tooMuch = Infinity;
  /** The text now in the editor and the task it belongs to, for the draft on disk. */
  document: { task: string; text: () => string } | null = null;

  constructor(
    private readonly api: Api,
    private readonly store: Store,
    private readonly clock: ServerClock,
    private readonly owner: string,
    private readonly listener: LogListener,
  ) {
    window.addEventListener("pagehide", this.farewell);
    window.addEventListener("online", this.retryNow);
    document.addEventListener("visibilitychange", this.retryNow);
  }

  /** What earlier pages could not send; call before `start`. */
  adopt(leftovers: Map<string, StoredEvent[]>): void {
    this.leftovers = [...leftovers].map(([page, events]) => ({ page, events, most: Infinity }));
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
    const sent = await this.sendLeftovers();
    if (!sent && ++this.heldUp < HELD_UP) return;
    if (!(await this.open())) return;
    // The server answers, and not for them: they wait on the disk for the next page.
    if (!sent) this.leftovers = [];
    while (this.own.events.length && !this.refusal) {
      const outcome = await this.sendBatch(this.own);
      if (outcome === "again") continue;
      if (outcome !== "done") return;
      if (this.own.events.length < FLUSH_EVENTS) return;
    }
  }

  /** False where the server cannot be asked now. What it will not have stays on the disk and holds up nothing. */
  private async sendLeftovers(): Promise<boolean> {
    while (this.leftovers.length) {
      const queue = this.leftovers[0]!;
      while (queue.events.length) {
        const before = queue.events.length;
        const outcome = await this.sendBatch(queue);
        if (outcome === "retry") return false;
        if (outcome !== "again" && queue.events.length === before) break;
      }
      // Its draft has served, or this page has taken it over under its own name.
      if (!queue.events.length) this.store.forgetDrafts((draft) => draft.page === queue.page);
      this.leftovers.shift();
    }
    return true;
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

  private async sendBatch(queue: Queue): Promise<Outcome> {
    const batch = takeBytes(queue.events.slice(0, queue.most), this.batchBytes);
    const sentAt = performance.now();
    const answer = await this.api.post("/api/events", { page: queue.page, events: batch });
    const ack = answer.body["ack"];
    // Whatever the status says: what the server has stored need not go again.
    if (typeof ack === "number" && answer.status !== 0) this.drop(queue, ack);
    if (answer.status === 400 || answer.status === 413) return this.unacceptable(answer, queue, batch);
    if (answer.status !== 200) return this.failed(answer, queue);
    // Behind a gap that nothing will fill an earlier page's events are stored, and never acknowledged.
    if (queue !== this.own && typeof ack === "number" && ack < batch[0]!.seq) return "refused";
    if (typeof ack !== "number" || ack < batch[0]!.seq) return this.failed({ status: 0, body: {} }, queue);
    this.failures = 0;
    queue.most = Infinity;
    this.heard(answer.body, performance.now() - sentAt);
    if (queue === this.own && answer.body["load_again"] === true) this.reload();
    return "done";
  }

  /** The server refuses the batch for what is in it: found by halves, that event gives its number to a small note. */
  private unacceptable(answer: Answer, queue: Queue, batch: LoggedEvent[]): Outcome {
    if (answer.status === 413) this.batchBytes = Math.max(20_000, this.batchBytes / 2);
    if (batch.length > 1) {
      queue.most = Math.floor(batch.length / 2);
      return "again";
    }
    const place = queue.events.findIndex((stored) => stored.seq === batch[0]!.seq);
    const refused = queue.events[place];
    // A note that is refused as well says nothing of the event: the server takes none at all.
    if (!refused || refused.event.kind === NOTE) return queue === this.own ? this.failed(answer, queue) : "refused";
    const { kind, payload } = refused.event;
    const text = kind === "load" || kind === "edit";
    const note: Record<string, unknown> = { refused: kind, why: String(answer.body["error"] ?? answer.status).slice(0, 300) };
    if (text && typeof payload["task"] === "string") note["task"] = payload["task"];
    // The hash stays: after this event the page shows what it showed, for a draft that is newer than the server's text.
    const stored = { ...refused, event: { ...refused.event, kind: NOTE, payload: note } };
    queue.events[place] = stored;
    this.store.put(stored, null);
    if (kind === "load") this.tooMuch = Math.min(this.tooMuch, String(payload["text"] ?? "").length);
    if (queue === this.own && (text || kind.startsWith("answer_"))) this.reload();
    return "again";
  }

  /** Not where the same was refused already. */
  private reload(): void {
    if ((this.document?.text().length ?? 0) < this.tooMuch) this.listener.reload();
  }

  private failed(answer: Answer, queue: Queue): Outcome {
    if (answer.status === 409) {
      if (queue === this.own) this.refuse(String(answer.body["reason"] ?? "stage"), answer.body);
      return "refused";
    }
    if (queue !== this.own && !LATER.includes(answer.status)) return "refused";
    if (answer.status === 401) this.listener.refused("identity");
    this.failures += 1;
    return "retry";
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
      goesOn = (await this.sendBatch(this.own)) === "again" || this.own.events.length < before;
    }
  }

  private drop(queue: Queue, ack: number): void {
    const dropped = queue.events.filter((stored) => stored.seq <= ack);
    if (!dropped.length) return;
    queue.events = queue.events.filter((stored) => stored.seq > ack);
    const own = queue === this.own;
    const hashes = dropped.flatMap((stored) => stored.hash ?? []);
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
    const state = this.failures ? "offline" : late ? "saving" : "saved";
    this.listener.saving(state, this.store.durable);
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

/** The longest beginning of the queue that fits; at least one event unless `strict`. */
function takeBytes(queue: StoredEvent[], limit: number, strict = false): LoggedEvent[] {
  const batch: LoggedEvent[] = [];
  let bytes = 0;
  for (const { event } of queue) {
    // Bytes of UTF-8, as the server counts them, with a comma; `length` would count UTF-16 units.
    bytes += new Blob([JSON.stringify(event)]).size + 1;
    if (bytes > limit && (strict || batch.length)) break;
    batch.push(event);
  }
  return batch;
}

/** Random; `crypto.randomUUID` exists on secure origins only. */
function newPageId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
