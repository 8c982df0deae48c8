"""Which libraries computed a result: read from the modules that made its rows and sections."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from analysis.estimators.methods import METHODS

OWN = __name__.split(".")[0]
"""What this package is called where it is imported: `analysis` or `study_analysis`."""
OF_SECTION = {
    "psychometrics": "analysis.measurement.psychometrics",
    "agreement": "analysis.measurement.agreement",
    "styles": "analysis.interaction.section",
}
"""The module behind each section that may be empty."""
ALWAYS = ("analysis.pipeline.analysis_table", "analysis.design.multiplicity", "analysis.plotting")
"""Modules that every report rests on."""
REGISTERS = ("analysis", "analysis.estimators.methods", "analysis.estimators.core.registry",
             "analysis.interaction.coders.claude", "analysis.interaction.coders.coding")  # fmt: skip
"""Modules that import every method, or that no analysis runs: what they need did not make one result."""


def software(rows: Iterable[Mapping[str, Any]], sections: Mapping[str, Any]) -> dict[str, str]:
    """Distribution -> version of the libraries that the modules of these rows and sections import, sorted.

    Args:
        rows: rows of `estimates`; those without any figure do not count.
        sections: the result's sections by name; empty ones do not count.
    """
    made = {row["method"] for row in rows if row["method"] in METHODS and _has_figures(row)}
    modules = {METHODS[method].__module__ for method in made} | set(ALWAYS)
    modules |= {module for name, module in OF_SECTION.items() if _filled(sections.get(name))}
    names = set().union(*(_libraries(module) for module in modules))
    found = {}
    for distribution in sorted({d for name in names for d in _distributions().get(name, ())}):
        try:
            found[distribution] = version(distribution)
        except PackageNotFoundError:  # pragma: no cover
            continue
    return found


def _has_figures(row: Mapping[str, Any]) -> bool:
    return any(row.get(key) is not None for key in ("estimate", "p_value", "ci_low"))


def _filled(section: Any) -> bool:
    return bool(set(section or ()) - {"note"})


@lru_cache(maxsize=1)
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _libraries(module: str) -> frozenset[str]:
    """Top-level names outside the standard library and this project that a module of ours reaches."""
    seen, waiting, found = set(), [module], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name in REGISTERS:
            continue
        seen.add(name)
        for imported in _imports(name):
            top = imported.split(".")[0]
            if top == OWN:
                waiting.append(imported)
            elif top not in sys.stdlib_module_names and top != "study_app":
                found.add(top)
    return frozenset(found)


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Modules that the source of a module names in its imports."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # a name inside a module
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return ()
    names: list[str] = []
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(f"{OWN}{name[len('analysis') :]}" if name.split(".")[0] == "analysis" else name for name in names)
