// The bar over the editor: the file's name, find, the size of the text, back to the starter. No completion of names is
// offered anywhere: what an arm's help consists of is the study's decision.
import { h, remember, remembered } from "./dom";
import type { Say } from "./texts";

const KEY = "study-app-code-size";
const [SMALLEST, USUAL, LARGEST] = [11, 14, 24];
/** English words of CodeMirror's search panel, by our names. */
const PHRASES: Record<string, string> = {
  find: "Find",
  replace: "Replace",
  next: "next",
  previous: "previous",
  all: "all",
  "match case": "match case",
  "by word": "by word",
  regexp: "regexp",
  "replace once": "replace",
  "replace all": "replace all",
  close: "close",
  // These are announced to screen readers only.
  "selection deleted": "Selection deleted",
  "current match": "current match",
  "on line": "on line",
  "replaced match": "replaced match on line $",
  "replaced all": "replaced $ matches",
};

export function phrasesOf(say: Say): Record<string, string> {
  return Object.fromEntries(Object.entries(PHRASES).map(([name, english]) => [english, say(`find_${name.replace(" ", "_")}`)]));
}

export class EditorTools {
  readonly element: HTMLElement;
  private size = Math.min(LARGEST, Math.max(SMALLEST, remembered(KEY)["size"] ?? USUAL));
  private readonly starter: HTMLButtonElement;

  constructor(
    private readonly room: HTMLElement,
    say: Say,
    on: { find: () => void; starter: () => void },
  ) {
    const button = (title: string, words: string, onclick: () => void) => {
      // Who speaks to the page names what is seen on the button.
      const label = title.toLowerCase().includes(words.toLowerCase()) ? title : `${words} ${title}`;
      return h("button", { type: "button", class: "sa-quiet sa-tool", "aria-label": label, title, onclick }, words);
    };
    this.starter = button(say("starter_back"), say("starter"), on.starter);
    this.element = h(
      "div",
      { class: "sa-tools", role: "toolbar", "aria-label": say("editor_tools") },
      h("span", { class: "sa-file" }, "main.py"),
      button(say("find_in_code"), say("find_find"), on.find),
      button(say("text_smaller"), "A−", () => this.grow(-1)),
      button(say("text_larger"), "A+", () => this.grow(1)),
      this.starter,
    );
    this.apply();
  }

  offerStarter(offered: boolean): void {
    this.starter.hidden = !offered;
  }

  private grow(by: number): void {
    this.size = Math.min(LARGEST, Math.max(SMALLEST, this.size + by));
    remember(KEY, { size: this.size });
    this.apply();
  }

  private apply(): void {
    this.room.style.setProperty("--code-size", `${this.size}px`);
  }
}
