"""The real clock, held against the machine's monotonic one; a simulation brings its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from study_app.ports import ClockStep

TOLERANCE = 5.0
"""Seconds by which the wall clock may part from the monotonic one before it counts as a step."""
CONFIRMED_AFTER = 60.0
"""Seconds for which a step forward must stand before it is believed; a wrong clock is often put right at once."""


class SystemClock:
    """The machine's wall clock in UTC, which never goes back and never jumps unseen.

    While the wall clock differs from what the monotonic clock counts by more than TOLERANCE, the count goes on in its
    place. A step forward that stands is taken over by `adopt`, once the deadlines were moved; a step back is never
    taken over: the count goes on until the wall clock has caught up, or the process ends.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,  # noqa: TID251  (the one place that may)
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._anchor = (wall(), monotonic())
        self._latest = self._anchor[0]
        self._since: float | None = None
        self.watched = False
        """Whether something calls `adopt`; else a step forward that stands is taken over at once."""

    def now(self) -> datetime:
        """Return the present moment."""
        with self._lock:
            return datetime.fromtimestamp(self._moment(), UTC)

    def not_before(self, moment: datetime) -> None:
        """Count on from a moment that is known to be past already, where the wall clock is behind it."""
        with self._lock:
            if moment.timestamp() > self._wall() + TOLERANCE:
                self._anchor = (moment.timestamp(), self._monotonic())

    def step(self) -> ClockStep | None:
        """Return how far the wall clock is from the count now; None while they agree."""
        with self._lock:
            self._moment()
            if self._since is None:
                return None
            stood = self._monotonic() - self._since
            away = self._wall() - self._counted()
            return ClockStep(timedelta(seconds=away), away > 0 and stood >= CONFIRMED_AFTER)

    def adopt(self) -> None:
        """Take the wall clock's word from now on."""
        with self._lock:
            self._anchor, self._since = (self._wall(), self._monotonic()), None

    def _counted(self) -> float:
        wall, monotonic = self._anchor
        return wall + self._monotonic() - monotonic

    def _moment(self) -> float:
        wall, counted = self._wall(), self._counted()
        if abs(wall - counted) <= TOLERANCE:
            self._anchor, self._since = (wall, self._monotonic()), None
            self._latest = max(self._latest, wall)
        else:
            self._since = self._monotonic() if self._since is None else self._since
            stands = wall > counted and self._monotonic() - self._since >= CONFIRMED_AFTER
            if stands and not self.watched:
                self._anchor, self._since, counted = (wall, self._monotonic()), None, wall
            self._latest = max(self._latest, counted)
        return self._latest
