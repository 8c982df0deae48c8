"""Pausing a participant: the clock of their stage stands still until they are resumed, and nothing is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from study_app.domain.errors import NotAllowed
from study_app.domain.events import saying
from study_app.domain.events.server import Outage, ParticipantPaused, ParticipantResumed
from study_app.domain.interaction.stopped_clock import isolation_stops, running_seconds
from study_app.domain.records import Participant
from study_app.ports import UnitOfWork
from study_app.services.operation.clock_watch import STEP

PAUSED = "paused"
"""The cause of the outage by which a resumed stage gets its time back."""


def pause(unit: UnitOfWork, person: Participant, now: datetime) -> None:
    """Stop the clock of the stage that a participant is on; their pages say that the study is paused.

    Raises:
        NotAllowed: they are paused already, their way is over, or they wait for a later session.
    """
    if person.over:
        raise NotAllowed(f"this participation has ended: {person.status.replace('_', ' ')}; there is nothing to pause")
    if person.paused_at is not None:
        raise NotAllowed("this participant is paused already")
    if person.opens_at is not None and now < person.opens_at:
        raise NotAllowed("this participant waits for a later session; no clock runs that could be paused")
    unit.touch(person.id, paused_at=now)
    unit.record(person.id, person.stage, now, ParticipantPaused())


def resume(unit: UnitOfWork, person: Participant, now: datetime) -> float:
    """Let a paused participant go on with the time that was left; return the seconds that the pause took.

    Raises:
        NotAllowed: they are not paused.
    """
    if person.paused_at is None:
        raise NotAllowed("this participant is not paused")
    seconds = max((now - person.paused_at).total_seconds(), 0.0)
    # What stopped the clock during the pause has moved the deadline already, and time is given back once.
    missing = max(seconds - _given_back(unit, person, person.paused_at, now), 0.0)
    if missing and unit.extend_visit(person.id, person.stage, timedelta(seconds=missing)):
        unit.record(person.id, person.stage, now, Outage(cause=PAUSED, seconds=missing))
    unit.touch(person.id, paused_at=None, last_seen_at=now, **_place_kept(person, seconds))
    unit.record(person.id, person.stage, now, ParticipantResumed(seconds=seconds))
    return seconds


def _place_kept(person: Participant, seconds: float) -> dict[str, datetime]:
    """Return the columns of a place that was held when the pause began: its time stood still, too."""
    if person.place != "held" or person.place_until is None:
        return {}
    return {"place_until": person.place_until + timedelta(seconds=seconds)}


def _given_back(unit: UnitOfWork, person: Participant, since: datetime, now: datetime) -> float:
    """Return the seconds of the pause by which the deadline has been moved already.

    A reply that failed during the pause has moved it by what it took before, and by nothing of the pause.
    """
    events = unit.events_of(person.id, {Outage.kind}, person.stage)
    isolated = (now - since).total_seconds() - running_seconds(since, now, isolation_stops(events))
    # A step of the clock is part of the measured pause, and the deadline has followed it.
    steps = [(event, outage) for event, outage in saying(events, Outage) if outage.cause == STEP]
    return isolated + sum(step.seconds or 0.0 for event, step in steps if event.server_time >= since)
