"""Arms as participants meet them: of a crossover that of the period, after a second randomisation its treatment's."""

from __future__ import annotations

from study_app.domain.allocation.options import DECISION_MARK
from study_app.domain.study.study import Study, StudyArm


def allocated_to(study: Study, arm: str, second: str | None) -> str:
    """Return everything that a participant with an arm was allocated to, as the study reads it."""
    # One that the study does not know is a finding of the second decision; here it must not stop the check.
    known = {each.id for each in study.second_decision.treatments}
    return f"{arm}{DECISION_MARK}{second}" if second in known else arm


def arm_met(study: Study, arm: str | None, second: str | None, stage: str) -> StudyArm | None:
    """Return the arm of a participant at a stage; None where the study knows no such arm or stage."""
    there = next((each for each in study.stages if each.id == stage), None)
    if arm is None or there is None:
        return None
    try:
        return study.arm(allocated_to(study, arm, second), there)
    except StopIteration:
        return None
