"""Faults that a program's syntax tree shows, whatever the task: names without a value, calls that do not fit."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from study_app.assistant.embedded.programs import AnyDef, bound_names
from study_app.domain.assistants.embedded_sentences import FAULTS

_BUILTIN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
_AWAITED = {
    "trio": frozenset(("sleep", "sleep_until", "sleep_forever", "to_thread.run_sync", "lowlevel.checkpoint")),
    "asyncio": frozenset(("sleep", "gather", "wait", "wait_for")),
}
"""Functions of libraries that give a coroutine."""
_MISSPELT = 0.75
"""Likeness from which one name is taken for a slip of another."""


@dataclass(frozen=True)
class ProgramFault:
    """One fault."""

    line: int
    what: str
    """One sentence, Markdown."""
    about: str
    """Words of the error note that explains it."""


def faults(tree: ast.Module, known_attributes: frozenset[str] = frozenset()) -> list[ProgramFault]:
    """Return every fault, in no order.

    Args:
        tree: The program.
        known_attributes: `module.name` as the task's notes and brief write it, for slips of the pen.
    """
    found = [*_never_awaited(tree), *_library_not_awaited(tree), *_awaited_plain(tree), *_without_value(tree)]
    found += [*_wrong_arguments(tree), *_called_in_argument(tree), *_limit_inside(tree)]
    return [*found, *_misspelt(tree, known_attributes)]


def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _never_awaited(tree: ast.Module) -> Iterator[ProgramFault]:
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)}
    parents = _parents(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in own:
            if isinstance(parents.get(node), ast.Await | ast.Lambda):
                continue
            if _hands_on(parents.get(node)):
                continue
            what = FAULTS("never_awaited", line=node.lineno, name=node.func.id)
            yield ProgramFault(node.lineno, what, "coroutine was never awaited")


def _hands_on(parent: ast.AST | None) -> bool:
    """Return whether a call stands as an argument of `start_soon` or `run`, which is another fault."""
    return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and parent.func.attr in _STARTERS


_STARTERS = frozenset(("start_soon", "start", "run", "create_task"))


def _library_not_awaited(tree: ast.Module) -> Iterator[ProgramFault]:
    parents = _parents(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not isinstance(node.func.value, ast.Name) or node.func.value.id != "trio":
            continue
        parent = parents.get(node)
        if node.func.attr in _AWAITED["trio"] and not isinstance(parent, ast.Await) and not _hands_on(parent):
            what = FAULTS("does_not_wait", line=node.lineno, name=f"trio.{node.func.attr}")
            yield ProgramFault(node.lineno, what, "coroutine was never awaited")


def _awaited_plain(tree: ast.Module) -> Iterator[ProgramFault]:
    plain = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Await) and isinstance(node.value, ast.Call)):
            continue
        func = node.value.func
        name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
        if name in ("start_soon", "print") or (isinstance(func, ast.Name) and name in plain):
            what = FAULTS("awaited_plain", line=node.lineno, name=name)
            yield ProgramFault(node.lineno, what, "object NoneType can't be used in 'await' expression")


def _without_value(tree: ast.Module) -> Iterator[ProgramFault]:
    bound = bound_names(tree)
    reported = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)):
            continue
        if node.id in bound or node.id in _BUILTIN or node.id in reported:
            continue
        reported.add(node.id)
        near = difflib.get_close_matches(node.id, [*bound, "True", "False", "None"], 1, _MISSPELT)
        if near:
            what = FAULTS("no_value_near", line=node.lineno, name=node.id, near=near[0])
        else:
            is_module = node.id in ("trio", "asyncio", "time", "random", "math")
            what = FAULTS("no_value_import" if is_module else "no_value", line=node.lineno, name=node.id)
        yield ProgramFault(node.lineno, what, "NameError")


def _wrong_arguments(tree: ast.Module) -> Iterator[ProgramFault]:
    known = {node.name: node for node in ast.walk(tree) if isinstance(node, AnyDef)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, given = _started(node)
        if name not in known or any(isinstance(one, ast.Starred) for one in node.args):
            continue
        wanted = known[name].args
        if wanted.vararg or wanted.kwarg or wanted.kwonlyargs or node.keywords:
            continue
        most = len(wanted.args) + len(wanted.posonlyargs)
        if not most - len(wanted.defaults) <= given <= most:
            key = "one_argument" if given == 1 else "arguments"
            what = FAULTS(key, line=node.lineno, name=name, given=given, most=most)
            yield ProgramFault(node.lineno, what, "takes positional arguments but were given")


def _started(node: ast.Call) -> tuple[str, int]:
    """Return (function, number of arguments) of a call, or of what `start_soon` and `run` are handed."""
    if isinstance(node.func, ast.Name):
        return node.func.id, len(node.args)
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("start_soon", "run") and node.args:
        first = node.args[0]
        return (first.id, len(node.args) - 1) if isinstance(first, ast.Name) else ("", 0)
    return "", 0


def _called_in_argument(tree: ast.Module) -> Iterator[ProgramFault]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        first = node.args[0]
        if node.func.attr == "start_soon" and isinstance(first, ast.Call):
            what = FAULTS("called_too_soon", line=node.lineno)
            yield ProgramFault(node.lineno, what, "Trio was expecting an async function")


def _limit_inside(tree: ast.Module) -> Iterator[ProgramFault]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.AsyncWith) and _opens(node, "open_nursery")):
            continue
        for inner in node.body:
            limits = isinstance(inner, ast.With) and (_opens(inner, "move_on_after") or _opens(inner, "fail_after"))
            if limits and not any(isinstance(one, ast.Await) for one in ast.walk(inner)):
                yield ProgramFault(inner.lineno, FAULTS("limit_inside", line=inner.lineno), "move_on_after")


def _opens(node: ast.With | ast.AsyncWith, name: str) -> bool:
    calls = [item.context_expr for item in node.items]
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == name for one in calls
    )


def _misspelt(tree: ast.Module, known: frozenset[str]) -> Iterator[ProgramFault]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            continue
        family = [one for one in known if one.startswith(f"{node.value.id}.")]
        full = f"{node.value.id}.{node.attr}"
        near = difflib.get_close_matches(full, family, 1, 0.85) if full not in family else []
        if near:
            what = FAULTS("misspelt", line=node.lineno, name=full, near=near[0])
            yield ProgramFault(node.lineno, what, "has no attribute")
