"""Time, as the services get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The only source of time. A simulation brings its own."""

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        ...


@dataclass(frozen=True)
class ClockStep:
    """How far the machine's wall clock is from what its monotonic clock counts."""

    by: timedelta
    """Wall clock minus count."""
    confirmed: bool
    """Whether it is a step forward that has stood long enough to be believed."""


class SteadyClock(Clock, Protocol):
    """A clock that does not follow a step of the wall clock by itself."""

    def step(self) -> ClockStep | None:
        """Return the step that is not taken over; None while the clocks agree."""
        ...

    def adopt(self) -> None:
        """Take the wall clock's word from now on."""
        ...
