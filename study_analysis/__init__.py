"""The package `analysis` under a name that a folder of a user's own, called `analysis`, cannot shadow.

Its modules are those files, read again with their own name in place of `analysis`: they never import what somebody else
calls `analysis`, and share nothing with it.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1] / "analysis"
OWN, REAL = __name__, "analysis"


def _renamed(name: str) -> str:
    return OWN + name[len(REAL) :] if name == REAL or name.startswith(f"{REAL}.") else name


class _Renaming(ast.NodeTransformer):
    """Puts the one name for the other in imports and in constants that name a module."""

    def visit_Import(self, node: ast.Import) -> Any:
        """`import analysis.x`."""
        for alias in node.names:
            alias.name = _renamed(alias.name)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        """`from analysis.x import y`."""
        if node.module and not node.level:
            node.module = _renamed(node.module)
        return node

    def visit_Constant(self, node: ast.Constant) -> Any:
        """`"analysis.x"`, where a module is named by its text; a lone word stays."""
        if isinstance(node.value, str) and node.value.startswith(f"{REAL}.") and " " not in node.value:
            return ast.copy_location(ast.Constant(_renamed(node.value)), node)
        return node


class _Loader(importlib.abc.SourceLoader):
    """Reads a file of `analysis`; no byte code is kept, for the place is that of the other name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get_filename(self, fullname: str) -> str:
        """Return the path of the file."""
        return str(self.path)

    def get_data(self, path: str | bytes) -> bytes:
        """Return the bytes of a file."""
        return Path(str(path)).read_bytes()

    def source_to_code(self, data: Any, path: Any = "<string>", *_: Any, **__: Any) -> Any:
        """Its code, renamed."""
        tree = ast.fix_missing_locations(_Renaming().visit(ast.parse(data, str(path))))
        return compile(tree, str(path), "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules below this one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Where a module of this name is read from; None for all others."""
        if not fullname.startswith(f"{OWN}."):
            return None
        place = ROOT.joinpath(*fullname.split(".")[1:])
        if (place / "__init__.py").is_file():
            file = place / "__init__.py"
            inside = [str(place)]
            return spec_from_file_location(fullname, file, loader=_Loader(file), submodule_search_locations=inside)
        file = place.with_suffix(".py")
        return spec_from_file_location(fullname, file, loader=_Loader(file)) if file.is_file() else None


sys.meta_path.insert(0, _Finder())
_code = _Loader(ROOT / "__init__.py").get_code(OWN)
if _code is None:
    raise ImportError(f"{ROOT / '__init__.py'} has no code")
exec(_code, globals())
