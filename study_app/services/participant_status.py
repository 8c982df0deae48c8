"""The status of a participant as of now."""

from __future__ import annotations

from datetime import timedelta

from study_app.domain.records import Participant
from study_app.services.context import StudyContext

OUTCOME_STATUSES = ("withdrawn", "abandoned", "excluded")
"""Statuses of people who left before their outcome; `replacement` gives their slot back."""


def current_status(world: StudyContext, participant: Participant) -> str:
    """Return the status as of now: excluded overrides all, and a long silence means abandoned."""
    if participant.exclusion_reason is not None:
        return "excluded"
    if participant.status != "in_progress":
        return participant.status
    waiting = participant.opens_at is not None and participant.opens_at > world.now()
    silence = timedelta(hours=world.study.recruitment.abandoned_after_hours)
    start = max(participant.last_seen_at, participant.opens_at or participant.last_seen_at)
    return "in_progress" if waiting or world.now() - start < silence else "abandoned"
