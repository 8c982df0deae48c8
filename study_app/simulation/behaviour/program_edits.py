"""Programs as people write them: unfinished, mistaken, in their own words, right."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from difflib import SequenceMatcher
from functools import lru_cache
from random import Random

from study_app.domain.syntax import parse

_FENCE = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)
_DEF = re.compile(r"(?m)^(?:async\s+)?def\s+(\w+)\s*\(")
_NAMES = {
    "found": ("results", "data", "users"),
    "nursery": ("n", "group"),
    "number": ("i", "tick"),
    "scope": ("cancel_scope", "limit_scope"),
    "user": ("reply", "answer"),
    "width": ("longest", "size"),
    "edge": ("border", "frame"),
}
"""Other names for what reference solutions call so; a name that is not here stays."""


WORDINGS = 4
"""Ways to word a solution. Few, so that equal programs come up again and are run once."""
SLIPS = 3
"""Mistakes that one unfinished program can get, for the same reason."""


def in_own_words(solution: str, rng: Random) -> str:
    """Return the solution with some local names changed; the solution itself where that would break it."""
    return _worded(solution, rng.randrange(WORDINGS))


@lru_cache(maxsize=256)
def _worded(solution: str, wording: int) -> str:
    rng = Random(f"{wording}:{solution}")
    renamed = solution
    for name in sorted(_NAMES):
        if rng.random() < 0.35:
            renamed = _rename(renamed, name, rng.choice(_NAMES[name]))
    return renamed if _compiles(renamed) else solution


def stages_of(starter: str, solution: str) -> list[str]:
    """Return the program after each part that is filled in: from the starter (left out) to the solution."""
    old, new = starter.splitlines(keepends=True), solution.splitlines(keepends=True)
    opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    parts = [number for number, opcode in enumerate(opcodes) if opcode[0] != "equal"]
    found = []
    for done in parts:
        lines: list[str] = []
        for number, (_, start, end, first, last) in enumerate(opcodes):
            lines += new[first:last] if number <= done else old[start:end]
        found.append("".join(lines))
    return found or [solution]


def mistaken(program: str, rng: Random) -> str | None:
    """Return the program with one slip of the kind that beginners make; None where none fits."""
    return _slipped(program, rng.randrange(SLIPS))


@lru_cache(maxsize=1024)
def _slipped(program: str, number: int) -> str | None:
    rng = Random(f"{number}:{program}")
    order = list(_SLIPS)
    rng.shuffle(order)
    for slip in order:
        wrong = slip(program, rng)
        if wrong is not None and wrong != program:
            return wrong
    return None


def failing(starter: str, solution: str, rng: Random) -> str:
    """Return a program that its author takes for finished and that fails hidden checks, if not visible ones."""
    narrow = re.sub(r"except \((\w+), [\w, ]+\) as", r"except \1 as", solution)
    off_by_one = re.sub(r"range\(1, (\w+) \+ 1\)", r"range(1, \1)", solution)
    options = [text for text in (narrow, off_by_one) if text != solution]
    return rng.choice(options) if options else stages_of(starter, solution)[0].replace(solution, starter)


def code_blocks(reply: str) -> list[str]:
    """Fenced code of a reply, without its last line break."""
    return [block.rstrip("\n") for block in _FENCE.findall(reply) if block.strip()]


def place_of(program: str, block: str) -> tuple[int, int] | None:
    """Return where a block of code belongs: the functions of the program that it defines anew, as one stretch."""
    ranges = [_function(program, name) for name in _DEF.findall(block)]
    known = [found for found in ranges if found is not None]
    if not known:
        return None
    return min(start for start, _ in known), max(end for _, end in known)


def functions(program: str) -> list[str]:
    """Names of the functions at the top level of a program, in order."""
    return _DEF.findall(program)


def functions_to_write(starter: str, solution: str) -> list[str]:
    """Names of the functions that the solution has and the starter has otherwise or not at all."""
    return [name for name in functions(solution) if _function_text(solution, name) != _function_text(starter, name)]


def source_of(program: str, names: list[str]) -> str:
    """Return the text of some functions of a program."""
    return "\n\n\n".join(text for name in names if (text := _function_text(program, name)))


def _function_text(program: str, name: str) -> str:
    found = _function(program, name)
    return "" if found is None else program[found[0] : found[1]]


def _function(program: str, name: str) -> tuple[int, int] | None:
    """From its `def` to its last line that is indented."""
    match = re.search(rf"(?m)^(?:async\s+)?def\s+{re.escape(name)}\s*\(", program)
    if match is None:
        return None
    following = re.compile(r"(?m)^\S").search(program, match.end())
    end = following.start() if following else len(program)
    return match.start(), match.start() + len(program[match.start() : end].rstrip())


def _compiles(program: str) -> bool:
    try:
        compile(program, "main.py", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _rename(program: str, old: str, new: str) -> str:
    """Rename a local variable that is nowhere a parameter, an attribute, or inside an f-string."""
    try:
        tree = parse(program)
    except (SyntaxError, ValueError):
        return program
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    inside = [name.id for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for name in _names_in(text)]
    parameters = [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
    stored = any(node.id == old and isinstance(node.ctx, ast.Store) for node in names)
    if not stored or old in inside or old in parameters or re.search(rf"\b{new}\b", program):
        return program
    lines = [line.encode() for line in program.split("\n")]
    # From the end of each line, so that the columns before stay right; in bytes, as `ast` counts them.
    for node in sorted((n for n in names if n.id == old), key=lambda n: (n.lineno, -n.col_offset)):
        line = lines[node.lineno - 1]
        lines[node.lineno - 1] = line[: node.col_offset] + new.encode() + line[node.col_offset + len(old) :]
    return b"\n".join(lines).decode()


def _names_in(text: ast.JoinedStr) -> list[ast.Name]:
    return [node for node in ast.walk(text) if isinstance(node, ast.Name)]


# -- slips --


def _one_of(pattern: str, replacement: str) -> Callable[[str, Random], str | None]:
    compiled = re.compile(pattern)

    def slip(program: str, rng: Random) -> str | None:
        matches = list(compiled.finditer(program))
        if not matches:
            return None
        match = rng.choice(matches)
        return program[: match.start()] + match.expand(replacement) + program[match.end() :]

    return slip


_SLIPS: tuple[Callable[[str, Random], str | None], ...] = (
    _one_of(r"(?m)^(\s+)await (trio\.sleep\()", r"\1\2"),
    _one_of(r"start_soon\((\w+), ([^()]*)\)", r"start_soon(\1(\2))"),
    _one_of(r"async with (trio\.open_nursery)", r"with \1"),
    _one_of(r"\btrio\.sleep\(", "trio.slep("),
    _one_of(r"(?m)^(\s+(?:for|with|async with|if|try|def|async def)\b[^\n]*):$", r"\1"),
    _one_of(r"(?m)^(\s+)return ([a-z]\w*)$", r"\1return \2s"),
    _one_of(r"\bstart_soon\b", "start_son"),
    _one_of(r"\.append\(", ".add("),
    _one_of(r"\blen\(", "length("),
)
