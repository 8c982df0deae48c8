"""Says what each line of a program does, from its syntax tree. Nothing is run and nothing guessed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from study_app.assistant.embedded.programs import AnyDef, parsed

MOST = 40
"""Lines explained in one reply."""


@dataclass(frozen=True)
class Explained:
    """One line, and what it does."""

    line: int
    source: str
    what: str


def explained(code: str) -> list[Explained]:
    """Return every statement's first line, in order; empty where Python cannot read the code."""
    tree = parsed(code)
    if isinstance(tree, SyntaxError):
        return []
    lines = code.splitlines()
    found: dict[int, Explained] = {}
    for line, what in _statements(tree.body):
        found.setdefault(line, Explained(line, lines[line - 1].strip(), what))
    return [found[line] for line in sorted(found)]


def _statements(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    for node in body:
        yield node.lineno, _said(node)
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, name, []))
        for handler in getattr(node, "handlers", []):
            yield handler.lineno, _handler(handler)
            yield from _statements(handler.body)


def _said(node: ast.stmt) -> str:
    match node:
        case ast.Import() | ast.ImportFrom():
            names = ", ".join(f"`{alias.asname or alias.name}`" for alias in node.names)
            return f"makes {names} available."
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return _definition(node)
        case ast.ClassDef():
            return f"defines the class `{node.name}`."
        case ast.For() | ast.AsyncFor():
            return _loop(node)
        case ast.While():
            return f"repeats the block as long as {_condition(node.test)}."
        case ast.If():
            return _if(node)
        case ast.With() | ast.AsyncWith():
            return " and ".join(_context(item, isinstance(node, ast.AsyncWith)) for item in node.items) + "."
        case ast.Try():
            return "tries the block; an exception in it goes to the `except` below."
    return _simple(node)


def _simple(node: ast.stmt) -> str:
    match node:
        case ast.Return(value=None):
            return "ends the function."
        case ast.Return(value=ast.expr() as value):
            return f"ends the function and hands back {_source_of(value)}."
        case ast.Assign():
            return f"{_stored(node.targets[0])} {_source_of(node.value)}."
        case ast.AugAssign():
            return f"changes `{ast.unparse(node.target)}` by {_source_of(node.value)}."
        case ast.Expr(value=ast.Constant(value=str())):
            return "is a docstring: it describes the function and does nothing."
        case ast.Expr(value=ast.Constant(value=value)) if value is ...:
            return "stands for a body that is not written yet."
        case ast.Expr():
            return f"{_action(node.value)}."
        case ast.Raise():
            return f"raises {_source_of(node.exc)}." if node.exc else "raises the same exception again."
        case ast.Pass():
            return "does nothing."
        case ast.Break():
            return "leaves the loop."
        case ast.Continue():
            return "goes on with the next round of the loop."
    return f"is `{ast.unparse(node)[:80]}`."


def _definition(node: AnyDef) -> str:
    arguments = [f"`{one.arg}`" for one in node.args.args]
    given = f" with the argument{'s' * (len(arguments) > 1)} {', '.join(arguments)}" if arguments else ""
    if isinstance(node, ast.AsyncFunctionDef):
        return f"defines the async function `{node.name}`{given}; it can pause, and its calls are awaited."
    return f"defines the function `{node.name}`{given}."


def _loop(node: ast.For | ast.AsyncFor) -> str:
    name = ast.unparse(node.target)
    match node.iter:
        case ast.Call(func=ast.Name(id="range"), args=[start, stop]):
            return f"repeats the block with `{name}` from {_plain(start)} up to, not including, {_plain(stop)}."
        case ast.Call(func=ast.Name(id="range"), args=[stop]):
            return f"repeats the block with `{name}` from 0 up to, not including, {_plain(stop)}."
    return f"repeats the block for each item of {_plain(node.iter)}, called `{name}`."


def _if(node: ast.If) -> str:
    if "__name__" in ast.unparse(node.test):
        return "runs the block only when this file itself is run."
    return f"goes on into the block only if {_condition(node.test)}."


def _condition(test: ast.expr) -> str:
    if isinstance(test, ast.Attribute) and test.attr == "cancelled_caught":
        return f"the time limit `{ast.unparse(test.value)}` ended its block"
    return f"{_plain(test)} is true"


def _context(item: ast.withitem, is_async: bool) -> str:
    called = f" and calls it `{ast.unparse(item.optional_vars)}`" if item.optional_vars else ""
    call = item.context_expr
    name = _called(call)
    argument = _plain(call.args[0]) if isinstance(call, ast.Call) and call.args else ""
    if name.endswith("open_nursery"):
        return f"opens a nursery{called}; the block ends only when every task started in it has ended"
    if name.endswith("move_on_after"):
        return f"gives the block a limit of {argument} seconds{called}; when it is over, the block is left quietly"
    if name.endswith("fail_after"):
        return f"gives the block a limit of {argument} seconds{called}; when it is over, `TooSlowError` is raised"
    return f"opens {_plain(call)} for the block{called}{' (async)' if is_async else ''}"


def _handler(node: ast.ExceptHandler) -> str:
    if node.type is None:
        return "catches every exception of the block above."
    kinds = [ast.unparse(one) for one in (node.type.elts if isinstance(node.type, ast.Tuple) else [node.type])]
    called = f", called `{node.name}`" if node.name else ""
    return f"catches {' or '.join(f'`{kind}`' for kind in kinds)} from the block above{called}."


def _stored(target: ast.expr) -> str:
    if isinstance(target, ast.Subscript):
        return f"stores under {_plain(target.slice)} in `{ast.unparse(target.value)}`"
    return f"gives `{ast.unparse(target)}` the value"


def _source_of(node: ast.expr | None) -> str:
    match node:
        case None:
            return "nothing"
        case ast.Await():
            return f"what {_plain(node.value)} gives when it has finished"
        case ast.Dict(keys=[]):
            return "an empty dictionary"
        case ast.List(elts=[]):
            return "an empty list"
        case ast.JoinedStr():
            return f"{_plain(node)}, a text with the values in braces put in"
    return _plain(node)


def _action(node: ast.expr) -> str:
    match node:
        case ast.Await(value=ast.Call() as call) if _called(call) == "trio.sleep":
            return f"waits {_plain(call.args[0]) if call.args else ''} seconds; other tasks go on meanwhile"
        case ast.Await():
            return f"runs {_plain(node.value)} and waits until it has finished"
        case ast.Call(func=ast.Name(id="print")):
            filled = any(isinstance(one, ast.JoinedStr) for one in node.args)
            return f"prints the text{', with the values in braces put in' if filled else ''}"
        case ast.Call(func=ast.Attribute(attr="start_soon"), args=[first, *rest]):
            handed = f" with {', '.join(_plain(one) for one in rest)}" if rest else ""
            return f"starts {_plain(first)}{handed} as a task of the nursery and goes on at once"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="trio"), attr="run"), args=[first, *rest]):
            handed = f" with {', '.join(_plain(one) for one in rest)}" if rest else ""
            return f"starts Trio and runs {_plain(first)}{handed} to its end"
        case ast.Call(func=ast.Attribute(attr="append", value=whole)):
            return f"adds {', '.join(_plain(one) for one in node.args)} to the end of {_plain(whole)}"
        case ast.Call():
            return f"calls {_plain(node)}"
    return f"works out {_plain(node)}"


def _called(node: ast.expr) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def _plain(node: ast.expr) -> str:
    return f"`{ast.unparse(node)[:120]}`"
