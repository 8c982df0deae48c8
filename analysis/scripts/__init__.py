"""Numbered scripts: each prints one part of a result with the formula or model behind every row.

They run as `python analysis/scripts/NAME.py DATASET [--plan PLAN] [--include-simulated]`. The folder `supplement/` of a
result computes the primary rows without this package.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis.data.load import load, named_words
from analysis.estimators.methods import METHODS
from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.planning.plan import load_plan, plan_of
from analysis.pipeline.prepare import Prepared, prepare
from analysis.pipeline.recomputing import recomputed
from analysis.report.supplement import formula
from study_app.domain.errors import StudyError

Result = Mapping[str, Any]


def show(about: str, choose: Callable[[Result], Any]) -> None:
    """Analyse the dataset named on the command line and print what `choose` takes from the result, as JSON.

    Rows of estimates get `model`, what the method does, and `formula`: the regression's with the columns by name where
    the row is a primary one that the supplement recomputes, else the method's.
    """
    given = arguments(about)
    with refusals():
        prepared = _prepared(given)
        result = analyse_prepared(prepared)
    formulas = _formulas(prepared, result)
    rows = [_with_model(row, formulas) for row in choose(result)]
    sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def arguments(about: str, *more: str) -> argparse.Namespace:
    """Read the command line: a dataset, further paths by name, a plan, and whether simulated people take part."""
    parser = argparse.ArgumentParser(description=about)
    for name in ("dataset", *more):
        parser.add_argument(name, type=Path)
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--include-simulated", action="store_true")
    return parser.parse_args()


@contextmanager
def refusals() -> Iterator[None]:
    """Print what the analysis refuses as a sentence, as the command line does, and end with status 2."""
    try:
        yield
    except StudyError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in str(error).splitlines()))
        sys.exit(2)


def _prepared(given: argparse.Namespace) -> Prepared:
    plan = load_plan(given.plan) if given.plan else None
    dataset = load(given.dataset, plan.columns if plan else {}, named_words(plan))
    return prepare(dataset, plan or plan_of(dataset), include_simulated=given.include_simulated)


def _formulas(prepared: Prepared, result: Result) -> dict[str, str]:
    """Row -> formula of its model, of the primary rows that the supplement has; none while arms are hidden."""
    found = None if prepared.view.hidden else recomputed(prepared, result["estimates"], result["provenance"]["seed"])
    models = found.models if found else ()
    return {name: f"{formula(model)}, {model.vcov}" for model in models for name, *_ in model.rows}


def _with_model(row: Any, formulas: Mapping[str, str]) -> Any:
    if not isinstance(row, Mapping) or row.get("method") not in METHODS:
        return row
    text = METHODS[row["method"]].__doc__ or ""
    about = text.strip().splitlines()[0]
    of_method = " ".join(text.partition("Formula: ")[2].partition("\n\n")[0].split()).partition(". ")[0]
    return {"id": row["id"], "model": about, "formula": formulas.get(row["id"], of_method), **row}
