"""What may still change after a participant has left it, so that no text is judged before it is final."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from study_app.dataset.measures.interviews.history import KINDS, interviews_of
from study_app.domain.records import Participant
from study_app.domain.study.study import Stage
from study_app.domain.themes.marks import interview_of
from study_app.domain.timing import LATE
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant_status import is_under_way

CutOff = Mapping[tuple[str, str], datetime]
"""Participant and stage -> the deadline, where events from before it may still arrive and count."""


def cut_off_lately(context: StudyContext, unit: UnitOfWork) -> CutOff:
    """Return the stages that a deadline has ended and whose texts late events may still change."""
    visits = unit.cut_off_since(context.now() - LATE)
    return {(visit.participant_id, visit.stage): visit.deadline_at for visit in visits if visit.deadline_at is not None}


def has_left(context: StudyContext, person: Participant, stage: str) -> bool:
    """Return whether a participant is past a stage, or fell silent on it."""
    return person.over or person.stage != stage or not is_under_way(context, person)


def is_judged(unit: UnitOfWork, person: Participant, stage: Stage) -> bool:
    """Return whether people or programs have judged what a participant answered at a quiz or in an interview."""
    if stage.kind == "quiz":
        mine = f"answer:{person.id}:{stage.id}:"
        return any(rating.object.startswith(mine) for rating in unit.ratings())
    if stage.kind != "interview":
        return False
    held = {each.id for each in interviews_of(unit.events_of(person.id, KINDS, stage.id))}
    judged = (interview_of(rating.object) for rating in unit.ratings())
    return any(key is not None and key[0] in held for key in judged)
