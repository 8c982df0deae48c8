"""Parses Python that other people wrote: right in many threads at once, and bounded where the tree is walked."""

from __future__ import annotations

import ast
import threading
from typing import Any

DEEPEST = 150
"""Levels of a tree that can be walked recursively, also by what takes several calls a level, such as `ast.unparse`."""
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What parsing raises for a text that is not Python, or that is nested too deeply."""
_ATTEMPTS = 100
_lock = threading.RLock()


def parse(code: str) -> ast.Module:
    """Return the syntax tree of a program.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: see `UNREADABLE`.
    """
    tree: ast.Module = _parse(code, "exec")
    return tree


def parse_expression(text: str) -> ast.expr:
    """Return the syntax tree of an expression.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: see `UNREADABLE`.
    """
    tree: ast.Expression = _parse(text, "eval")
    return tree.body


def is_deep(tree: ast.AST) -> bool:
    """Return whether a tree has more than `DEEPEST` levels."""
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


def _parse(text: str, mode: str) -> Any:
    # CPython before 3.11.8 and 3.12.2 counts the depth of all trees under construction in one place: while a thread
    # waits in the middle of its tree, another that parses gives it a SystemError about a text that is right (issue
    # 106905 of python/cpython). So one thread at a time parses here, and tries again where a library parsed meanwhile.
    with _lock:
        for _ in range(_ATTEMPTS - 1):
            try:
                return ast.parse(text, mode=mode)
            except SystemError:
                continue
        return ast.parse(text, mode=mode)
