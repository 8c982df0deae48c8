"""What the decision rule of the plan says of a primary row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.estimators.core.no_effect import CHANCES, no_effect
from analysis.report.scales import in_unit, shown
from analysis.report.wording import MARGINS, of_interaction

Row = Mapping[str, Any]


def verdict(row: Row, labels: Mapping[str, str], alpha: float) -> str:
    """Return what the decision rule of the plan says, without claiming more."""
    p = row["p_adjusted"] if row["p_adjusted"] is not None else row["p_value"]
    if p is None or (row["estimate"] is None and str(row["note"]).startswith("not estimable")):
        return "The plan's rule gives no decision."
    if row["method"] in MARGINS:
        return _margin_verdict(row, labels, alpha, p)
    null, plausible = _null(row)
    if p > alpha:
        shows = plausible and (row["ci_low"] is not None or row["ci_high"] is not None)
        rest = f"; the interval says which {plausible} remain plausible" if shows else ""
        return f"By the plan's rule at {_percent(alpha)}, the data do not exclude {null}{rest}."
    direction = _direction(row, labels)
    return f"By the plan's rule at {_percent(alpha)}, {null} is rejected{direction}."


def _percent(alpha: float) -> str:
    """Return a level of error in percent, with the decimals that it has."""
    return f"{100 * alpha:.3g}%"


def _null(row: Row) -> tuple[str, str]:
    """Return what a row tests, and what its interval is of; empty where it has none."""
    if row["estimate"] is None:
        return "equality of the arms", ""
    if not row["contrast"] or of_interaction(row):
        return "the absence of an interaction", "differences"
    if row["method"] in CHANCES:
        return "a chance of one half", "chances"
    return ("a ratio of one", "ratios") if shown(row).ratio else ("a difference of zero", "differences")


def _direction(row: Row, labels: Mapping[str, str]) -> str:
    """Return in which arm outcomes are higher, or the event comes sooner; empty of a test that says none."""
    if row["estimate"] is None or not row["contrast"] or of_interaction(row):
        return ""
    above = row["estimate"] > no_effect(row["method"], row["unit"])
    treated, control = (labels.get(arm, arm) for arm in row["contrast"])
    # A higher hazard is an event that comes sooner: "higher" would be read as a longer time.
    hazard = row["unit"] == "log hazard ratio"
    word = (
        ("the event comes sooner" if above else "the event comes later") if hazard else "higher" if above else "lower"
    )
    return f": {word} with {treated} than with {control}"


def _margin_verdict(row: Row, labels: Mapping[str, str], alpha: float, p: float) -> str:
    """Return the decision of a test against a margin: the level is that of each of its one-sided tests."""
    detail = row["detail"]
    treated, control = (labels.get(arm, arm) for arm in row["contrast"])
    rule = f"By the plan's rule at {_percent(alpha)}"
    if row["method"] == "tost":
        margin = in_unit(row["unit"], detail["margin_low"], detail["margin_high"])
        found = f"the difference between {treated} and {control} lies within {margin}"
        claim = "equivalence is shown" if p <= alpha else "equivalence is not shown: the data do not exclude that"
        return f"{rule}, {claim}" + (f": {found}." if p <= alpha else " it lies outside.")
    margin = in_unit(row["unit"], detail["margin"])
    if p <= alpha:
        return f"{rule}, {treated} is not worse than {control} by {margin} or more."
    return (
        f"{rule}, non-inferiority is not shown: the data do not exclude that {treated} is "
        f"worse than {control} by {margin} or more."
    )
