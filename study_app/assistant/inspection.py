"""What can be seen to be wrong, or still missing, in a participant's code without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from study_app.assistant.notebook import Note

MAX_CHARACTERS = 60_000
"""Longer code is not looked at: reading it would hold up the other participants."""
_MAX_LINE = 300
_AsyncDef = ast.AsyncFunctionDef
_AnyDef = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    line: int
    """In the participant's code, from 1."""
    what: str
    """One sentence, Markdown."""
    note: Note | None = None
    """The error note that explains it."""
    function: str = ""
    """The function it stands in."""


def findings(code: str, errors: Iterable[Note]) -> list[Finding]:
    """Everything found, by line: what Python cannot read, coroutines never awaited, what the pack's notes look for."""
    if len(code) > MAX_CHARACTERS:
        return []
    tree = _parsed(code)
    if isinstance(tree, SyntaxError):
        line = tree.lineno or 1
        return [Finding(line, f"Line {line} cannot be read by Python: {tree.msg}.", _by_title(errors, tree.msg))]
    found = {one.line: one for one in [*_matches(code, errors), *_never_awaited(tree, errors)]}
    return [_placed(found[line], tree) for line in sorted(found)]


def unfinished(code: str, names: Iterable[str]) -> list[str]:
    """Those of the named functions that the code lacks, or whose body does nothing yet."""
    tree = _parsed(code[:MAX_CHARACTERS])
    if isinstance(tree, SyntaxError):
        return list(names)
    done = {node.name for node in tree.body if isinstance(node, _AnyDef) and not _is_empty(node)}
    return [name for name in names if name not in done]


def _parsed(code: str) -> ast.Module | SyntaxError:
    try:
        return ast.parse(code)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error) or "too deeply nested")


def _by_title(errors: Iterable[Note], message: str) -> Note | None:
    for note in errors:
        if note.title.lower().strip("'") in message.lower() or message.lower() in note.title.lower():
            return note
    return next((note for note in errors if note.title == "SyntaxError"), None)


def _matches(code: str, errors: Iterable[Note]) -> list[Finding]:
    """What the notes' own patterns find, comments left aside: for each note the first line."""
    lines = [line.split("#")[0].rstrip()[:_MAX_LINE] for line in code.splitlines()]
    patterns = [note for note in errors if note.looks_for]
    found: dict[str, Finding] = {}
    for number, (line, following) in enumerate(zip(lines, [*lines[1:], ""], strict=True), 1):
        for note in patterns:
            if line and note.title not in found and _begins_in(line, following, note):
                found[note.title] = Finding(number, f"Line {number}, `{line.strip()}`.", note)
    return list(found.values())


def _begins_in(line: str, following: str, note: Note) -> bool:
    """Whether the note's pattern matches a piece that begins in the line; it may reach into the next one."""
    match = note.looks_for.search(f"{line}\n{following}") if note.looks_for else None
    return match is not None and match.start() < len(line)


def _never_awaited(tree: ast.Module, errors: Iterable[Note]) -> list[Finding]:
    """Calls, as statements or assigned, of the file's own async functions without `await`."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, _AsyncDef)}
    note = next((one for one in errors if "never awaited" in one.title), None)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr | ast.Assign):
            continue
        value = node.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in own:
            what = f"Line {node.lineno} calls the async function `{value.func.id}` without `await`."
            found.append(Finding(node.lineno, what, note))
    return found


def _placed(finding: Finding, tree: ast.Module) -> Finding:
    for node in tree.body:
        if isinstance(node, _AnyDef) and node.lineno <= finding.line <= (node.end_lineno or node.lineno):
            return Finding(finding.line, finding.what, finding.note, node.name)
    return finding


def _is_empty(node: _AnyDef) -> bool:
    """Whether the body is a docstring, `...`, `pass` or `raise NotImplementedError` and nothing more."""
    return all(_does_nothing(statement) for statement in node.body)


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        return "NotImplementedError" in ast.dump(statement)
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass)
