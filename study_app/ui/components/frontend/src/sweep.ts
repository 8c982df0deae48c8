// On pages without a log: sends what earlier pages could not, then leaves nothing of it on this computer.
import type { Answer, Api } from "./api";
import { Outbox, type Outcome, type Queue, queueOf } from "./outbox";
import { Store } from "./store";
import type { ForgetData } from "./types";

/** By then the page before has closed its log. */
const CLOSED_MS = 2000;
const AGAIN_MS = [2000, 5000, 10_000, 30_000];

export class Sweep {
  private stopped = false;

  constructor(
    private readonly api: Api,
    private readonly what: ForgetData,
  ) {
    void this.run();
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(): Promise<void> {
    const { page_key, events } = this.what;
    const store = await Store.open(page_key);
    if (events) store.forgetOwner();
    // Reading them deletes what is too old, of whomever it is.
    await Promise.all([store.drafts(), store.leftovers()]);
    await wait(CLOSED_MS);
    for (let tries = 0; !this.stopped && !(await this.sweep(store)); tries++) {
      await wait(AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]!);
    }
    store.close();
  }

  /** True once there is nothing more to do; false where the server cannot be asked now. */
  private async sweep(store: Store): Promise<boolean> {
    if (!this.what.events && !(await this.send(store))) return false;
    if (this.stopped) return true;
    // The last page is the last one that could send: what the server will not have is of no use to anybody.
    if (this.what.events || this.what.last) store.forgetOwner();
    else {
      const unsent = await store.leftovers();
      if (!this.stopped) store.forgetDrafts(({ page }) => !unsent.has(page));
    }
    return true;
  }

  private async send(store: Store): Promise<boolean> {
    const outbox = new Outbox(this.api, store, {
      answered: () => undefined,
      dropped: ({ page }, _, ack) => store.acknowledged(page, ack, null),
      noted: () => undefined,
      failed: (_: Queue, { status }: Answer): Outcome => (status === 409 ? "refused" : "retry"),
    });
    const queues = [...(await store.leftovers())].map(queueOf);
    return outbox.sendAll(queues);
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
