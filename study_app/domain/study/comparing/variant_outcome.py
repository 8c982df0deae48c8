"""The outcome that a study with impossible variants has beside those of its plan."""

from __future__ import annotations

from study_app.domain.study.analysis_plan import Outcome, Plan
from study_app.domain.study.study import Study

PASSES = "visible_only_pass"
"""Column, and id of the outcome: a program passes every check that could be seen and fails one that could not."""


def variant_outcome(plan: Plan, study: Study | None) -> tuple[Outcome, ...]:
    """Return the outcome where arms differ by variants and the plan does not name it."""
    if study is None or not study.varied_tasks or any(PASSES in (each.id, each.name) for each in plan.outcomes):
        return ()
    return (Outcome(id=PASSES, label="Passes visible checks only", kind="binary", unit="proportion"),)
