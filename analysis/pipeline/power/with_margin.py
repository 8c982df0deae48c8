"""Formulas of rows that are to show no difference that matters: non-inferiority and equivalence."""

from __future__ import annotations

import numpy as np

from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.spreads import spread_of
from analysis.pipeline.power.two_groups import two_group_power
from study_app.domain.study.analysis_plan import Analysis, Outcome

METHODS = ("noninferiority", "tost")


def row_with_margin(analyses: tuple[Analysis, ...], name: str) -> Analysis | None:
    """Return the primary analysis with a margin that gave a row; None where another did."""
    found = _of_row(tuple(one for one in analyses if one.role == "primary"), name)
    return found if found is not None and found.method in METHODS else None


def sides_of(analyses: tuple[Analysis, ...], name: str) -> str:
    """Return whether the test of a row is two-sided, one-sided, or two one-sided ones."""
    found = _of_row(analyses, name)
    if found is None:
        return "two-sided"
    if found.method == "tost":
        return "two one-sided tests"
    is_one = found.method == "noninferiority" or found.options.get("alternative") in ("greater", "less")
    return "one-sided" if is_one else "two-sided"


def _of_row(analyses: tuple[Analysis, ...], name: str) -> Analysis | None:
    """Return the analysis that gave a row: the longest id with which the row's begins, for labels lengthen ids."""
    found = [one for one in analyses if name == one.id or name.startswith(f"{one.id}.")]
    return max(found, key=lambda one: len(one.id), default=None)


def power_with_margin(
    analysis: Analysis, outcome: Outcome, effect: float, sizes: tuple[float, float], alpha: float, given: Assumptions,
    clusters: float | None = None,
) -> list[tuple[str, float]]:  # fmt: skip
    """Return the formula of a row with a margin, which is in the outcome's unit, by name.

    Args:
        analysis: the row.
        outcome: what it compares.
        effect: treated minus control in standard deviations.
        sizes: people of each arm.
        alpha: level of each one-sided test.
        given: everything else that is assumed.
        clusters: that were allocated; None where people were.
    """
    if outcome.kind not in ("bounded", "continuous", "time"):
        return []
    sd = spread_of(outcome, given)
    margin = abs(float(str(analysis.options["margin"])))
    left = np.sqrt(1 - given.r2)
    above = two_group_power((effect + margin / sd) / left, sizes, alpha, clusters, "greater")
    below = two_group_power((effect - margin / sd) / left, sizes, alpha, clusters, "less")
    about = f"margin {margin:g} where a standard deviation is {sd:.4g}"
    if analysis.method == "tost":
        return [(f"two one-sided t tests, {about}, at least", max(above + below - 1, 0.0))]
    return [(f"one-sided t test, {about}", below if analysis.options.get("better") == "lower" else above)]
