// Words in a box that are sent by a button: kept on this computer as they are typed, so that a reload loses none.
import type { Draft, Store } from "./store";

/** Names under which versions before kept words; drafts of tasks, which may have the same names, belong to a page. */
const BEFORE = { message: "chat:message" };

export class Kept {
  private readonly texts: Map<string, string>;

  constructor(private readonly store: Store, drafts: ReadonlyMap<string, Draft>) {
    this.texts = new Map([...drafts].map(([name, draft]) => [name, draft.text]));
    for (const [before, now] of Object.entries(BEFORE)) {
      const draft = drafts.get(before);
      if (draft?.page !== "") continue;
      if (!this.get(now)) this.set(now, draft.text);
      this.set(before, "");
    }
  }

  get(name: string): string {
    return this.texts.get(name) ?? "";
  }

  /** Empty words are forgotten. */
  set(name: string, text: string): void {
    if (text === this.get(name)) return;
    this.texts.set(name, text);
    this.store.keep(name, text);
  }

  /** Keeps a box from now on; returns what it held. */
  box(name: string, box: HTMLTextAreaElement | HTMLInputElement): string {
    box.addEventListener("input", () => this.set(name, box.value));
    return this.get(name);
  }
}
