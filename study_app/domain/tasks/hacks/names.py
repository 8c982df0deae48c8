"""What names in a program stand for: modules and their parts through imports and assignments, and constant values."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

_GETTERS = {"getattr", "builtins.getattr"}
_IMPORTERS = {"__import__", "builtins.__import__", "importlib.import_module"}
_UNKNOWN = object()
_MAKERS: dict[str, Callable[[Any], Any]] = {
    "set": list,
    "frozenset": list,
    "tuple": tuple,
    "list": list,
    "sorted": list,
    "str": str,
    "repr": repr,
}
"""Calls that keep what a literal says."""


class Names:
    """Aliases and constants of one program, whatever scope they stand in.

    Args:
        tree: the program.
    """

    def __init__(self, tree: ast.AST) -> None:
        self.paths: dict[str, str] = {}
        """Name -> dotted path of what it was imported from or assigned from."""
        self.constants: dict[str, list[ast.expr]] = {}
        """Name -> the expressions that are ever assigned to it."""
        for node in ast.walk(tree):
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.paths[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self.paths[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assigned(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._assigned(node.target, node.value)

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._assigned(one, its)
        if not isinstance(target, ast.Name):
            return
        self.constants.setdefault(target.id, []).append(value)
        if (path := self.dotted(value)) is not None and target.id not in self.paths and path != target.id:
            self.paths[target.id] = path

    def dotted(self, node: ast.AST) -> str | None:
        """Return the dotted path of an expression, such as `os._exit`; None where it is not one."""
        if isinstance(node, ast.Name):
            return self.paths.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return None if base is None else f"{base}.{node.attr}"
        if isinstance(node, ast.Call) and node.args:
            return self._called(node)
        if isinstance(node, ast.Subscript):
            return self._item(node)
        return None

    def _called(self, node: ast.Call) -> str | None:
        """Return the path that `getattr(os, "_exit")`, `__import__("os")` or `vars(trio)` stands for."""
        called = self.dotted(node.func)
        first = text_of(node.args[0])
        if called in _IMPORTERS and first is not None:
            return first
        if called in _GETTERS and len(node.args) > 1 and (name := text_of(node.args[1])) is not None:
            base = self.dotted(node.args[0])
            return None if base is None else f"{base}.{name}"
        if called == "vars":
            base = self.dotted(node.args[0])
            return None if base is None else f"{base}.__dict__"
        return None

    def _item(self, node: ast.Subscript) -> str | None:
        """Return the path that `sys.modules["trio"]` or `trio.__dict__["sleep"]` stands for."""
        key = text_of(node.slice)
        if key is None:
            return None
        if isinstance(node.value, ast.Call) and self.dotted(node.value.func) in ("globals", "locals"):
            return key
        base = self.dotted(node.value)
        if base == "sys.modules":
            return key
        return f"{base.removesuffix('.__dict__')}.{key}" if base is not None and base.endswith(".__dict__") else None

    def values(self, node: ast.expr) -> list[Any]:
        """Return the constants that an expression can be: itself, or what is assigned to the name that it is."""
        if isinstance(node, ast.Name):
            found = [literal(value) for value in self.constants.get(node.id, ())]
        else:
            found = [self._wrapped(node)]
        return [value for value in found if value is not _UNKNOWN]

    def _wrapped(self, node: ast.expr) -> Any:
        """Return a literal, also as `set([...])`, `tuple(...)`, `frozenset({...})` or `repr([...])`."""
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            inner = self.values(node.args[0])
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in _MAKERS and inner:
                try:
                    return _MAKERS[name](inner[0])
                except TypeError:
                    return _UNKNOWN
        return literal(node)


def literal(node: ast.AST) -> Any:
    """Return the value of a literal; a marker that equals nothing for any other expression."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _UNKNOWN


def text_of(node: ast.AST) -> str | None:
    """Return the text of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
