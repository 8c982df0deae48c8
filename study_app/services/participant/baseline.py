"""The baseline of a participant, read from the database."""

from __future__ import annotations

from typing import Any

from study_app.dataset.measures.baseline import clock_stood, quiz_so_far, survey_values, warmup
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.events.server import DeadlineExtended
from study_app.domain.records import Participant
from study_app.domain.study.quiz_roles import TOTALS
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork


def baseline(unit: UnitOfWork, content: ContentLibrary, study: Study, participant: Participant) -> dict[str, Any]:
    """Baseline variables by name; None where unknown."""
    answers = unit.answers(participant.id)
    known = survey_values(study, answers)
    for stage in study.stages:
        if stage.kind == "tasks" and not stage.main:
            visit = unit.visit(participant.id, stage.id)
            given = unit.events_of(participant.id, {DeadlineExtended.kind}, stage.id)
            stood = 0.0 if visit is None else clock_stood(visit, stage.minutes, given) or 0.0
            known |= warmup(stage, visit, unit.runs(participant.id), stood)
    needed = set(study.allocation.variables)
    for quiz in study.quizzes:
        # Only where allocation asks for it: keys and answers of a whole quiz are read for these points.
        if quiz.role == "baseline" and needed & {f"{quiz.stage.id}_{end}" for end in TOTALS}:
            known |= quiz_so_far(content, quiz.stage, unit.visit(participant.id, quiz.stage.id), answers)
    return known | {"label": participant.label}
