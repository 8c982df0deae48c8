"""The page of methods, written from their texts: `python -m analysis.report.methods_page docs/reference/methods.md`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from analysis import agreement, effects, monitoring, multiplicity, power, psychometrics
from analysis.estimators.core.registry import SHARED as CHOSEN
from analysis.estimators.methods import METHODS

SHARED = "data outcome arm control covariates stratum cluster event horizon level seed frequency".split()
BESIDE = (multiplicity, monitoring, power, psychometrics, agreement, effects)
OPENING = """# Methods

Generated from the texts of the functions by `python -m analysis.report.methods_page docs/reference/methods.md`; a test
keeps it current.

Every method is `analysis.METHODS[id](data, *, outcome, arm, control, covariates=(), stratum=None, cluster=None,
event=None, horizon=None, level=0.95, seed=None, frequency=None, ...)` and gives an `Estimate`, or a list of them.
What holds for all:

- Every method refuses the shared arguments that it does not use; those that it uses stand under its name. All take
  `level`, `seed` and `frequency`.
- Further figures stand by name in `Estimate.detail`; `row.to_frame()` and, of several rows, `rows.to_frame()` give a
  data frame, `rows.plot()` a forest plot.
- A contrast is treated minus control; with several arms there is one row per treated arm, in the order of labels.
- A column that is not there, an arm without rows, an empty cell in a column that the method needs, text for numbers:
  an `AnalysisError` that names the column and what to do. Sound data that leave the quantity undefined (everyone
  alike, no participant with the event, fewer people than coefficients): a row without numbers and with a note.
- Covariates that are not numbers enter as indicators of all levels but the first; strata likewise. Columns that
  others span are dropped with a note. `frequency` names a column of counts for rows that stand for several people.
- Regression methods called without `arm` report every coefficient; with a numeric `arm` and no `control`, the effect
  per unit.
- Effect sizes of differences of means are Hedges' g with the exact correction; their interval is the exact one of
  the population value, from the noncentral t.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [OPENING]
    for name in dict.fromkeys(inspect.unwrap(method).__module__ for method in _by_family()):
        module = sys.modules[name]
        parts.append(f"## {_first_line(module)}\n")
        parts += [
            _entry(name, method, SHARED) for name, method in METHODS.items() if method.__module__ == module.__name__
        ]
    parts.append("# Beside the methods\n")
    for module in BESIDE:
        parts.append(f"## `{module.__name__}`\n\n{_first_line(module)}\n")
        parts += [_entry(name, function, []) for name, function in _functions(module)]
    return "\n".join(parts)


def _by_family() -> list[Any]:
    return sorted(METHODS.values(), key=lambda method: method.__module__)


def _functions(module: ModuleType) -> list[tuple[str, Callable[..., Any]]]:
    if hasattr(module, "__all__"):
        return [(n, getattr(module, n)) for n in module.__all__ if inspect.isfunction(getattr(module, n))]
    found = inspect.getmembers(module, inspect.isfunction)
    return [(n, f) for n, f in found if not n.startswith("_") and f.__module__ == module.__name__ and f.__name__ == n]


def _first_line(module: ModuleType) -> str:
    return (inspect.getdoc(module) or "").splitlines()[0].rstrip(".")


def _entry(name: str, function: Callable[..., Any], hidden: list[str]) -> str:
    parameters = [p for key, p in inspect.signature(function).parameters.items() if key not in hidden]
    shown = ", ".join(p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters)
    options = f"Options: `{shown}`\n\n" if hidden and shown else ""
    uses = [key for key in CHOSEN if key in getattr(function, "uses", ())]
    options = f"Uses: {', '.join(f'`{key}`' for key in uses)}\n\n{options}" if uses else options
    call = "" if hidden else f"`{name}({shown})`\n\n"
    return f"### `{name}`\n\n{call}{options}{_unwrapped(inspect.getdoc(function) or '')}\n"


def _unwrapped(doc: str) -> str:
    """Return a docstring with its example set as code and each labelled sentence on a separate line."""
    lines, code = [], False
    for line in doc.splitlines():
        if line.strip() == "Example:":
            continue
        is_code = line.lstrip().startswith((">>>", "...")) or (code and bool(line.strip()))
        if is_code != code:
            lines.append("```python" if is_code else "```")
            code = is_code
        label = line.split(":", 1)[0] in ("Formula", "Missing data", "Reference", "Args", "Returns", "Raises")
        lines += (
            ["", line]
            if label and not code and lines[-1:] != [""]
            else [line[4:] if is_code and line.startswith("    ") else line]
        )
    return "\n".join([*lines, "```"] if code else lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
