// Markdown of replies as DOM nodes. A parser makes tokens, this file makes elements of the few kinds it knows: nothing a
// model writes is ever parsed as HTML, and raw HTML shows as the text it is.
import MarkdownIt, { type Env, type Token } from "markdown-it";
import { h } from "./dom";

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true });
// `main.py` is a file, not a host in Paraguay: only addresses with a scheme become links.
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

const BLOCKS = new Set(["p", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td"]);
const INLINE = new Set(["strong", "em", "s"]);
const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i;
/** A reply's headings stand below those of the page. */
const BELOW = 3;
const DEEPEST = 6;
/** The beginning of a fence, rule, list item or table row, which would be drawn as something else for a moment. */
const UNDECIDED = /^[ \t>]*(?:[-*+_=`~|#:]{1,3}|\d{1,9}[.)]?)[ \t]*$/;

/** One block of the top level; equal keys draw alike. */
export interface Block {
  key: string;
  tokens: Token[];
}

/** `info` is what stands behind the fence: the language, and perhaps more. */
export type DrawCode = (source: string, info: string) => HTMLElement;

/** What can be drawn of a text that still grows. */
export function settledPart(text: string): string {
  const start = text.lastIndexOf("\n") + 1;
  return UNDECIDED.test(text.slice(start)) ? text.slice(0, start) : text;
}

export function blocksOf(text: string): Block[] {
  const source = text.replace(/\r\n?/g, "\n");
  const env: Env = {};
  const lines = source.split("\n");
  const references = (tokens: Token[]) => (tokens.length && env.references ? JSON.stringify(env.references) : "");
  const blocks: Block[] = [];
  let open: Token[] = [];
  let depth = 0;
  for (const token of parser.parse(source, env)) {
    open.push(token);
    depth += token.nesting;
    if (depth > 0) continue;
    const [first, end] = open[0]!.map ?? [0, 0];
    blocks.push({ key: `${open[0]!.type}\n${lines.slice(first, end).join("\n")}${references(open)}`, tokens: open });
    open = [];
  }
  return blocks;
}

/** The nodes of one block. */
export function drawBlock({ tokens }: Block, code: DrawCode): Node[] {
  const root = document.createElement("div");
  const path: HTMLElement[] = [root];
  for (const token of tokens) {
    const parent = path[path.length - 1]!;
    if (token.type === "inline") drawInline(parent, token.children ?? []);
    else if (token.type === "fence") parent.append(code(withoutEnd(token.content), token.info.trim()));
    else if (token.type === "code_block") parent.append(code(...fencedInside(withoutEnd(token.content))));
    else if (token.type === "hr") parent.append(h("hr"));
    else if (token.hidden) continue;
    else if (token.nesting === 1) path.push(parent.appendChild(element(token)));
    else if (token.nesting === -1) path.pop();
    else if (token.content) parent.append(h("p", {}, token.content));
  }
  return [...root.childNodes].map((node) => (node instanceof HTMLTableElement ? h("div", { class: "sa-table", tabindex: 0 }, node) : node));
}

function element(token: Token): HTMLElement {
  const heading = /^h([1-6])$/.exec(token.tag);
  if (heading) return document.createElement(`h${Math.min(DEEPEST, Number(heading[1]) + BELOW)}`);
  const made = document.createElement(BLOCKS.has(token.tag) ? token.tag : "div");
  const start = token.tag === "ol" ? token.attrGet("start") : null;
  if (start !== null) made.setAttribute("start", String(start));
  const align = /text-align:(left|center|right)/.exec(String(token.attrGet("style") ?? ""));
  if (align) made.style.textAlign = align[1]!;
  return made;
}

function drawInline(root: HTMLElement, tokens: Token[]): void {
  const path: HTMLElement[] = [root];
  for (const token of tokens) {
    const parent = path[path.length - 1]!;
    if (token.type === "code_inline") parent.append(h("code", {}, token.content));
    else if (token.type === "softbreak" || token.type === "hardbreak") parent.append(h("br"));
    else if (token.type === "image") parent.append(link(String(token.attrGet("src") ?? ""), token.content || "image"));
    else if (token.type === "link_open") path.push(parent.appendChild(link(String(token.attrGet("href") ?? ""))));
    else if (token.nesting === 1) path.push(parent.appendChild(document.createElement(INLINE.has(token.tag) ? token.tag : "span")));
    else if (token.nesting === -1) path.pop();
    else parent.append(token.content);
  }
}

/** A way out opens beside the study; what leads nowhere outside is text. */
function link(href: string, text?: string): HTMLElement {
  if (!SAFE_LINK.test(href)) return h("span", {}, text);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
}

function withoutEnd(content: string): string {
  return content.replace(/\n$/, "");
}

/** A fence that stands four columns too far to the right, as models write them under list items. */
function fencedInside(content: string): [string, string] {
  const fence = /^(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*\n([\s\S]*?)\n?(?:\1[`~]*\s*)?$/.exec(content);
  return fence ? [fence[3]!, fence[2]!] : [content, ""];
}
