// A reply on the page, which may still grow: text as Markdown, code with buttons to take it.
import { copyText, h } from "./dom";
import { highlighted } from "./highlight";
import { blocksOf, drawBlock, settledPart } from "./markdown";

const COPIED_MS = 1600;

export interface ReplyTexts {
  copy: string;
  copied: string;
  insert: string;
}

export interface ReplyHooks {
  copied: (text: string) => void;
  /** Absent where the study gives no button for it. */
  insert?: ((text: string) => void) | undefined;
}

/** Only blocks that changed are drawn again, so that a selection above survives. */
export class ReplyView {
  readonly element = h("div", { class: "sa-reply", "data-source": "reply" });
  private drawn: { key: string; nodes: number }[] = [];

  constructor(
    private readonly texts: ReplyTexts,
    private readonly hooks: ReplyHooks,
  ) {}

  show(text: string, growing: boolean): void {
    const blocks = blocksOf(growing ? settledPart(text) : text);
    let same = 0;
    while (same < blocks.length && blocks[same]!.key === this.drawn[same]?.key) same++;
    const kept = this.drawn.slice(0, same);
    const nodes = kept.reduce((sum, block) => sum + block.nodes, 0);
    while (this.element.childNodes.length > nodes) this.element.lastChild!.remove();
    for (const block of blocks.slice(same)) {
      const fresh = drawBlock(block, (source, info) => this.code(source, info));
      this.element.append(...fresh);
      kept.push({ key: block.key, nodes: fresh.length });
    }
    this.drawn = kept;
  }

  private code(source: string, info: string): HTMLElement {
    const label = h("span", { class: "sa-code-language", translate: "no" }, info);
    const bar = h("div", { class: "sa-code-bar" }, label, copyButton(this.texts, () => source, this.hooks.copied));
    const { insert } = this.hooks;
    if (insert) {
      bar.append(h("button", { type: "button", class: "sa-quiet sa-copy", onclick: () => insert(source) }, this.texts.insert));
    }
    const code = h("code");
    code.append(highlighted(source, info.split(/\s+/)[0] ?? ""));
    return h("div", { class: "sa-code" }, bar, h("pre", { tabindex: 0 }, code));
  }
}

/** A button that copies and says so. */
export function copyButton(
  texts: { copy: string; copied: string },
  source: () => string,
  copied: (text: string) => void,
): HTMLButtonElement {
  const button = h("button", { type: "button", class: "sa-quiet sa-copy" }, texts.copy);
  button.addEventListener("click", () => {
    const text = source();
    void copyText(text);
    copied(text);
    button.textContent = texts.copied;
    setTimeout(() => (button.textContent = texts.copy), COPIED_MS);
  });
  return button;
}
