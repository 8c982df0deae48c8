"""What a program's text says, found inside the child: its imports, and which names it calls while it runs.

Parsing a long program takes seconds of a core, so it is done here, under the limits of a run, and never in the server.
"""

from __future__ import annotations

import ast
import contextlib
import sys
import threading
import types
from typing import Any

_RECORD = "__study_record__"
_COMPANIONS = {
    "open_nursery": ("start_soon", "start"),
    "create_task_group": ("start_soon", "start"),
    "TaskGroup": ("create_task",),
}
"""What has to be called, too, before a name counts: a nursery without a task makes nothing concurrent."""
_MOST_IMPORTS = 200


def look(code: str) -> dict[str, Any]:
    """Return what a text says without being run: `valid` Python or not, and the top-level modules that it `imports`."""
    try:
        tree = ast.parse(code.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"valid": False, "imports": []}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        # What `__import__` loads is decided at run time; it is named as what it can do.
        elif isinstance(node, ast.Name) and node.id == "__import__":
            found.add("importlib")
    return {"valid": True, "imports": sorted(found)[:_MOST_IMPORTS]}


class CallRecorder:
    """Notes which of some names a program calls, directly or through `map`, a subclass, an alias or a partial.

    Args:
        names: names of functions and classes.
        file: the file name of the program's code.
    """

    def __init__(self, names: list[str], file: str) -> None:
        self._wanted = frozenset(names) | {other for name in names for other in _COMPANIONS.get(name, ())}
        self._names = names
        self._file = file
        self._called: set[str] = set()

    def called(self) -> list[str]:
        """Return the names that were called, in order."""
        return [
            name
            for name in self._names
            if name in self._called and (name not in _COMPANIONS or self._called & set(_COMPANIONS[name]))
        ]

    def compile(self, code: str) -> types.CodeType:
        """Return the program's code, with a note made before each call that it writes down."""
        tree = _Noting().visit(ast.parse(code))
        return compile(ast.fix_missing_locations(tree), self._file, "exec", dont_inherit=True)

    def install(self, namespace: dict[str, Any]) -> None:
        """Start noting; the compiled code runs in this namespace."""
        namespace[_RECORD] = self._note
        sys.setprofile(self._profile)
        # Calls in threads count, too: they are one of the ways to be concurrent that a task may ask for.
        threading.setprofile(self._profile)

    def remove(self) -> None:
        """Stop noting."""
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, function: Any) -> Any:
        with contextlib.suppress(Exception):
            target = getattr(function, "func", function)
            if isinstance(target, type):
                self._note_class(target)
            elif (name := getattr(target, "__name__", "")) in self._wanted:
                self._called.add(name)
        return function

    def _note_class(self, kind: type) -> None:
        self._called |= self._wanted & {base.__name__ for base in kind.__mro__}

    def _profile(self, frame: types.FrameType, event: str, argument: Any) -> None:
        # Functions written in C have no frame; only the frame that calls them tells who did.
        if event == "c_call" and frame.f_code.co_filename == self._file:
            if (name := getattr(argument, "__name__", "")) in self._wanted:
                self._called.add(name)
        elif event == "call" and self._concerns(frame):
            name = frame.f_code.co_name
            if name in self._wanted:
                self._called.add(name)
            elif name in ("__init__", "__new__") and frame.f_code.co_varnames:
                first = frame.f_locals.get(frame.f_code.co_varnames[0])
                self._note_class(first if isinstance(first, type) else type(first))

    def _concerns(self, frame: types.FrameType) -> bool:
        """Whether the program's own code runs or calls it: what libraries do among themselves is not its doing."""
        caller = frame.f_back
        return frame.f_code.co_filename == self._file or (
            caller is not None and caller.f_code.co_filename == self._file
        )


class _Noting(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = ast.copy_location(ast.Name(_RECORD, ast.Load()), node)
        node.func = ast.copy_location(ast.Call(name, [node.func], []), node)
        return node
