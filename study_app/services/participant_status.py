"""The status of a participant as of now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from study_app.domain.records import Participant
from study_app.domain.study.study import Stage, Study
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext

OUTCOME_STATUSES = ("withdrawn", "abandoned", "excluded")
"""Statuses of people who left before their outcome; `replacement` gives their slot back."""


def current_status(context: StudyContext, participant: Participant, now: datetime | None = None) -> str:
    """Return the status as of now: excluded overrides all, and a long silence means abandoned.

    Args:
        context: the study.
        participant: a person.
        now: the present moment, where a board asks for thousands of people at once.
    """
    if participant.exclusion_reason is not None:
        return "excluded"
    if participant.status != "in_progress":
        return participant.status
    if participant.paused_at is not None:
        return "in_progress"
    now = now or context.now()
    waiting = participant.opens_at is not None and participant.opens_at > now
    closes_at = _window_end(context, participant)
    if closes_at is not None:
        return "in_progress" if now < closes_at else "abandoned"
    silence = timedelta(hours=context.study.recruitment.abandoned_after_hours)
    start = max(participant.last_seen_at, participant.opens_at or participant.last_seen_at)
    return "in_progress" if waiting or now - start < silence else "abandoned"


def is_under_way(context: StudyContext, participant: Participant) -> bool:
    """Whether a participant is in progress, excluded or not: an exclusion concerns the analysis, not their session."""
    return current_status(context, replace(participant, exclusion_reason=None)) == "in_progress"


CLOSED_WAVE = "closed_wave"
"""Where the number of the last session lies that `close --wave` has locked."""


def closed_wave(unit: UnitOfWork) -> int:
    """Return the number of the last session that is locked; 0 for none."""
    return int(unit.meta(CLOSED_WAVE) or 0)


def has_people_to_come(context: StudyContext, unit: UnitOfWork) -> bool:
    """Whether real participants can be at work: until the trial is unsealed, or in sessions after a locked one."""
    state = context.state(unit)
    later = 0 < closed_wave(unit) < len(context.study.sessions)
    return state in ("launched", "closed") or (state == "unsealed" and later)


def is_locked(context: StudyContext, unit: UnitOfWork, study: Study, stage: Stage, participant: Participant) -> bool:
    """Whether what a participant gave at a stage is analysed with its arms, so that nothing of it changes any more."""
    if participant.kind != "real":
        return False
    closed = closed_wave(unit)
    return study.wave(stage) <= closed if closed else context.state(unit) == "unsealed"


def closes_at_of(study: Study, stage: Stage, participant: Participant) -> datetime | None:
    """Return when the session that a participant waits for, or may begin, closes; None for never."""
    days = study.session_of(stage).window_days
    if participant.opens_at is None or days is None or not study.opens_session(stage):
        return None
    return participant.opens_at + timedelta(days=days)


def missed(study: Study, participant: Participant, now: datetime) -> bool:
    """Return whether a session closed before the participant began it; whether they have is for the caller to know."""
    closes_at = closes_at_of(study, study.stage(participant.stage), participant)
    return closes_at is not None and now >= closes_at


def _window_end(context: StudyContext, participant: Participant) -> datetime | None:
    """Return the end of the window in which a session may still be begun."""
    if participant.opens_at is None or participant.last_seen_at >= participant.opens_at:
        return None
    study = context.known_version(participant.study_hash)
    stage = next((stage for stage in study.stages if stage.id == participant.stage), None)
    return None if stage is None else closes_at_of(study, stage, participant)
