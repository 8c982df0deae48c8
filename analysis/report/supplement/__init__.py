"""A folder with which others compute the primary results again: data, assignments, expected values, two scripts."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.pipeline.recomputed import RecomputedModel, ReplicationMaterial

TOLERANCE = 1e-6
"""Largest difference from the expected value, relative to it or absolute, that the scripts let pass."""


def supplement(found: ReplicationMaterial, title: str) -> dict[str, str]:
    """File name -> text of the folder."""
    environment = Environment(
        loader=PackageLoader("analysis.report.supplement", "templates"), trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined, autoescape=False,
    )  # fmt: skip
    environment.filters |= {"formula": formula, "text": quoted}
    context: dict[str, Any] = {
        "title": " ".join(title.split()), "models": found.models, "arms": found.arms, "tolerance": TOLERANCE,
        "people": len(found.data), "assignments": len(found.assignments),
    }  # fmt: skip
    scripts = {
        name: environment.get_template(f"{name}.j2").render(context)
        for name in ("recompute.R", "recompute.py", "README.md")
    }
    lines = ["".join(map(str, row)) for row in found.assignments.tolist()]
    return {
        "data.csv": _csv(found.data),
        "assignments.txt": "\n".join(lines) + "\n",
        "expected.csv": _csv(found.expected),
        **scripts,
    }


def formula(model: RecomputedModel) -> str:
    """Return the model in the words of R's formulas; `d` stands for the arms' indicators, c() for centring."""
    x = [f"c({name})" for name in model.covariates]
    right = " + ".join(["d", *x])
    if model.statistic == "lin" and x:
        right = "d * " + (f"({' + '.join(x)})" if len(x) > 1 else x[0])
    return f"{model.outcome} ~ " + " + ".join([right, *(f"factor({name})" for name in model.strata)])


def quoted(value: str) -> str:
    """Return a text constant that R and Python read alike."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _csv(table: pd.DataFrame) -> str:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, float_format="%.17g", lineterminator="\n")
    return buffer.getvalue()
