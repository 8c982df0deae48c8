"""Repairs a program without notes of its code: what Python cannot read, and what the starter gave and is lost.

Each repair is a small change of a few lines. One that makes the program no more readable is not made: what remains is
for the participant.
"""

from __future__ import annotations

import ast
import difflib
import re
import textwrap
from collections.abc import Callable, Iterator

from study_app.assistant.embedded.programs import AnyDef, bound_names, parsed

_MOST_REPAIRS = 12
_LIKE = 0.6
"""Likeness from which a function counts as one of the starter's under another name."""
_NO_CODE = re.compile(r"^(?:```.*|[<>|]{7}(?: .*)?|={7})$\n?", re.MULTILINE)
"""Lines that come with pasted Markdown and with merges."""
_TYPOGRAPHY = str.maketrans(
    "\u201c\u201d\u201e\u2018\u2019\u00a0\uff1a\uff08\uff09\uff0c\u2013\u2212", '"""\'\'\u0020:(),--', "\u200b\ufeff"
)
"""Characters that word processors and chats put in place of Python's."""
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_BLOCK = re.compile(
    r"^\s*(?:async (?:def|with|for)|def|class|if|elif|else|for|while|try|except|finally|with|match|case)\b"
)
_TOP = re.compile(r"^(?:async def|def|class|import|from|@|if|for|while|try|with|return)\b")
_EXITS = frozenset({"exit", "quit", "sys.exit", "os._exit"})

Repair = Callable[[list[str], int, SyntaxError], Iterator[list[str]]]
"""Lines, the index of the one that Python stumbles over, and why -> other lines that may be better."""


def readable(code: str, starter: str = "") -> str:
    """Return the program with slips of writing corrected as far as Python then reads further; else as it is."""
    for _ in range(_MOST_REPAIRS):
        error = parsed(code)
        if not isinstance(error, SyntaxError):
            break
        better = next((one for one in _tries(code, error, starter) if _further(one, error)), None)
        if better is None:
            break
        code = better
    return code


def as_given(code: str, starter: str) -> str:
    """Return the program with the imports and the functions' heads of the starter that it has lost."""
    tree, given = parsed(code), parsed(starter)
    if isinstance(tree, SyntaxError) or isinstance(given, SyntaxError):
        return code
    code = _named_as_given(code, tree, given, starter)
    tree = parsed(code)
    return code if isinstance(tree, SyntaxError) else _imports_of(given, tree) + code


