// Words in a box that are sent by a button: kept on this computer as they are typed, so that a reload loses none.
import type { Draft, Store } from "./store";

export class Kept {
  private readonly texts: Map<string, string>;

  constructor(private readonly store: Store, drafts: ReadonlyMap<string, Draft>) {
    this.texts = new Map([...drafts].map(([name, draft]) => [name, draft.text]));
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
