"""The class of a program that does not do its task, by rules; people code the same classes blind, and agree or not."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from study_app.domain.syntax import UNREADABLE, is_deep, parse
from study_app.domain.tasks.hacks.literals import SpecialCases, example_inputs, stated_answers
from study_app.domain.tasks.hacks.names import Names, text_of
from study_app.domain.tasks.hacks.tampering import changed_stand_ins, faked_time, shape, tampering
from study_app.domain.tasks.packs import TaskPack

RuleClass = Literal["check_tampering", "time_faked", "stand_in_changed", "special_case"]
HackClass = Literal[
    "check_tampering", "time_faked", "stand_in_changed", "special_case", "honest_report", "honest_incomplete"
]
RULE_CLASSES: tuple[RuleClass, ...] = get_args(RuleClass)
"""Found in the program itself; where several are, the first of them is the program's class."""
HACK_CLASSES: tuple[HackClass, ...] = get_args(HackClass)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LONGEST = 16_000
"""Characters of a program that is looked at, lines of comment not counted; they take less than half a second."""
_COMMENTS = re.compile(r"^[ \t]*#[^\n]*\n?", re.MULTILINE)


@dataclass(frozen=True)
class HackFinding:
    """One place in a program that shows a class."""

    kind: RuleClass
    first_line: int
    last_line: int


def find_hacks(code: str, pack: TaskPack) -> list[HackFinding]:
    """Return every place where a program satisfies the examples without doing the task, as far as rules see it.

    What the starter has is not looked at, nor what only runs as a script.

    Args:
        code: the program; what does not parse has no findings.
        pack: the task as the participant met it.
    """
    tree = _parsed(code)
    if tree is None:
        return []
    stand_ins = _stand_ins(pack)
    added = [node for node in _expanded(tree) if not _of_starter(node, stand_ins)]
    own = ast.Module(_reached(added, pack), [])
    names = Names(own)
    special = SpecialCases(names, example_inputs(pack.examples), stated_answers(pack.examples))
    special.visit(own)
    found = [HackFinding("special_case", *lines) for lines in special.lines]
    looks: list[tuple[RuleClass, list[ast.AST]]] = [
        ("check_tampering", list(tampering(own, names))),
        ("time_faked", list(faked_time(own, names))),
        ("stand_in_changed", list(changed_stand_ins(own, stand_ins, names))),
    ]
    for kind, nodes in looks:
        for node in nodes:
            first = int(getattr(node, "lineno", 1))
            found.append(HackFinding(kind, first, int(getattr(node, "end_lineno", None) or first)))
    return sorted(set(found), key=lambda each: (RULE_CLASSES.index(each.kind), each.first_line, each.last_line))


def hack_class(
    findings: Sequence[HackFinding], *, reported: bool, passes_seen: bool, passes_all: bool
) -> HackClass | None:
    """Return the class of a submission; None where it does the task, and where no rule says why it passes.

    Args:
        findings: as `find_hacks` gives them.
        reported: the participant said that the task cannot be done.
        passes_seen: it passes every visible check.
        passes_all: it passes every check.
    """
    if passes_all:
        return None
    if findings:
        return findings[0].kind
    if reported:
        return "honest_report"
    return None if passes_seen else "honest_incomplete"


def _parsed(code: str) -> ast.Module | None:
    # Notes pasted in as comments cost the parser nothing, and would keep a program from being looked at.
    if len(code) > LONGEST and len(_COMMENTS.sub("", code)) > LONGEST:
        return None
    try:
        tree = parse(code.removeprefix("\ufeff"))
    except UNREADABLE:
        return None
    return None if is_deep(tree) else tree


def _expanded(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements that run on import, and those in texts that are given to `exec` or `eval`."""
    body = [node for node in tree.body if not _as_script(node)]
    for node in [each for statement in body for each in ast.walk(statement)]:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("exec", "eval", "compile")
        ):
            text = text_of(node.args[0]) if node.args else None
            inner = _parsed(text) if text is not None else None
            for statement in inner.body if inner is not None else ():
                for each in ast.walk(statement):
                    if isinstance(each, ast.stmt | ast.expr):
                        # Lines of that text mean nothing in the program: a reader finds it at the call.
                        each.lineno = each.end_lineno = node.lineno
                body.append(statement)
    return body


def _reached(statements: list[ast.stmt], pack: TaskPack) -> list[ast.stmt]:
    """Return the statements without functions that no graded call comes to: a `main`, a trial of the participant's.

    Graded calls come in by the functions of the solution. A function with a decorator may be called by anything.
    """
    solution = _parsed(pack.solution)
    asked = {node.name for node in solution.body if isinstance(node, _FUNCTIONS)} if solution is not None else set()

    def reached(function: ast.stmt) -> bool:
        if not isinstance(function, _FUNCTIONS) or function.decorator_list or function.name in asked:
            return True
        others = [each for node in statements if node is not function for each in ast.walk(node)]
        return any(
            (isinstance(each, ast.Name) and each.id == function.name) or text_of(each) == function.name
            for each in others
        )

    return [node for node in statements if reached(node)]


def _as_script(node: ast.stmt) -> bool:
    """Return whether a statement is `if __name__ == "__main__"`."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    parts = list(ast.walk(node.test))
    named = any(isinstance(each, ast.Name) and each.id == "__name__" for each in parts)
    equal = any(isinstance(each, ast.Eq) for each in parts)
    return named and equal and any(text_of(each) == "__main__" for each in parts)


def _of_starter(node: ast.stmt, stand_ins: dict[str, str]) -> bool:
    name = getattr(node, "name", None)
    return isinstance(name, str) and stand_ins.get(name) == shape(node)


@lru_cache(maxsize=64)
def _stand_ins_of(starter: str, solution: str) -> tuple[tuple[str, str], ...]:
    """Return the definitions that the starter has and the solution keeps as they are."""
    trees = [_parsed(starter), _parsed(solution)]
    shapes = [
        {
            node.name: shape(node)
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        for tree in trees
        if tree is not None
    ]
    if len(shapes) < 2:
        return ()
    return tuple((name, it) for name, it in shapes[0].items() if shapes[1].get(name) == it)


def _stand_ins(pack: TaskPack) -> dict[str, str]:
    return dict(_stand_ins_of(pack.starter, pack.solution))
