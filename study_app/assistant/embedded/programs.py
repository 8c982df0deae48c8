"""Puts programs together from a participant's own text and the functions of the notes, without running anything."""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from study_app.domain.syntax import UNREADABLE, is_deep, parse

MAX_CHARACTERS = 60_000
"""Longer code is not looked at: reading it would hold up the other participants."""
_DEEP = "too deeply nested"
AnyDef = ast.FunctionDef | ast.AsyncFunctionDef
_HEAD = re.compile(r"(?:async def|def|class) (\w{1,100})")
_MAIN = re.compile(r"if __name__ ?==")


@dataclass(frozen=True)
class Section:
    """A run of lines at the top level of a file."""

    name: str
    """The function or class that it defines; `__main__`; empty for everything else."""
    text: str


def parsed(code: str) -> ast.Module | SyntaxError:
    """Return the syntax tree, or why Python would not start the program; nothing is run."""
    if len(code) > MAX_CHARACTERS:
        return SyntaxError("too long to look at")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(code)
            # Compiled, too: parsing alone accepts a `return` outside a function and an `await` outside an async one.
            compile(tree, "main.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except UNREADABLE as error:
        return SyntaxError(str(error) or _DEEP)
    return SyntaxError(_DEEP) if is_deep(tree) else tree


def sections(code: str) -> list[Section]:
    """Return the file's top-level pieces in order; works on code that Python cannot read."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in code.splitlines():
        begins = line[:1] not in ("", " ", "\t", ")", "]", "}")
        if begins and not line.startswith("#"):
            name = _named(line)
            decorated = found[-1][1] and found[-1][1][-1].startswith("@")
            if decorated and name:
                found[-1] = (name, found[-1][1])
            elif name or found[-1][0] or line.startswith("@"):
                found.append((name, []))
        found[-1][1].append(line)
    return [Section(name, "\n".join(lines).strip("\n")) for name, lines in found if any(line.strip() for line in lines)]


def with_functions(code: str, functions: Mapping[str, str], starter: str = "") -> str:
    """Return the participant's program with those functions put in: in place of theirs, else before the part that runs.

    Args:
        code: What stands in the editor.
        functions: Name -> source.
        starter: The task's starter, for what the program has lost: imports, given functions, the part that runs.

    Returns:
        One file. Where the rest of the participant's program cannot be read by Python, the starter's is taken.
    """
    whole = _completed(_assembled(code, functions), starter)
    if isinstance(parsed(whole), SyntaxError) and starter:
        whole = _completed(_assembled(starter, functions), starter)
    if isinstance(parsed(whole), SyntaxError):
        whole = _completed(_assembled("", functions), starter)
    return _with_imports(whole)


def source_of(code: str, name: str) -> str:
    """Return the top-level function of that name as it stands in the file; empty where there is none."""
    return next((one.text for one in sections(code) if one.name == name), "")


def unfinished(code: str, names: Iterable[str]) -> list[str]:
    """Those of the named functions that the code lacks, or whose body does nothing yet."""
    done = set()
    for section in sections(code[:MAX_CHARACTERS]):
        tree = parsed(section.text)
        if isinstance(tree, ast.Module):
            done |= {node.name for node in tree.body if isinstance(node, AnyDef) and not is_empty(node)}
    return [name for name in names if name not in done]


def is_empty(node: AnyDef) -> bool:
    """Return whether the body is a docstring, `...`, `pass` or `raise NotImplementedError` and nothing more."""
    return all(_does_nothing(statement) for statement in node.body)


def unfenced(block: str) -> str:
    """Return the code of fenced blocks, without the fences."""
    lines = [line for line in block.splitlines() if not line.startswith("```")]
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        return "NotImplementedError" in ast.dump(statement)
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass)


def _named(line: str) -> str:
    head = _HEAD.match(line)
    return head.group(1) if head else "__main__" if _MAIN.match(line) else ""


def _assembled(code: str, functions: Mapping[str, str]) -> list[Section]:
    left = dict(functions)
    kept: list[Section] = []
    for one in sections(code):
        if one.name in functions:
            if one.name in left:
                kept.append(Section(one.name, left.pop(one.name)))
        else:
            kept.append(one)
    at = next((n for n, one in enumerate(kept) if one.name == "__main__"), len(kept))
    # A last line such as `trio.run(main)` outside any function runs when it is reached.
    while at == len(kept) and at > 0 and not kept[at - 1].name and _runs(kept[at - 1]):
        at -= 1
    return [*kept[:at], *(Section(name, text) for name, text in left.items()), *kept[at:]]


def _runs(section: Section) -> bool:
    return not section.text.lstrip().startswith(("import ", "from ", "#", '"', "@"))


def _completed(kept: list[Section], starter: str) -> str:
    """Return the file, with what the starter gives and the program lacks."""
    have = {one.name for one in kept if one.name}
    given = sections(starter)
    lost = [one for one in given if one.name and one.name not in have]
    head = [one for one in kept if not one.name and not have & {one.name}][:1]
    first = 1 if kept and head and kept[0] is head[0] else 0
    main = [one for one in lost if one.name == "__main__"]
    if any(not one.name and _runs(one) for one in kept[first:]):
        main = []
    before = [one for one in lost if one.name != "__main__"]
    ordered = [*kept[:first], *before, *kept[first:], *main]
    return "\n\n\n".join(one.text for one in ordered) + "\n"


def _with_imports(code: str) -> str:
    """Return the file with an import for each module that it names and does not import."""
    tree = parsed(code)
    if isinstance(tree, SyntaxError):
        return code
    bound = bound_names(tree)
    used = {
        node.value.id for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    known = sys.stdlib_module_names | {"trio"}
    missing = sorted(name for name in used - bound if name in known)
    if not missing:
        return code
    imports = "\n".join(f"import {name}" for name in missing)
    return f"{imports}\n\n\n{code}"


def bound_names(tree: ast.AST) -> set[str]:
    """Return every name that the program gives a value anywhere."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.arg(arg=name):
                names.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {(alias.asname or alias.name).split(".")[0] for alias in aliases}
            case ast.Global(names=given) | ast.Nonlocal(names=given):
                names |= set(given)
    return names
