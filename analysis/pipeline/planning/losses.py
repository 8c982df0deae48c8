"""The rows that follow from people who are lost on the way or excluded, of whom an arm may have more.

The plan's text and hash leave them out, for they follow from the study's sessions, and from who was excluded.
"""

from __future__ import annotations

from collections.abc import Iterable

from study_app.dataset.schema.plan_fit import waves_of_columns
from study_app.domain.study.analysis_plan import Analysis, Plan
from study_app.domain.study.study import Study

SCALES = ("bounded", "continuous")
"""Kinds of outcomes whose means are compared; a time that was never reached is censored, not missing."""


def rows_of_losses(plan: Plan, study: Study | None, listed: Iterable[Analysis]) -> tuple[Analysis, ...]:
    """Return Lee's bounds and a weighted row for each score of a later session, but for those that are listed."""
    if study is None or len(study.sessions) < 2 or study.allocation.method == "sequence":
        return ()
    later = waves_of_columns(study)
    there = {(row.outcome, row.method) for row in listed}
    rows = [
        Analysis(outcome=outcome.id, method=method, adjusted=adjusted)
        for outcome in plan.outcomes
        if outcome.name in later and outcome.kind in SCALES
        for method, adjusted in (("lee_bounds", False), ("inverse_probability", True))
    ]
    return tuple(row for row in rows if (row.outcome, row.method) not in there)


def rows_with_excluded(rows: Iterable[Analysis]) -> tuple[Analysis, ...]:
    """Return each primary row of everyone analysed once more, with those excluded after allocation."""
    rows = tuple(rows)
    listed = {row.id for row in rows}
    again = (
        row.model_copy(update={"role": "sensitivity", "population": "with_excluded"})
        for row in rows
        if row.role == "primary" and row.population == "itt"
    )
    return tuple(row for row in again if row.id not in listed)
