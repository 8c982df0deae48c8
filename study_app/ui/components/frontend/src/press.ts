// A press that is not lost: sent until the server has answered, whatever becomes of the connection in between.
import type { Api } from "./api";

const RETRY_MS = [1000, 2000, 4000, 5000];

export interface PressListener {
  /** The server cannot be reached; the press waits. */
  waiting: () => void;
  /** The server has carried it out, or says that it was carried out before. */
  done: () => void;
  /** The server says no; its sentence. */
  refused: (message: string) => void;
}

export class Press {
  private timer: number | undefined;
  private failures = 0;
  private ended = false;

  constructor(
    private readonly api: Api,
    private readonly body: Record<string, unknown>,
    private readonly listener: PressListener,
  ) {
    window.addEventListener("online", this.now);
    void this.send();
  }

  private async send(): Promise<void> {
    const { status, body } = await this.api.post("/api/act", this.body);
    if (this.ended) return;
    if (status === 200) return this.finish(this.listener.done);
    // 401: this browser is not known any more; the page that is loaded next says so.
    if (status === 401) return this.finish(() => location.reload());
    // Without a sentence it is not the server that answered.
    if (status >= 400 && body["error"]) return this.finish(() => this.listener.refused(String(body["error"])));
    this.listener.waiting();
    this.timer = window.setTimeout(() => void this.send(), RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]);
  }

  private readonly now = (): void => {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    void this.send();
  };

  private finish(then: () => void): void {
    this.cancel();
    then();
  }

  cancel(): void {
    this.ended = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.now);
  }
}
