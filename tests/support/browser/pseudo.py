"""A study in a language of no people: every text of it is written in letters that English does not have.

What stands on a page in plain letters, outside code and Python's own messages, did not come through the texts.
"""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli_w
from support.paths import ROOT

from study_app.content.languages.language_checks import content_texts
from study_app.content.library import FolderLibrary
from study_app.content.study_file import validate_study
from study_app.content.texts import catalogue

CODE = "qps"
PLAIN, MARKED = "abcdefghijklmnopqrstuvwxyz", "ȧƀċḋḗƒɠħīĵķŀḿƞǿƥɋřşŧŭṽẇẋẏẑ"
LETTERS = str.maketrans(PLAIN + PLAIN.upper(), MARKED + MARKED.upper())
KEPT = re.compile(r"(```.*?```|`[^`]*`|\{\w+\})", re.DOTALL)
"""Code and placeholders."""
FIND = """() => {
  const skip = 'code, pre, script, style, textarea, .cm-content, .cm-gutters, .code-box, .sa-file, .sa-line, mark, '
    + '.sa-asked, [translate=no]';
  const seen = (e) => e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  const plain = (text) => /[A-Za-z]{2,}/.test(text);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!parent || parent.closest(skip) || !seen(parent)) continue;
    const text = walker.currentNode.textContent.trim();
    if (plain(text)) found.push(`${parent.tagName}.${parent.className}: ${text}`);
  }
  for (const element of document.body.querySelectorAll('*')) {
    if (element.closest('.cm-content') || !seen(element)) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-description', 'aria-valuetext',
                        'aria-roledescription']) {
      const text = element.getAttribute(name) ?? '';
      if (plain(text)) found.push(`${element.tagName}.${element.className}[${name}]: ${text}`);
    }
  }
  if (plain(document.title)) found.push(`title: ${document.title}`);
  return found;
}"""


def pseudo(text: str) -> str:
    """The text in other letters, with code and placeholders as they are."""
    parts = KEPT.split(text)
    return "".join(part if at % 2 else part.translate(LETTERS) for at, part in enumerate(parts))


PYTHONS = re.compile(
    r"(?<=Ƥẏŧħǿƞ: ).*$|^[A-Z]+\.[^:]*: |\b\w+(?:Error|Exception|Warning)\b|(?<=\d): .*$|'[a-z_]\w*'|\b[a-z]+_\w+"
)
"""Where a text stood, an exception's name, its message after the line where it was raised, and names in quotes."""


def plain(found: list[str]) -> list[str]:
    """What of the texts that were found is not Python's own."""
    return [text for text in found if re.search(r"[A-Za-z]{2,}", PYTHONS.sub("", text))]


def nested(flat: dict[str, str]) -> dict[str, Any]:
    """Tables from dotted keys; names of examples and values of options may hold any sign but a dot."""
    tables: dict[str, Any] = {}
    for key, text in flat.items():
        *path, last = key.split(".")
        here = tables
        for part in path:
            here = here.setdefault(part, {})
        here[last] = text
    return tables


def pseudo_notes(pack: Path, made: Any = pseudo) -> dict[str, str]:
    """A pack's notes in the language of no people, file name to text."""
    found = {}
    for file in (pack / "notes").glob("*.md"):
        # Functions are called by their names, and what a note looks for is code.
        named = file.name in ("code.md", "hints.md", "questions.md")
        head = re.compile(r"^(## |Also: |Looks for: )" if named else r"^(Also: |Looks for: )")
        found[file.name] = "\n".join(_marked(file.read_text(), head, made))
    return found


def _marked(text: str, head: re.Pattern[str], made: Any) -> Iterator[str]:
    """The text in runs of lines and not in single ones: code within a sentence may go over the end of a line."""
    for is_head, lines in itertools.groupby(text.splitlines(), lambda line: bool(head.match(line))):
        run = "\n".join(lines)
        yield run if is_head else made(run)


def write_pseudo_study(folder: Path, study: dict[str, Any], *, code: str = CODE, made: Any = pseudo) -> Path:
    """A study file with shipped content next to it, offered in English and in the language of no people.

    Of the shipped assistant `full` there is one that acts, `agent`, and one that wants ideas explained first, `gated`.
    """
    for name in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    full = (folder / "assistants" / "full.toml").read_text()
    acts = full.replace('manner = "answers"', 'manner = "agent"') + '\n[agent]\napproval = "each"\n'
    gated = full.replace('manner = "answers"', 'manner = "answers"\ngate = "explain"')
    for name, text in (("agent", acts), ("gated", gated)):
        (folder / "assistants" / f"{name}.toml").write_text(text.replace('id = "full"', f'id = "{name}"'))
    for pack in (folder / "tasks").iterdir():
        notes = pack / f"notes.{code}"
        notes.mkdir()
        for name, text in pseudo_notes(pack, made).items():
            (notes / name).write_text(text)
    study["languages"] = ["en", code]
    file = folder / "study.toml"
    file.write_text(tomli_w.dumps(study))
    library = FolderLibrary(validate_study(study, str(file)), folder, str(file))
    pages = {key: made(text) for key, text in catalogue("en").texts.items()}
    content = {f"content.{key}": made(text) for key, text in content_texts(library).items()}
    (folder / "texts").mkdir()
    texts = {"name": made("Pseudo"), "reviewed_by": "no reviewer"} | nested(pages | content)
    (folder / "texts" / f"{code}.toml").write_text(tomli_w.dumps(texts))
    return file
