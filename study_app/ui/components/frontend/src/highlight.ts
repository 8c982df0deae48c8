// Python colours by class names, the same in the editor, the replies, the brief and the notes.
import { pythonLanguage } from "@codemirror/lang-python";
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { h } from "./dom";

const PYTHON = new Set(["", "py", "python", "python3"]);
/** Milliseconds for one block: text that is not Python can take the parser very long, and colours are worth no wait. */
const MOST_PATIENCE = 150;
const LEAST_PATIENCE = 10;
let patience = MOST_PATIENCE;

export function highlighted(code: string, language: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const tree = PYTHON.has(language.toLowerCase()) ? parsedInTime(code) : null;
  if (!tree) {
    fragment.append(code);
    return fragment;
  }
  highlightCode(
    code,
    tree,
    classHighlighter,
    (text, classes) => fragment.append(classes ? h("span", { class: classes }, text) : text),
    () => fragment.append("\n"),
  );
  return fragment;
}

/** Null where it took too long; the next attempt then gets less time, for a reply is drawn many times while it grows. */
function parsedInTime(code: string): ReturnType<typeof pythonLanguage.parser.parse> | null {
  const parse = pythonLanguage.parser.startParse(code);
  const until = performance.now() + patience;
  for (let tree = parse.advance(); ; tree = parse.advance()) {
    if (tree) {
      patience = Math.min(MOST_PATIENCE, 2 * patience);
      return tree;
    }
    if (performance.now() > until) break;
  }
  patience = Math.max(LEAST_PATIENCE, patience / 2);
  return null;
}

/** Colours the code blocks of a page that the server rendered from Markdown. */
export function highlightBlocks(root: HTMLElement): void {
  for (const code of root.querySelectorAll<HTMLElement>("pre > code")) {
    const language = /language-(\w+)/.exec(code.className)?.[1] ?? "";
    code.replaceChildren(highlighted(code.textContent ?? "", language));
  }
}
