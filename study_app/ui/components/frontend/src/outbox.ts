// Sends the numbered events of pages, this one's and earlier ones', and forgets what the server has acknowledged.
import type { Answer, Api } from "./api";
import type { LoggedEvent, Store, StoredEvent } from "./store";

const BATCH_BYTES = 400_000;
const SMALLEST_BATCH = 20_000;
/** The answers after which the same may be taken later: none, no identity, too many requests. */
const LATER = [0, 401, 429];
/** Stands in the place of an event that the server refused. */
const NOTE = "event_refused";

/** The events of one page. */
export interface Queue {
  page: string;
  events: StoredEvent[];
  /** How many go at once: fewer while one among them is looked for that the server refuses. */
  most: number;
}

/** `again`: what is sent next is another batch than the one that was refused. */
export type Outcome = "done" | "again" | "retry" | "refused";

export interface OutboxHooks {
  /** The server has taken a batch. */
  answered: (queue: Queue, answer: Answer, roundTrip: number) => void;
  /** These are stored on the server, and wait to be forgotten on the disk. */
  dropped: (queue: Queue, events: StoredEvent[], ack: number) => void;
  /** An event that the server refused has given its number to a note. */
  noted: (queue: Queue, event: LoggedEvent) => void;
  failed: (queue: Queue, answer: Answer) => Outcome;
}

export function queueOf([page, events]: [string, StoredEvent[]]): Queue {
  return { page, events, most: Infinity };
}

export class Outbox {
  private batchBytes = BATCH_BYTES;

  constructor(
    private readonly api: Api,
    private readonly store: Store,
    private readonly hooks: OutboxHooks,
  ) {}

  /**
   * Queues of earlier pages, each removed once it is done. False where the server cannot be asked now. What it will not
   * have stays on the disk and holds up nothing.
   */
  async sendAll(queues: Queue[]): Promise<boolean> {
    while (queues.length) {
      const queue = queues[0]!;
      while (queue.events.length) {
        const before = queue.events.length;
        const outcome = await this.send(queue, false);
        if (outcome === "retry") return false;
        if (outcome !== "again" && queue.events.length === before) break;
      }
      // Its draft has served, or this page has taken it over under its own name.
      if (!queue.events.length) this.store.forgetDrafts((draft) => draft.page === queue.page);
      queues.shift();
    }
    return true;
  }

  /** One batch; of this page, which is its `own`, a gap does not end the sending. */
  async send(queue: Queue, own: boolean): Promise<Outcome> {
    const batch = takeBytes(queue.events.slice(0, queue.most), this.batchBytes);
    const sentAt = performance.now();
    const answer = await this.api.post("/api/events", { page: queue.page, events: batch });
    const ack = answer.body["ack"];
    // Whatever the status says: what the server has stored need not go again.
    if (typeof ack === "number" && answer.status !== 0) this.drop(queue, ack);
    if (answer.status === 400 || answer.status === 413) return this.unacceptable(answer, queue, batch, own);
    if (answer.status !== 200) return this.failed(answer, queue, own);
    // Behind a gap that nothing will fill an earlier page's events are stored, and never acknowledged.
    if (!own && typeof ack === "number" && ack < batch[0]!.seq) return "refused";
    if (typeof ack !== "number" || ack < batch[0]!.seq) return this.failed({ status: 0, body: {} }, queue, own);
    queue.most = Infinity;
    this.hooks.answered(queue, answer, performance.now() - sentAt);
    return "done";
  }

  /** The server refuses the batch for what is in it: found by halves, that event gives its number to a small note. */
  private unacceptable(answer: Answer, queue: Queue, batch: LoggedEvent[], own: boolean): Outcome {
    if (answer.status === 413) this.batchBytes = Math.max(SMALLEST_BATCH, this.batchBytes / 2);
    if (batch.length > 1) {
      queue.most = Math.floor(batch.length / 2);
      return "again";
    }
    const place = queue.events.findIndex((stored) => stored.seq === batch[0]!.seq);
    const refused = queue.events[place];
    // A note that is refused as well says nothing of the event: the server takes none at all.
    if (!refused || refused.event.kind === NOTE) return own ? this.failed(answer, queue, own) : "refused";
    const { kind, payload } = refused.event;
    const note: Record<string, unknown> = { refused: kind, why: String(answer.body["error"] ?? answer.status).slice(0, 300) };
    if ((kind === "load" || kind === "edit") && typeof payload["task"] === "string") note["task"] = payload["task"];
    // The hash stays: after this event the page shows what it showed, for a draft that is newer than the server's text.
    const stored = { ...refused, event: { ...refused.event, kind: NOTE, payload: note } };
    queue.events[place] = stored;
    this.store.put(stored, null);
    this.hooks.noted(queue, refused.event);
    return "again";
  }

  private failed(answer: Answer, queue: Queue, own: boolean): Outcome {
    if (!own && answer.status !== 409 && !LATER.includes(answer.status)) return "refused";
    return this.hooks.failed(queue, answer);
  }

  private drop(queue: Queue, ack: number): void {
    const dropped = queue.events.filter((stored) => stored.seq <= ack);
    if (!dropped.length) return;
    queue.events = queue.events.filter((stored) => stored.seq > ack);
    this.hooks.dropped(queue, dropped, ack);
  }
}

/** The longest beginning of the queue that fits; at least one event unless `strict`. */
export function takeBytes(queue: StoredEvent[], limit: number, strict = false): LoggedEvent[] {
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
