"""Repairs a participant's program once: slips in their own lines first, then whole functions from the notes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from study_app.assistant.embedded.programs import parsed, sections, unfenced, unfinished, with_functions
from study_app.assistant.inspection import CodeFinding, inspected
from study_app.assistant.notebook import Notebook

_SLIPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^( {0,80})with (trio\.open_nursery\()"), r"\1async with \2"),
    (re.compile(r"^( {0,80})async with (trio\.(?:move_on_after|fail_after)\()"), r"\1with \2"),
    (re.compile(r"(?:await )?\b(?:time|asyncio)\.sleep\("), "await trio.sleep("),
    (re.compile(r"\bawait (\w{1,60}\.start_soon\(|print\()"), r"\1"),
    (re.compile(r"(?<!await )(?<!\w)(trio\.sleep\()"), r"await \1"),
    (re.compile(r"\.start_soon\((\w{1,60})\(([^()]{0,200})\)\)"), r".start_soon(\1, \2)"),
)
_CALLS = re.compile(r"calls the async function `(\w+)` without")
_MEANT = re.compile(r"uses `(\w+)`, which has no value\. Did you mean `(\w+)`")
_SPELT = re.compile(r"says `([\w.]+)`; the name is `([\w.]+)`")


def repaired(code: str, notebook: Notebook, starter: str) -> tuple[str, list[CodeFinding], list[str]]:
    """Return (the program, what was wrong, the functions taken from the notes).

    Args:
        code: The participant's program.
        notebook: The notes.
        starter: The task's starter.
    """
    found = inspected(code, notebook)
    corrected = _slips_corrected(code, found)
    left = inspected(corrected, notebook)
    versions = {note.title: unfenced(note.code) for note in notebook.of_kind("code")}
    broken = [name for name in versions if any(one.function == name for one in left)]
    if not found:
        broken = unfinished(code, versions) or _differing(code, versions)
    if any(one.function == "__main__" for one in left):
        corrected = "\n\n\n".join(one.text for one in sections(corrected) if one.name != "__main__") + "\n"
    program = with_functions(corrected, {name: versions[name] for name in broken}, starter)
    if isinstance(parsed(program), SyntaxError) or _still(program, notebook, versions):
        program, broken = with_functions(code, versions, starter), list(versions)
    return program, found, broken


def _still(program: str, notebook: Notebook, versions: dict[str, str]) -> bool:
    return any(one.function in versions for one in inspected(program, notebook))


def _differing(code: str, versions: dict[str, str]) -> list[str]:
    """Return the functions that are written otherwise than in the notes."""
    own = {one.name: " ".join(one.text.split()) for one in sections(code)}
    return [name for name, text in versions.items() if own.get(name) != " ".join(text.split())]


def _slips_corrected(code: str, found: Sequence[CodeFinding]) -> str:
    lines = code.splitlines()
    for one in found:
        if 0 < one.line <= len(lines):
            lines[one.line - 1] = _line_corrected(lines[one.line - 1], one)
    return "\n".join(lines) + "\n"


def _line_corrected(line: str, finding: CodeFinding) -> str:
    if "expected ':'" in finding.what and not line.rstrip().endswith(":"):
        return f"{line.rstrip()}:"
    if called := _CALLS.search(finding.what):
        return re.sub(rf"(?<!await )(?<![\w.]){called.group(1)}\(", f"await {called.group(1)}(", line, count=1)
    for pattern in (_MEANT, _SPELT):
        if meant := pattern.search(finding.what):
            return re.sub(rf"(?<![\w.]){re.escape(meant.group(1))}(?!\w)", meant.group(2), line)
    for pattern, better in _SLIPS:
        line = pattern.sub(better, line)
    return line.replace(", )", ")")
