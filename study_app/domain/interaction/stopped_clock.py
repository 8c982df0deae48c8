"""When the clock of a stage stood still for a pause or for isolation: what else fails meanwhile takes nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from study_app.domain.events import Event, saying
from study_app.domain.events.server import Outage, ParticipantPaused, ParticipantResumed

STOPPED_AHEAD = "isolation"
"""The cause of the outages that stop the clock for some seconds from the moment of their record on."""
STOP_KINDS = frozenset({Outage.kind, ParticipantPaused.kind, ParticipantResumed.kind})


@dataclass(frozen=True)
class Stop:
    """A spell in which a clock stood still."""

    start: datetime
    end: datetime | None = None
    """None while it goes on."""


def stops_of(events: Sequence[Event]) -> list[Stop]:
    """Return the pauses and the stops for isolation of a participant's stage, of which the events are."""
    return [*_pauses(events), *isolation_stops(events)]


def isolation_stops(events: Iterable[Event]) -> list[Stop]:
    """Return the stops for isolation."""
    return [
        Stop(event.server_time, event.server_time + timedelta(seconds=outage.seconds or 0.0))
        for event, outage in saying(events, Outage)
        if outage.cause == STOPPED_AHEAD
    ]


def running_seconds(start: datetime, end: datetime, stops: Iterable[Stop]) -> float:
    """Return for how many seconds between two moments the clock ran."""
    seconds, at = 0.0, start
    for stop in sorted(stops, key=lambda each: each.start):
        if stop.start >= end:
            break
        seconds += max((stop.start - at).total_seconds(), 0.0)
        at = end if stop.end is None else max(at, stop.end)
    return seconds + max((end - at).total_seconds(), 0.0)


def _pauses(events: Iterable[Event]) -> list[Stop]:
    found: list[Stop] = []
    for event in events:
        if event.kind == ParticipantPaused.kind:
            found.append(Stop(event.server_time))
        elif event.kind == ParticipantResumed.kind and found and found[-1].end is None:
            found[-1] = Stop(found[-1].start, event.server_time)
    return found
