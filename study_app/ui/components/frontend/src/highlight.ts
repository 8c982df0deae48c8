// Python colours by class names, the same in the editor, the replies, the brief and the notes.
import { pythonLanguage } from "@codemirror/lang-python";
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { h } from "./dom";

const PYTHON = new Set(["", "py", "python", "python3"]);

export function highlighted(code: string, language: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  if (!PYTHON.has(language.toLowerCase())) {
    fragment.append(code);
    return fragment;
  }
  highlightCode(
    code,
    pythonLanguage.parser.parse(code),
    classHighlighter,
    (text, classes) => fragment.append(classes ? h("span", { class: classes }, text) : text),
    () => fragment.append("\n"),
  );
  return fragment;
}

/** Colours the code blocks of a page that the server rendered from Markdown. */
export function highlightBlocks(root: HTMLElement): void {
  for (const code of root.querySelectorAll<HTMLElement>("pre > code")) {
    const language = /language-(\w+)/.exec(code.className)?.[1] ?? "";
    code.replaceChildren(highlighted(code.textContent ?? "", language));
  }
}
