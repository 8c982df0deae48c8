"""A folder with which others compute the primary results again: data, assignments, expected values, two scripts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.pipeline.recomputing import RecomputedModel, ReplicationMaterial
from analysis.pipeline.recomputing.files import SYMBOLS, lines_of
from analysis.pipeline.recomputing.material import LEFT_OUT, RESTRICTED, WITHIN, UsualRow

TOLERANCE = 1e-6
"""Largest difference from the expected value, relative to it or absolute, that the scripts let pass."""

LEAST_WEIGHT = 1e-12
"""Weight of a mean in a contrast below which it is the rounding of none."""


def supplement(found: ReplicationMaterial, title: str) -> dict[str, str]:
    """File name -> text of the folder: where the scripts compute no row, the page that says why, and no scripts."""
    environment = Environment(
        loader=PackageLoader("analysis.report.supplement", "templates"), trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined, autoescape=False,
    )  # fmt: skip
    environment.filters |= {"formula": formula, "words": words, "combined": combined, "text": quoted, "line": one_line}
    context: dict[str, Any] = {
        "title": title, "models": found.models, "beside": found.beside, "arms": found.arms, "tolerance": TOLERANCE,
        "people": len(found.data), "files": {name: len(drawn) for name, drawn in found.assignments.items()},
        "signs": SYMBOLS, "left_out": found.left_out, "notes": found.notes,
        **_needed(found), "within": found.within_people,
        "restricted": any(model.statistic == RESTRICTED for model in found.models),
    }  # fmt: skip
    written = ("recompute.R", "recompute.py", "README.md") if found.models or found.beside else ("README.md",)
    scripts = {name: environment.get_template(f"{name}.j2").render(context) for name in written}
    if len(written) == 1:
        return scripts
    return {
        "data.csv": _csv(found.data),
        **{name: lines_of(drawn) for name, drawn in found.assignments.items()},
        "expected.csv": _csv(found.expected),
        **scripts,
    }


def _needed(found: ReplicationMaterial) -> dict[str, Any]:
    """Return what decides which functions the scripts hold."""
    methods = {row.method for row in found.beside}
    return {
        "methods": methods, "margins": any(row.margin for row in found.beside), "ranks": "brunner_munzel" in methods,
        "left_out_once": any(row.vcov == LEFT_OUT for row in found.beside),
    }  # fmt: skip


def formula(model: RecomputedModel) -> str:
    """Return the model in the words of R's formulas; `d` stands for the arms' indicators, c() for centring."""
    if model.statistic == RESTRICTED:
        return f"restricted_mean({model.column}, {model.event}, {model.horizon:g}) ~ d"
    if model.statistic == WITHIN:
        return f"{model.column} ~ factor(person) + factor(period) + d"
    return _regression(model.column, model.statistic == "lin", model.covariates, model.strata)


def _regression(column: str, interacts: bool, covariates: Sequence[str], strata: Sequence[str]) -> str:
    x = [f"c({name})" for name in covariates]
    right = " + ".join(["d", *x])
    if interacts and x:
        right = "d * " + (f"({' + '.join(x)})" if len(x) > 1 else x[0])
    return f"{column} ~ " + " + ".join([right, *(f"factor({name})" for name in strata)])


_WORDS = {
    "welch_t": "Welch's t test of", "student_t": "Student's t test of", "newcombe": "pooled score test of",
    "mann_whitney": "Mann-Whitney test of", "brunner_munzel": "Brunner and Munzel's test of",
    "fisher": "Fisher's exact test of", "logrank": "log-rank test of", "cox": "Cox model (Efron) of",
}  # fmt: skip


def words(row: UsualRow) -> str:
    """Return what a row of a usual function is: a formula, or a test and its column."""
    if row.method == "mixed_model":
        text = _regression(row.column, False, row.covariates, row.strata)
        return f"`{text} + (1 | {row.cluster})`, REML, t with Satterthwaite's degrees of freedom"
    if row.vcov == LEFT_OUT:
        what = "risk difference" if row.method == "newcombe" else "share of pairs that the treated win"
        return f"{what} in `{row.column}`, {LEFT_OUT} over `{row.cluster}`, t with clusters - arms degrees of freedom"
    return _of_model(row) + "".join(f", {'above' if side > 0 else 'below'} {end:g}" for end, side in row.margin)


def _of_model(row: UsualRow) -> str:
    if row.margin and not row.vcov:
        return f"{_WORDS['student_t' if row.pooled else 'welch_t']} `{row.column}`"
    if not row.vcov:
        side = "" if row.alternative == "two-sided" else f" ({row.alternative})"
        return f"{_WORDS[row.method]} `{row.column}`{side}"
    text = _regression(row.column, row.interacts, row.covariates, row.strata)
    df = "n - p" if not row.cluster else "Satterthwaite's" if row.vcov == "CR2" else "G - 1"
    over = f" over `{row.cluster}`" if row.cluster else ""
    return f"`{text}`, {row.vcov}{over}, t with {df} degrees of freedom"


def combined(weights: Sequence[float], arms: Sequence[str]) -> str:
    """Return a contrast of arms' means as text: `0.5 a - 0.5 b`; of two arms `a against b`."""
    every = [(arms[0], -sum(weights)), *zip(arms[1:], weights, strict=True)]
    signed = [(arm, weight) for arm, weight in every if abs(weight) > LEAST_WEIGHT]
    if sorted(weight for _, weight in signed) == [-1.0, 1.0]:
        treated, control = sorted(signed, key=lambda one: -one[1])
        return f"{treated[0]} against {control[0]}"
    said = " ".join(f"{'-' if weight < 0 else '+'} {abs(weight):.6g} {arm}" for arm, weight in signed)
    return said.removeprefix("+ ")


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
