"""What can be seen to be wrong, or still missing, in a participant's code without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from study_app.assistant.embedded.differences import differences
from study_app.assistant.embedded.faults import ProgramFault, faults
from study_app.assistant.embedded.programs import MAX_CHARACTERS, AnyDef, parsed, sections, unfenced, unfinished
from study_app.assistant.notebook import Note, Notebook
from study_app.domain.assistants.embedded_sentences import FAULTS

__all__ = ["MAX_CHARACTERS", "CodeFinding", "findings", "inspected", "unfinished"]

_MAX_LINE = 300
_DOTTED = re.compile(r"\b[a-z]\w{0,40}\.[a-z]\w{0,60}")


@dataclass(frozen=True)
class CodeFinding:
    """One thing that is wrong."""

    line: int
    """In the participant's code, from 1."""
    what: str
    """One sentence, Markdown."""
    note: Note | None = None
    """The note that explains it."""
    function: str = ""
    """The top-level function it stands in; `__main__` for the part that runs."""


def inspected(code: str, notebook: Notebook) -> list[CodeFinding]:
    """Everything found, by line: what the notes look for, what the syntax tree shows, what the task's version has."""
    errors = notebook.of_kind("errors")
    found = findings(code, errors, _dotted(notebook))
    tree = parsed(code)
    if isinstance(tree, SyntaxError):
        return found
    versions = {note.title: unfenced(note.code) for note in notebook.of_kind("code")}
    seen = {one.line for one in found} | {one.function for one in found}
    for fault in differences(tree, versions):
        name = _function_at(tree, fault.line)
        if fault.line not in seen and name not in seen:
            found.append(CodeFinding(fault.line, fault.what, _explaining(fault, notebook), name))
    return sorted(found, key=lambda one: one.line)


def findings(code: str, errors: Iterable[Note], known: frozenset[str] = frozenset()) -> list[CodeFinding]:
    """Return what Python cannot read, what the notes look for, what a syntax tree shows whatever the task; by line."""
    if len(code) > MAX_CHARACTERS:
        return []
    errors = list(errors)
    tree = parsed(code)
    if isinstance(tree, SyntaxError):
        return [_unreadable(code, tree, errors)]
    found = {one.line: one for one in (_found(fault, errors) for fault in faults(tree, known))}
    found |= {one.line: one for one in _matches(code, errors)}
    return [_placed(found[line], tree) for line in sorted(found)]


def _unreadable(code: str, error: SyntaxError, errors: list[Note]) -> CodeFinding:
    line = error.lineno or 1
    at = 0
    name = ""
    for section in sections(code):
        at = code.find(section.text, at)
        if code.count("\n", 0, at) < line:
            name = section.name
    what = FAULTS("unreadable", line=line, message=error.msg)
    return CodeFinding(line, what, _by_title(errors, error), name)


def _by_title(errors: list[Note], error: SyntaxError) -> Note | None:
    message = error.msg.lower()
    for note in errors:
        if note.title.lower().strip("'") in message or message in note.title.lower():
            return note
    kind = "IndentationError" if "indent" in message else "SyntaxError"
    return next((note for name in (kind, "SyntaxError") for note in errors if note.title == name), None)


def _found(fault: ProgramFault, errors: list[Note]) -> CodeFinding:
    about = fault.about.lower()
    note = next((one for one in errors if about in f"{one.title} {one.also}".lower()), None)
    return CodeFinding(fault.line, fault.what, note)


def _explaining(fault: ProgramFault, notebook: Notebook) -> Note | None:
    """Return the note on what a function lacks: the one with the words in its title, else in its `Also`."""
    about = fault.about.lower()
    for kind in ("concepts", "errors"):
        for note in notebook.of_kind(kind):
            if (
                about == note.title.lower()
                or (" " in about and about in note.title.lower())
                or about in [part.strip() for part in note.also.lower().split(",")]
            ):
                return note
    return None


def _dotted(notebook: Notebook) -> frozenset[str]:
    return frozenset(name for note in notebook.notes for name in _DOTTED.findall(note.body))


def _matches(code: str, errors: Iterable[Note]) -> list[CodeFinding]:
    """Return what the notes' own patterns find, comments left aside: for each note the first line."""
    lines = [line.split("#")[0].rstrip()[:_MAX_LINE] for line in code.splitlines()] or [""]
    patterns = [note for note in errors if note.looks_for]
    found: dict[str, CodeFinding] = {}
    for number, (line, following) in enumerate(zip(lines, [*lines[1:], ""], strict=True), 1):
        for note in patterns:
            if line and note.title not in found and _begins_in(line, following, note):
                what = FAULTS("looked_for", line=number, source=line.strip())
                found[note.title] = CodeFinding(number, what, note)
    return list(found.values())


def _begins_in(line: str, following: str, note: Note) -> bool:
    """Return whether the note's pattern matches a piece that begins in the line; it may reach into the next one."""
    match = note.looks_for.search(f"{line}\n{following}") if note.looks_for else None
    return match is not None and match.start() < len(line)


def _placed(finding: CodeFinding, tree: ast.Module) -> CodeFinding:
    return CodeFinding(finding.line, finding.what, finding.note, _function_at(tree, finding.line))


def _function_at(tree: ast.Module, line: int) -> str:
    for node in tree.body:
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            if isinstance(node, AnyDef):
                return node.name
            if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
                return "__main__"
    return ""
