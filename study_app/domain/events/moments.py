"""When events happened: pages' clocks set against the server's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import le
from typing import Self

from study_app.domain.events.log import SERVER_PAGE, Event

SLEPT = 5.0
"""Seconds by which a page's wall clock runs ahead of its monotonic one between two events only over a sleep."""

_Clock = tuple[str, bool, int]
"""Page, whether its clock is the monotonic one, and which unbroken stretch of it."""


def moments(events: Sequence[Event]) -> list[float]:
    """When each event happened, in seconds since 1970 by the server's clock.

    A batch arrives later than what it tells of. Each page's own clock, monotonic where it sent one, is set against the
    server's by the fastest delivery of the page. The monotonic clock may stand still while the computer sleeps; what
    comes after that is set against the server's anew.
    """
    readings = list(_readings(events))
    offsets: dict[_Clock, float] = {}
    for clock, own, stored in readings:
        if clock is not None:
            lag = stored - own
            if lag < offsets.get(clock, lag + 1):
                offsets[clock] = lag
    return [stored if clock is None else own + offsets[clock] for clock, own, stored in readings]


@dataclass(frozen=True)
class Timeline:
    """Events in the order in which they happened, sorted once for all visits of a person."""

    at: Sequence[float]
    """Seconds since 1970, ascending."""
    events: Sequence[Event]

    @classmethod
    def of(cls, events: Sequence[Event], at: Sequence[float]) -> Self:
        """Sort events by their moments; what happened at one moment stays in the order of storing."""
        stored = [event.event_id or 0 for event in events]
        if all(map(le, stored, stored[1:])):
            # As the database and a dataset give them: a sort that keeps the order of equals need not look at it.
            order = sorted(range(len(at)), key=at.__getitem__)
        else:
            order = sorted(range(len(at)), key=lambda place: (at[place], stored[place]))
        return cls([at[place] for place in order], [events[place] for place in order])

    def during(self, start: datetime, length: float) -> list[tuple[float, Event]]:
        """Return the events of so many seconds from a moment on, each with its seconds since that moment."""
        began = start.timestamp()
        first = bisect_left(self.at, began)
        end = bisect_right(self.at, length, lo=first, key=lambda moment: moment - began)
        return [(self.at[place] - began, self.events[place]) for place in range(first, end)]


def _readings(events: Sequence[Event]) -> Iterator[tuple[_Clock | None, float, float]]:
    """Yield which clock of its page dates each event, its seconds, and the server's; no clock where there is none."""
    ahead: dict[str, float] = {}
    slept: dict[str, int] = {}
    at, stored = None, 0.0
    for event in events:
        page, wall, mono = event.page, event.client_time_ms, event.mono_ms
        if mono is not None and wall is not None:
            now_ahead = (wall - mono) / 1000
            if now_ahead - ahead.get(page, now_ahead) > SLEPT:
                slept[page] = slept.get(page, 0) + 1
            ahead[page] = now_ahead
        own = wall if mono is None else mono
        if event.server_time is not at:
            # The events of one batch bear one moment of the server.
            at, stored = event.server_time, event.server_time.timestamp()
        if own is None or page == SERVER_PAGE:
            yield None, 0.0, stored
        else:
            yield (page, mono is not None, slept.get(page, 0)), own / 1000, stored
