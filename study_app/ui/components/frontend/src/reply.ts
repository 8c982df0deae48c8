// Draws a reply from its Markdown text, node by node: nothing a model writes is ever parsed as HTML.
import { h } from "./dom";
import { highlighted } from "./highlight";

export interface Block {
  kind: "code" | "heading" | "list" | "text";
  source: string;
  language?: string;
  ordered?: boolean;
}

const FENCE = /^\s*(`{3,}|~{3,})\s*([\w+#.-]*)/;
const BULLET = /^\s{0,8}([-*+]|\d+[.)])\s+/;
const HEADING = /^#{1,6}\s+/;

export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    const fence = FENCE.exec(line);
    if (fence) {
      let end = at + 1;
      while (end < lines.length && !lines[end]!.trim().startsWith(fence[1]!)) end++;
      blocks.push({ kind: "code", source: lines.slice(at + 1, end).join("\n"), language: fence[2] ?? "" });
      at = end + 1;
    } else if (!line.trim()) {
      at++;
    } else if (HEADING.test(line)) {
      blocks.push({ kind: "heading", source: line.replace(HEADING, "") });
      at++;
    } else {
      const list = BULLET.exec(line);
      let end = at + 1;
      while (end < lines.length && continues(lines[end]!, list !== null)) end++;
      const source = lines.slice(at, end).join("\n");
      blocks.push(list ? { kind: "list", source, ordered: /\d/.test(list[1]!) } : { kind: "text", source });
      at = end;
    }
  }
  return blocks;
}

function continues(line: string, inList: boolean): boolean {
  if (!line.trim() || FENCE.test(line) || HEADING.test(line)) return false;
  return inList || !BULLET.test(line);
}

/** `code` and **strong** inside a line; everything else as it stands. */
function inline(text: string): Node[] {
  const nodes: Node[] = [];
  for (const part of text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/)) {
    if (part.length > 2 && part.startsWith("`")) nodes.push(h("code", {}, part.slice(1, -1)));
    else if (part.length > 4 && part.startsWith("**")) nodes.push(h("strong", {}, part.slice(2, -2)));
    else if (part) nodes.push(document.createTextNode(part));
  }
  return nodes;
}

function listOf(block: Block): HTMLElement {
  const list = h(block.ordered ? "ol" : "ul");
  for (const line of block.source.split("\n")) {
    const item = BULLET.test(line) || !list.lastElementChild ? list.appendChild(h("li")) : list.lastElementChild;
    if (item.childNodes.length) item.append(" ");
    item.append(...inline(line.replace(BULLET, "").trim()));
  }
  return list;
}

export interface ReplyTexts {
  copy: string;
  copied: string;
}

/** A reply that may still grow: only blocks that changed are drawn again, so that a selection above survives. */
export class ReplyView {
  readonly element = h("div", { class: "sa-reply", "data-source": "reply" });
  private drawn: string[] = [];

  constructor(
    private readonly texts: ReplyTexts,
    private readonly onCopy: (text: string) => void,
  ) {}

  show(text: string): void {
    const blocks = blocksOf(text);
    const keys = blocks.map((block) => JSON.stringify(block));
    let same = 0;
    while (same < keys.length && keys[same] === this.drawn[same]) same++;
    while (this.element.children.length > same) this.element.lastElementChild!.remove();
    for (const block of blocks.slice(same)) this.element.append(this.draw(block));
    this.drawn = keys;
  }

  private draw(block: Block): HTMLElement {
    if (block.kind === "code") return this.drawCode(block);
    if (block.kind === "list") return listOf(block);
    return h(block.kind === "heading" ? "h4" : "p", {}, ...inline(block.source));
  }

  private drawCode(block: Block): HTMLElement {
    const label = h("span", { class: "sa-code-language" }, block.language || "");
    const button = h("button", { type: "button", class: "sa-quiet sa-copy" }, this.texts.copy);
    button.addEventListener("click", () => {
      void writeClipboard(block.source);
      this.onCopy(block.source);
      button.textContent = this.texts.copied;
      setTimeout(() => (button.textContent = this.texts.copy), 1600);
    });
    const code = h("code");
    code.append(highlighted(block.source, block.language ?? ""));
    return h("div", { class: "sa-code" }, h("div", { class: "sa-code-bar" }, label, button), h("pre", { tabindex: 0 }, code));
  }
}

async function writeClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
}

/** For origins without the clipboard interface (plain http on a local network). */
function copyBySelection(text: string): void {
  const area = h("textarea", { class: "sa-hidden", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
