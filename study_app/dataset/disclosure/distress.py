"""An interview that words of distress ended, as everybody may see it: one that its participant stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from study_app.dataset.measures.interviews.history import AskedQuestion, Held, interviews_of
from study_app.dataset.measures.interviews.rows import turn_field
from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.events import ERASED, FIELD_KINDS, Event
from study_app.domain.events.server import InterviewAnswered, InterviewClosed


def without_distress(record: ParticipantRecord) -> ParticipantRecord:
    """Return a record in which an interview that distress ended was stopped by the participant.

    Who stops leaves no words of that question, neither as an answer nor in the log, so these go, too: an answer after
    which nothing was asked could come from distress alone. At a deadline words stay, and there the deadline ended it.
    """
    if not any(stage.kind == "interview" for stage in record.study.stages):
        return record
    ended = [each for each in interviews_of(record.events) if _in_distress(each)]
    if not ended:
        return record
    closed = {each.id: "deadline" if _last(each).outcome == "deadline" else "stopped" for each in ended}
    stopped = {_last(each).asked.turn_id for each in ended if closed[each.id] == "stopped"}
    fields = {(each.stage, turn_field(_last(each).asked.number)) for each in ended if closed[each.id] == "stopped"}
    return replace(record, events=list(_shown(record, closed, stopped, fields)))


def _in_distress(held: Held) -> bool:
    return held.closed is not None and held.closed.ended_by == "distress"


def _last(held: Held) -> AskedQuestion:
    return held.questions[-1]


def _shown(
    record: ParticipantRecord, closed: dict[str, str], stopped: set[str], fields: set[tuple[str, str]]
) -> Iterator[Event]:
    for event in record.events:
        payload = event.payload
        if event.kind == InterviewClosed.kind and payload.get("interview_id") in closed:
            yield _saying(event, payload | {"ended_by": closed[payload["interview_id"]]})
        elif event.kind == InterviewAnswered.kind and payload.get("turn_id") in stopped:
            yield _saying(event, {"turn_id": payload["turn_id"], "outcome": "stopped"})
        elif event.kind in FIELD_KINDS and (event.stage, payload.get("field")) in fields:
            yield _saying(event, dict(ERASED))
        else:
            yield event


def _saying(event: Event, payload: dict[str, Any]) -> Event:
    return replace(event, payload=payload, stored=None)
