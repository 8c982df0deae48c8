// Telling Streamlit that this task is over, as often as it takes: a trigger can be lost, the server decides.

const REPEAT_MS = 3000;

export interface Advance {
  reason: "submitted" | "deadline" | "stage";
  stage: string;
  step: string | number | null;
  task: string;
  /** Counts the calls, so that no two are alike. */
  n: number;
}

export class Repeater<V extends { n: number }> {
  private timer: number | undefined;
  private n = 0;

  constructor(private readonly send: (value: V) => void) {}

  get running(): boolean {
    return this.timer !== undefined;
  }

  start(value: Omit<V, "n">): void {
    if (this.running) return;
    const call = () => this.send({ ...value, n: ++this.n } as V);
    this.timer = window.setInterval(call, REPEAT_MS);
    // Not in the midst of a mount or an update, where Streamlit may drop it.
    setTimeout(call, 50);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
