// Where pasted text came from: what was copied on this page, and from which part of it.
import type { EventLog } from "./log";
import type { Source } from "./types";

const REMEMBERED = 60;
const MAX_TEXT = 20_000;
/** Shorter text (a name, a keyword) says nothing by its content alone. */
const TELLING = 12;

export interface Origin {
  from: Source;
  turn_id?: string;
}

interface Copied extends Origin {
  text: string;
}

export class Provenance {
  private copies: Copied[] = [];

  /** `sources` lists the texts now on the page, for pastes whose copying this page did not see. */
  constructor(
    private readonly log: EventLog,
    private readonly root: HTMLElement,
    private readonly sources: () => Copied[],
    private readonly editorSelection: () => string,
  ) {
    root.addEventListener("copy", this.onCopy, true);
    root.addEventListener("cut", this.onCopy, true);
    root.addEventListener("dragstart", this.onDrag, true);
  }

  remember(text: string, origin: Origin): void {
    this.copies = [{ ...origin, text: squeeze(text) }, ...this.copies].slice(0, REMEMBERED);
  }

  identify(text: string): Origin & { matched: "copy" | "content" | "nothing" } {
    const wanted = squeeze(text);
    const copy = this.copies.find((each) => each.text === wanted);
    if (copy) return { ...originOf(copy), matched: "copy" };
    if (wanted.length >= TELLING) {
      const part = [...this.copies, ...this.sources()].find((each) => squeeze(each.text).includes(wanted));
      if (part) return { ...originOf(part), matched: "content" };
    }
    return { from: "outside", matched: "nothing" };
  }

  /** Records an attempt to paste or drop `text` and says where it came from. */
  attempt(text: string, how: "paste" | "drop", target: "editor" | "message"): Origin {
    const origin = this.identify(text);
    this.log.add("paste_attempt", { text: text.slice(0, MAX_TEXT), length: text.length, how, target, ...origin });
    return origin;
  }

  /** Records that code of a reply went into the editor by a button, as the paste that it is. */
  inserted(text: string, turnId: string): void {
    this.remember(text, { from: "reply", turn_id: turnId });
    const taken = { turn_id: turnId, text: text.slice(0, MAX_TEXT), how: "insert" };
    this.log.add("copy_reply", taken);
    this.log.add("paste_attempt", { ...taken, length: text.length, target: "editor", from: "reply", matched: "copy" });
  }

  private readonly onCopy = (event: ClipboardEvent): void => {
    const kind = event.type === "cut" ? "cut" : "copy";
    const { text, ...origin } = this.selection(event);
    if (!text) return;
    this.remember(text, origin);
    this.log.add(kind, { text: text.slice(0, MAX_TEXT), length: text.length, ...origin });
    if (origin.from === "reply") {
      this.log.add("copy_reply", { turn_id: origin.turn_id, text: text.slice(0, MAX_TEXT), how: "selection" });
    }
  };

  private readonly onDrag = (event: DragEvent): void => {
    const { text, ...origin } = this.selection(event);
    if (text) this.remember(text, origin);
  };

  private selection(event: Event): Copied {
    const target = event.target instanceof Element ? event.target : null;
    if (target instanceof HTMLTextAreaElement) {
      const text = target.value.slice(target.selectionStart, target.selectionEnd);
      // A proposal that is edited first: what is the assistant's there, the page knows by its words.
      const known = target.matches(".sa-agent-edit") ? this.identify(text) : { from: "outside" as const };
      return known.from === "outside" ? { from: "message", text } : { ...originOf({ ...known, text }), text };
    }
    if (target?.closest(".cm-editor")) return { from: "editor", text: this.editorSelection() };
    const selection = document.getSelection();
    const anchor = selection?.anchorNode;
    const element = anchor instanceof Element ? anchor : anchor?.parentElement;
    const place = element?.closest<HTMLElement>("[data-source]");
    const from = (place?.dataset["source"] ?? "outside") as Source;
    const turn = place?.dataset["turn"];
    return { from, text: selection?.toString() ?? "", ...(turn ? { turn_id: turn } : {}) };
  }

  destroy(): void {
    this.root.removeEventListener("copy", this.onCopy, true);
    this.root.removeEventListener("cut", this.onCopy, true);
    this.root.removeEventListener("dragstart", this.onDrag, true);
  }
}

function originOf({ from, turn_id }: Copied): Origin {
  return turn_id ? { from, turn_id } : { from };
}

/** White space carries no authorship: editors and browsers change it on the way. */
function squeeze(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
