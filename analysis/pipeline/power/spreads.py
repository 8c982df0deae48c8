"""Standard deviations of outcomes in their own units: what the researcher says, or what is simulated otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scipy import special

from analysis.pipeline.power.assumptions import SPREADS, TIME_SPREAD, Assumptions
from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Outcome, Plan

IN_UNITS = ("margin", "delta")
"""Options of a method that are in the outcome's unit, so that power hangs on its standard deviation."""
_WITHOUT = {
    "binary": "is a yes or no, whose spread follows from its share",
    "count": "is a count, whose spread follows from its mean",
    "ordinal": "has levels and no unit",
}
"""Kinds of outcomes without a standard deviation, and why."""


def top_of(outcome: Outcome) -> float:
    """Return the highest value of a bounded outcome as it is simulated."""
    return outcome.upper or 100.0


def cap_of(outcome: Outcome) -> float:
    """Return the cap of a time as it is simulated."""
    return outcome.cap or 1.0


def spread_of(outcome: Outcome, given: Assumptions) -> float:
    """Return the standard deviation of the control arm's outcome in its unit, before any cap or bound."""
    if outcome.id in given.sd:
        return given.sd[outcome.id]
    if outcome.kind == "bounded":
        return top_of(outcome) / SPREADS
    return TIME_SPREAD * cap_of(outcome) if outcome.kind == "time" else 1.0


def spreads_of(plan: Plan, given: Assumptions) -> dict[str, float]:
    """Return primary outcome -> its standard deviation, of those that have one."""
    primary = [plan.outcome(name) for name in plan.primary]
    return {outcome.id: spread_of(outcome, given) for outcome in primary if not _why_without(outcome)}


def spread_problems(plan: Plan, given: Assumptions) -> list[Problem]:
    """Return what is wrong with the standard deviations that are given, each with its outcome."""
    return [Problem("--sd", name, what, remedy) for name in given.sd for what, remedy in _problems(plan, name, given)]


def _problems(plan: Plan, name: str, given: Assumptions) -> Iterator[tuple[str, str]]:
    sd = given.sd[name]
    if name not in plan.primary:
        yield "is not a primary outcome, and only those are simulated", f"name one of: {', '.join(plan.primary)}"
        return
    outcome = plan.outcome(name)
    if why := _why_without(outcome):
        yield why, "leave it out"
    elif not (math.isfinite(sd) and sd > 0):
        yield f"{sd:g} is not a standard deviation", "give a number above 0, in the outcome's unit"
    elif outcome.kind == "bounded" and sd > top_of(outcome) / 2:
        named = "" if outcome.upper else ", which is taken where the plan names no upper end,"
        what = f"no outcome from 0 to {top_of(outcome):g}{named} has a standard deviation of {sd:g}"
        yield what, f"give at most {top_of(outcome) / 2:g}"
    elif outcome.kind == "time" and sd >= (most := _longest(outcome, given)):
        what = (
            f"with {sd:g} the mean of the control arm would lie below 0, so that --incomplete do not finish by the cap"
        )
        yield what, f"give less than {most:.4g}"
    elif outcome.kind == "continuous" and not _has_units(plan, name):
        yield (
            "no primary row of it has a margin, and --effect is in standard deviations, so nothing changes",
            "leave it out",
        )


def _why_without(outcome: Outcome) -> str:
    if outcome.kind == "time" and outcome.censored == "right":
        return "is a time to an event, censored where it ends, so that only its order is compared"
    return _WITHOUT.get(outcome.kind, "")


def _longest(outcome: Outcome, given: Assumptions) -> float:
    """Return the standard deviation of a time with which the control arm's mean lies at 0."""
    quantile = float(special.ndtri(1 - given.incomplete))
    return cap_of(outcome) / quantile if quantile > 0 else math.inf


def _has_units(plan: Plan, name: str) -> bool:
    rows = [row for row in plan.analyses if row.role == "primary" and row.outcome == name]
    return any(option in row.options for row in rows for option in IN_UNITS)
