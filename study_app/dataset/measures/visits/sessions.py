"""The sessions of a study with several: one row for each that a participant was due for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.events import saying
from study_app.domain.events.server import SessionCompleted, SessionScheduled
from study_app.domain.study.study import StudySession


def sessions(record: ParticipantRecord) -> Iterator[dict[str, Any]]:
    """When each session opened, was begun and was completed; none of a study with one session."""
    study, person = record.study, record.participant
    if len(study.sessions) < 2:
        return
    for number, session in enumerate(study.sessions, start=1):
        stages = {stage.id for stage in study.stages if stage.session == session.id}
        opens_at = _opens_at(record, stages)
        started = [visit.started_at for visit in record.visits if visit.stage in stages]
        if number > 1 and opens_at is None and not started:
            continue
        completed_at = _completed(record, session)
        yield {
            "participant_id": person.id,
            "number": number,
            "session": session.id,
            "opens_at": opens_at,
            "started_at": min(started, default=None),
            "completed_at": completed_at,
            "state": _state(record, completed_at, bool(started)),
        }


def _completed(record: ParticipantRecord, session: StudySession) -> datetime | None:
    done = saying(record.events, SessionCompleted)
    return next((event.server_time for event, completed in done if completed.session == session.id), None)


def _state(record: ParticipantRecord, completed_at: datetime | None, begun: bool) -> str:
    if completed_at is not None:
        return "completed"
    if record.over:
        return "left"
    return "begun" if begun else "due"


def _opens_at(record: ParticipantRecord, stages: set[str]) -> datetime | None:
    planned = saying(record.events, SessionScheduled)
    return next((datetime.fromisoformat(said.opens_at) for event, said in planned if event.stage in stages), None)
