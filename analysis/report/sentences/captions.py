"""Captions of the figures of a primary outcome, and the sentence on where missing outcomes are dealt with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.report.scales import PERCENT, SHARES
from study_app.domain.study.analysis_plan import Outcome

Row = Mapping[str, Any]
_ABOUT_LOSS = {
    "multiple_imputation": "multiple imputation",
    "lee_bounds": "Lee's bounds (whose interval is Imbens and Manski's)",
    "worst_case": "the worst case",
    "inverse_probability": "weighting for loss",
}


def beside(outcome: Outcome, level: float, *, within: bool, clusters: bool, differences: bool) -> str:
    """Return the caption of everybody's values beside the differences.

    Args:
        outcome: what is drawn.
        level: of the intervals of means.
        clusters: whether the intervals are over clusters.
        differences: whether a row that decides is of a difference, which is drawn.
        within: whether people are compared with themselves, so that their periods are drawn by treatment.
    """
    interval = f"{100 * level:g}% interval"
    if outcome.kind == "binary":
        left = f"Share of each arm with its {interval} ({'over clusters' if clusters else 'Wilson'})."
    else:
        each = "one period of a person" if within else "one person"
        over = " over clusters" if clusters else ""
        left = f"Each point is {each}; cloud, mean and {interval} of the mean{over} above the points."
    if not differences:
        return left
    return f"Left: {left[0].lower()}{left[1:]} Right: the difference that the plan decides on, with its interval."


def among(outcome: Outcome) -> str:
    """Return ", in minutes": the unit of an outcome's differences; empty where it has none."""
    unit = PERCENT if outcome.unit in SHARES else outcome.unit
    return f", in {unit}" if unit else ""


def lost(rows: Sequence[Row]) -> str:
    """Return where the report deals with missing outcomes, by the rows that it has."""
    there = {row["method"] for row in rows if row["role"] in ("sensitivity", "exploratory")}
    named = [text for method, text in _ABOUT_LOSS.items() if method in there]
    if not named:
        return "No row of this report fills them in or bounds what they could be."
    text = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    return f"{text[0].upper()}{text[1:]} {'are' if len(named) > 1 or 'bounds' in text else 'is'} under Sensitivity."
