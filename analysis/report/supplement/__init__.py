"""A folder with which others compute the primary results again: data, assignments, expected values, two scripts."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.pipeline.recomputing import RecomputedModel, ReplicationMaterial
from analysis.pipeline.recomputing.files import SYMBOLS, lines_of
from analysis.pipeline.recomputing.material import RESTRICTED, WITHIN

TOLERANCE = 1e-6
"""Largest difference from the expected value, relative to it or absolute, that the scripts let pass."""


def supplement(found: ReplicationMaterial, title: str) -> dict[str, str]:
    """File name -> text of the folder: where the scripts compute no row, the page that says why, and no scripts."""
    environment = Environment(
        loader=PackageLoader("analysis.report.supplement", "templates"), trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined, autoescape=False,
    )  # fmt: skip
    environment.filters |= {"formula": formula, "text": quoted, "line": one_line}
    context: dict[str, Any] = {
        "title": title, "models": found.models, "beside": found.beside, "arms": found.arms, "tolerance": TOLERANCE,
        "people": len(found.data), "files": {name: len(drawn) for name, drawn in found.assignments.items()},
        "signs": SYMBOLS, "left_out": found.left_out, "notes": found.notes,
        "within": found.within_people, "restricted": any(model.statistic == RESTRICTED for model in found.models),
    }  # fmt: skip
    written = ("recompute.R", "recompute.py", "README.md") if found.models else ("README.md",)
    scripts = {name: environment.get_template(f"{name}.j2").render(context) for name in written}
    if not found.models:
        return scripts
    return {
        "data.csv": _csv(found.data),
        **{name: lines_of(drawn) for name, drawn in found.assignments.items()},
        "expected.csv": _csv(found.expected),
        **scripts,
    }


def formula(model: RecomputedModel) -> str:
    """Return the model in the words of R's formulas; `d` stands for the arms' indicators, c() for centring."""
    if model.statistic == RESTRICTED:
        return f"restricted_mean({model.column}, {model.event}, {model.horizon:g}) ~ d"
    if model.statistic == WITHIN:
        return f"{model.column} ~ factor(person) + factor(period) + d"
    x = [f"c({name})" for name in model.covariates]
    right = " + ".join(["d", *x])
    if model.statistic == "lin" and x:
        right = "d * " + (f"({' + '.join(x)})" if len(x) > 1 else x[0])
    return f"{model.column} ~ " + " + ".join([right, *(f"factor({name})" for name in model.strata)])


def quoted(value: str) -> str:
    """Return a text constant that R and Python read alike."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def one_line(value: str) -> str:
    """Return a text that neither ends a comment of a script nor the quotes around its first lines."""
    return " ".join(value.split()).replace("\\", "/").replace('"', "'")


def _csv(table: pd.DataFrame) -> str:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, float_format="%.17g", lineterminator="\n")
    return buffer.getvalue()
