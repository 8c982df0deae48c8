"""Where a finished function does other than the task asks, seen by what the notes' own version of it does."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from study_app.assistant.embedded.faults import ProgramFault
from study_app.assistant.embedded.programs import AnyDef, is_empty, parsed
from study_app.domain.assistants.embedded_sentences import FAULTS

_TOLD = frozenset(("open_nursery", "start_soon", "move_on_after", "fail_after", "sleep", "print", "append", "gather"))
"""Calls whose absence is worth a word; other helpers are a matter of taste."""


def differences(tree: ast.Module, versions: dict[str, str]) -> list[ProgramFault]:
    """Differences that matter, at most two for each function.

    Args:
        tree: The participant's program.
        versions: Name -> source of the function as the notes have it.
    """
    found: list[ProgramFault] = []
    for node in tree.body:
        if isinstance(node, AnyDef) and node.name in versions and not is_empty(node):
            theirs = parsed(versions[node.name])
            if isinstance(theirs, ast.Module) and theirs.body and isinstance(theirs.body[0], AnyDef):
                found += list(_between(node, theirs.body[0], tree))[:2]
    return found


def _between(mine: AnyDef, theirs: AnyDef, tree: ast.Module) -> Iterator[ProgramFault]:
    if isinstance(theirs, ast.AsyncFunctionDef) and isinstance(mine, ast.FunctionDef):
        what = FAULTS("must_be_async", name=mine.name, line=mine.lineno)
        yield ProgramFault(mine.lineno, what, "async and await")
        return
    yield from _unused_arguments(mine, theirs)
    yield from _other_order(mine, theirs)
    yield from _other_numbers(mine, theirs)
    yield from _other_text(mine, theirs)
    yield from _not_caught(mine, theirs)
    yield from _not_called(mine, theirs, tree)
    yield from _nothing_returned(mine, theirs)


def _unused_arguments(mine: AnyDef, theirs: AnyDef) -> Iterator[ProgramFault]:
    """Arguments that the function has and never uses, although the task's version does."""
    used, needed = ({one.id for one in ast.walk(node) if isinstance(one, ast.Name)} for node in (mine, theirs))
    for one in mine.args.args:
        if one.arg in needed and one.arg not in used:
            what = FAULTS("argument_unused", name=mine.name, line=mine.lineno, argument=one.arg)
            yield ProgramFault(mine.lineno, what, one.arg)


def _calls(node: ast.AST) -> list[tuple[str, int]]:
    found = []
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            func = one.func
            name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
            found.append((name, one.lineno))
    return sorted(found, key=lambda call: call[1])


def _other_order(mine: AnyDef, theirs: AnyDef) -> Iterator[ProgramFault]:
    said = [name for name, _ in _calls(mine) if name in ("sleep", "print")]
    wanted = [name for name, _ in _calls(theirs) if name in ("sleep", "print")]
    if sorted(said) == sorted(wanted) and said != wanted and len(said) == 2:
        key = "wait_then_print" if wanted[0] == "sleep" else "print_then_wait"
        yield ProgramFault(mine.lineno, FAULTS(key, name=mine.name), "wait before print")


def _other_numbers(mine: AnyDef, theirs: AnyDef) -> Iterator[ProgramFault]:
    theirs_range, mine_range = _first_call(theirs, "range"), _first_call(mine, "range")
    if theirs_range is None or mine_range is None or len(theirs_range.args) != 2 or len(mine_range.args) != 1:
        return
    used_bare = any(
        isinstance(one, ast.FormattedValue) and isinstance(one.value, ast.Name) and one.value.id in _loop_names(mine)
        for one in ast.walk(mine)
    )
    if used_bare:
        what = FAULTS("from_zero", line=mine_range.lineno)
        yield ProgramFault(mine_range.lineno, what, "range counts")


def _loop_names(node: ast.AST) -> set[str]:
    return {one.target.id for one in ast.walk(node) if isinstance(one, ast.For) and isinstance(one.target, ast.Name)}


def _first_call(node: ast.AST, name: str) -> ast.Call | None:
    calls = (one for one in ast.walk(node) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name))
    return next((one for one in calls if isinstance(one.func, ast.Name) and one.func.id == name), None)


def _printed(node: ast.AST) -> list[tuple[str, int]]:
    """(text with `{}` for each value, line) of each print of a text."""
    found = []
    for one in ast.walk(node):
        if (
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Name)
            and one.func.id == "print"
            and len(one.args) == 1
        ):
            text = _shape(one.args[0])
            if text:
                found.append((text, one.lineno))
    return found


def _shape(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return ""


def _other_text(mine: AnyDef, theirs: AnyDef) -> Iterator[ProgramFault]:
    said, wanted = _printed(mine), _printed(theirs)
    missing = [text for text, _ in wanted if text not in [one for one, _ in said]]
    extra = [(text, line) for text, line in said if text not in [one for one, _ in wanted]]
    if missing and extra and len(said) == len(wanted):
        line = extra[0][1]
        what = FAULTS("other_words", line=line)
        yield ProgramFault(line, what, "printed text")


def _caught(node: ast.AST) -> tuple[set[str], bool]:
    """(names of the exceptions caught, whether everything is)."""
    names: set[str] = set()
    everything = False
    for one in ast.walk(node):
        if isinstance(one, ast.ExceptHandler):
            everything = everything or one.type is None
            names |= {name.id for name in ast.walk(one.type) if isinstance(name, ast.Name)} if one.type else set()
    return names, everything or bool(names & {"Exception", "BaseException"})


def _not_caught(mine: AnyDef, theirs: AnyDef) -> Iterator[ProgramFault]:
    wanted, _ = _caught(theirs)
    names, everything = _caught(mine)
    missing = [] if everything else sorted(wanted - names)
    if missing:
        *before, listed = [f"`{name}`" for name in missing]
        for name in reversed(before):
            listed = FAULTS("and", first=name, second=listed)
        what = FAULTS("not_caught", name=mine.name, line=mine.lineno, names=listed)
        yield ProgramFault(mine.lineno, what, "catch exceptions")


def _not_called(mine: AnyDef, theirs: AnyDef, tree: ast.Module) -> Iterator[ProgramFault]:
    mentioned = {one.id for one in ast.walk(mine) if isinstance(one, ast.Name)}
    helpers = [one for one in tree.body if isinstance(one, AnyDef) and one.name in mentioned]
    own = {name for node in (mine, *helpers) for name, _ in _calls(node)}
    for name in dict.fromkeys(name for name, _ in _calls(theirs) if name in _TOLD):
        if name not in own:
            what = FAULTS("not_called", called=name, name=mine.name, line=mine.lineno)
            yield ProgramFault(mine.lineno, what, name)


def _nothing_returned(mine: AnyDef, theirs: AnyDef) -> Iterator[ProgramFault]:
    def returns(node: AnyDef) -> int:
        inner = {
            one for part in ast.walk(node) if isinstance(part, AnyDef) and part is not node for one in ast.walk(part)
        }
        return sum(isinstance(one, ast.Return) and one.value is not None and one not in inner for one in ast.walk(node))

    if returns(theirs) and not returns(mine):
        what = FAULTS("returns_nothing", name=mine.name, line=mine.lineno)
        yield ProgramFault(mine.lineno, what, "return")