def without_obstacles(code: str, starter: str) -> str:
    """Return the program without what keeps the rest from running as it is written.

    That is an exit at the top level, a statement that nothing after it in its block is reached past, and a second,
    shorter function of a name that the starter gives.
    """
    tree, given = parsed(code), parsed(starter)
    if isinstance(tree, SyntaxError) or isinstance(given, SyntaxError):
        return code
    dropped = [node for node in tree.body if _exits(node)]
    dropped += [node for block in _blocks(tree) for node in block[:-1] if _ends_block(node)]
    for name in (node.name for node in given.body if isinstance(node, AnyDef)):
        written = [node for node in tree.body if isinstance(node, AnyDef) and node.name == name]
        longest = max(written, key=lambda node: len(ast.unparse(node)), default=None)
        dropped += [node for node in written if node is not longest]
    lines = code.splitlines(keepends=True)
    gone = {line for node in dropped for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return "".join(line for number, line in enumerate(lines, 1) if number not in gone)


def returning(code: str, starter: str) -> str:
    """Return the program whose functions of the starter return the value that they compute last and drop."""
    tree, given = parsed(code), parsed(starter)
    if isinstance(tree, SyntaxError) or isinstance(given, SyntaxError):
        return code
    names = {node.name for node in given.body if isinstance(node, AnyDef)}
    lines = code.splitlines(keepends=True)
    for node in tree.body:
        if isinstance(node, AnyDef) and node.name in names and (last := _dropped_value(node)) is not None:
            line = lines[last.lineno - 1]
            lines[last.lineno - 1] = f"{line[: last.col_offset]}return {line[last.col_offset :]}"
    return "".join(lines)


# -- what Python cannot read -------------------------------------------------------------------------------------------


def _further(code: str, error: SyntaxError) -> bool:
    """Return whether Python reads a program to its end, or to a later line than before."""
    now = parsed(code)
    return not isinstance(now, SyntaxError) or (now.lineno or 0) > (error.lineno or 0)


def _tries(code: str, error: SyntaxError, starter: str) -> Iterator[str]:
    for whole in (_NO_CODE.sub("", code), code.translate(_TYPOGRAPHY), code.expandtabs(4), textwrap.dedent(code)):
        if whole != code:
            yield whole
    lines = code.split("\n")
    at = (error.lineno or 1) - 1
    if not 0 <= at < len(lines):
        return
    for repair in (_colon, _print, _quote, _docstring, _brackets, _indentation, _left_out):
        for after in repair(list(lines), at, error):
            yield "\n".join(after)
    for head in _heads_lost(code, starter):
        yield "\n".join([*lines[:at], head, *lines[at:]])


def _colon(lines: list[str], at: int, error: SyntaxError) -> Iterator[list[str]]:
    if _BLOCK.match(lines[at]) and not lines[at].rstrip().endswith(":"):
        lines[at] = f"{lines[at].rstrip()}:"
        yield lines


def _print(lines: list[str], at: int, error: SyntaxError) -> Iterator[list[str]]:
    if found := re.match(r"^(\s*)print +(.+?)\s*$", lines[at]):
        lines[at] = f"{found.group(1)}print({found.group(2)})"
        yield lines


def _quote(lines: list[str], at: int, error: SyntaxError) -> Iterator[list[str]]:
    """End a text before the brackets that close the line, or at its end."""
    line = lines[at].rstrip()
    if "unterminated" not in error.msg or "triple" in error.msg:
        return
    begun = line[(error.offset or 1) - 1 : error.offset or 1]
    mark = begun if begun in ("'", '"') else '"'
    for end in dict.fromkeys((len(line.rstrip(")]}:,")), len(line) - 1, len(line))):
        if end > 0:
            yield [*lines[:at], line[:end] + mark + line[end:], *lines[at + 1 :]]


def _docstring(lines: list[str], at: int, error: SyntaxError) -> Iterator[list[str]]:
    if "triple-quoted" in error.msg:
        mark = "'''" if "'''" in lines[at] else '"""'
        lines[at] = f"{lines[at].rstrip()}{mark}"
        yield lines


def _brackets(lines: list[str], at: int, error: SyntaxError) -> Iterator[list[str]]:
    """Close what the line opens, or take a bracket out."""
    line = lines[at].rstrip()
    open_ones: list[str] = []
    for mark in line:
        if mark in _CLOSING:
            open_ones.append(_CLOSING[mark])
        elif open_ones and mark == open_ones[-1]:
            open_ones.pop()
    if line[-1:] in _CLOSING:
        yield [*lines[:at], line[:-1], *lines[at + 1 :]]
    missing = "".join(reversed(open_ones))
    if missing:
        tail = ":" if line.endswith(":") else ""
        yield [*lines[:at], f"{line.removesuffix(':')}{missing}{tail}", *lines[at + 1 :]]
    for end in range(len(line), 0, -1):
        if line[end - 1] in "()[]{}":
            yield [*lines[:at], line[: end - 1] + line[end:], *lines[at + 1 :]]


def _indentation(lines: list[str], at: int, error: SyntaxError) -> Iterator[list[str]]:
    before = next((line for line in reversed(lines[:at]) if line.strip()), "")
    column = len(before) - len(before.lstrip())
    if "expected an indented block" in error.msg:
        end = next((n for n in range(at, len(lines)) if not lines[n].strip() or _TOP.match(lines[n])), len(lines))
        yield [*lines[:at], *(f"    {line}" for line in lines[at : max(end, at + 1)]), *lines[max(end, at + 1) :]]
        # A head whose block is empty, such as one before another head.
        yield [*lines[:at], f"{' ' * (column + 4)}pass", *lines[at:]]
    if "indent" in error.msg:
        own = lines[at].lstrip()
        yield [*lines[:at], f"{' ' * column}{own}", *lines[at + 1 :]]
        yield [*lines[:at], own, *lines[at + 1 :]]


def _left_out(lines: list[str], at: int, error: SyntaxError) -> Iterator[list[str]]:
    """Make a comment of a line of prose: one at the margin that begins nothing of Python's."""
    line = lines[at]
    if line.strip() and not line[0].isspace() and not _TOP.match(line):
        marks_only = not any(letter.isalnum() for letter in line)
        yield [*lines[:at], *(() if marks_only else (f"# {line}",)), *lines[at + 1 :]]


def _heads_lost(code: str, starter: str) -> Iterator[str]:
    given = parsed(starter)
    if isinstance(given, SyntaxError):
        return
    for node in given.body:
        if isinstance(node, AnyDef) and not re.search(rf"^(?:async )?def {node.name}\b", code, re.MULTILINE):
            yield starter.splitlines()[node.lineno - 1]


# -- what the starter gave ---------------------------------------------------------------------------------------------


def _named_as_given(code: str, tree: ast.Module, given: ast.Module, starter: str) -> str:
    written = {node.name: node for node in tree.body if isinstance(node, AnyDef)}
    wanted = {node.name: node for node in given.body if isinstance(node, AnyDef)}
    spare = [name for name in written if name not in wanted]
    lines = code.splitlines(keepends=True)
    renamed: dict[str, str] = {}
    for name, node in wanted.items():
        near = name if name in written else next(iter(difflib.get_close_matches(name, spare, 1, _LIKE)), None)
        if near is None:
            continue
        own, head = written[near], starter.splitlines()[node.lineno - 1]
        one_line = own.body[0].lineno > own.lineno and node.body[0].lineno > node.lineno and head.rstrip().endswith(":")
        if one_line and lines[own.lineno - 1].rstrip().endswith(":") and not _alike(own, node):
            lines[own.lineno - 1] = f"{head}\n"
        if near != name:
            renamed[near] = name
            spare.remove(near)
    after = "".join(lines)
    for old, new in renamed.items():
        after = re.sub(rf"(?<![\w.]){re.escape(old)}\b", new, after)
    return after


def _alike(one: ast.FunctionDef | ast.AsyncFunctionDef, other: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [[argument.arg for argument in (*each.args.posonlyargs, *each.args.args)] for each in (one, other)]
    return type(one) is type(other) and names[0] == names[1] and one.name == other.name


def _imports_of(given: ast.Module, tree: ast.Module) -> str:
    """Return the starter's imports of names that the program uses and gives no value."""
    bound = bound_names(tree)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound
    found = ""
    for node in given.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            found += f"{ast.unparse(node)}\n" if names & used else ""
    return found


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """Yield each block of statements within functions."""
    for function in tree.body:
        if isinstance(function, AnyDef):
            for node in ast.walk(function):
                for name in ("body", "orelse", "finalbody"):
                    block = getattr(node, name, None)
                    if isinstance(block, list):
                        yield block


def _ends_block(node: ast.stmt) -> bool:
    """Return whether nothing after it in its block is reached."""
    for_ever = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
    return isinstance(node, ast.Raise | ast.Return) or (
        for_ever and isinstance(node, ast.While) and all(isinstance(one, ast.Pass) for one in node.body)
    )


def _dropped_value(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Expr | None:
    """Return the last statement of a function that returns nothing, where it computes a value."""
    last = node.body[-1]
    if not isinstance(last, ast.Expr) or any(isinstance(one, ast.Return | ast.Yield) for one in ast.walk(node)):
        return None
    printed = isinstance(last.value, ast.Call) and ast.unparse(last.value.func) == "print"
    return None if printed or isinstance(last.value, ast.Constant | ast.Await) else last


def _exits(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise) and node.exc is not None:
        return ast.unparse(node).startswith("raise SystemExit")
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in _EXITS
