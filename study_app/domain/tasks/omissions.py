"""Variants of a program that leave one thing out: an exception not caught, a limit ignored, a case not treated.

People who overlook a requirement write such programs. `study check` tries them on a reference solution, to find what
hidden checks ask for and visible examples do not show.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from study_app.domain.syntax import parse, parse_expression

_NOTHING = "class _Nothing:\n    def __getattr__(self, name):\n        return None\n"
"""Stands for what a `with` block gives its name to, where the block is left out."""
Edit = Callable[[ast.AST], None]
"""Changes one node of a copy of the tree in place."""


@dataclass(frozen=True)
class Omission:
    """A program without one of its parts."""

    line: int
    """Of the part, in the original."""
    what: str
    """Without what it is, such as `catching KeyError`."""
    code: str


def omissions(code: str, given: str = "") -> list[Omission]:
    """Return every variant of a program that leaves one part out of one of its functions, in the program's order.

    Args:
        code: a valid program.
        given: another one, such as a starter; functions that stand there in the same words are left alone.
    """
    tree = parse(code)
    same = {ast.dump(part) for part in parse(given).body}
    own = [part for part in tree.body if isinstance(part, _FUNCTIONS) and ast.dump(part) not in same]
    inside = {id(node) for function in own for node in ast.walk(function)}
    found = []
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in inside:
            continue
        for what, edit in _edits(node):
            # `walk` visits a copy in the same order, so the same number finds the same node in it.
            changed = copy.deepcopy(tree)
            edit(list(ast.walk(changed))[number])
            text = ast.unparse(ast.fix_missing_locations(changed))
            found.append(Omission(_line(node), what, f"{_NOTHING}\n{text}\n"))
    return sorted(found, key=lambda omission: omission.line)


def _line(node: ast.AST) -> int:
    return node.target.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _edits(node: ast.AST) -> Iterator[tuple[str, Edit]]:
    """Yield what can be left out at one node: a description, and the change."""
    if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple) and len(node.type.elts) > 1:
        for place, kind in enumerate(node.type.elts):
            yield f"catching {ast.unparse(kind)}", _without(("type", "elts"), place)
    elif isinstance(node, ast.Try | ast.TryStar) and not node.finalbody:
        for place, handler in enumerate(node.handlers):
            caught = ast.unparse(handler.type) if handler.type else "exceptions"
            yield f"catching {caught}", _without_handler(place)
    elif isinstance(node, ast.With):
        for place, item in enumerate(node.items):
            yield f"`with {ast.unparse(item.context_expr)}`", _without_manager(place)
    elif isinstance(node, ast.If | ast.IfExp):
        for value in (False, True):
            yield f"looking whether `{ast.unparse(node.test)}` (taken as {value})", _with_test(value)
    elif isinstance(node, ast.BoolOp):
        for place, part in enumerate(node.values):
            yield f"the condition `{ast.unparse(part)}`", _without(("values",), place)
    elif isinstance(node, ast.comprehension):
        for place, part in enumerate(node.ifs):
            yield f"the condition `{ast.unparse(part)}`", _without(("ifs",), place)
    elif isinstance(node, ast.Call):
        for place, keyword in enumerate(node.keywords):
            if keyword.arg is not None:
                yield f"`{keyword.arg}={ast.unparse(keyword.value)}`", _without(("keywords",), place)


def _without(path: tuple[str, ...], place: int) -> Edit:
    def edit(node: ast.AST) -> None:
        holder: Any = node
        for name in path:
            holder = getattr(holder, name)
        del holder[place]

    return edit


def _without_handler(place: int) -> Edit:
    def edit(node: Any) -> None:
        if len(node.handlers) > 1:
            del node.handlers[place]
            return
        # A `try` needs something beside its body: an empty `finally` catches nothing.
        node.handlers, node.body, node.orelse = [], node.body + node.orelse, []
        node.finalbody = [ast.Pass()]

    return edit


def _without_manager(place: int) -> Edit:
    def edit(node: Any) -> None:
        given = node.items[place].optional_vars
        nothing = ast.Call(ast.Name("_Nothing", ast.Load()), [], [])
        if given is not None:
            node.body.insert(0, ast.Assign([given], nothing))
        if len(node.items) > 1:
            del node.items[place]
        else:
            empty = parse_expression("__import__('contextlib').nullcontext()")
            node.items = [ast.withitem(empty)]

    return edit


def _with_test(value: bool) -> Edit:
    def edit(node: Any) -> None:
        node.test = ast.Constant(value)

    return edit
