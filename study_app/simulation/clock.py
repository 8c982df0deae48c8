"""The simulation's time: a clock that the crowd moves, and when people arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

START = datetime(2024, 1, 8, tzinfo=UTC)
"""A Monday long ago, so that a participant who fell silent in a simulation has been silent for long."""
OPENS, CLOSES = 8.0, 19.0
"""Hours of a day (UTC) between which people arrive."""
PER_DAY = 12
"""About so many arrive on a working day of a small study; a large one fills at most DAYS days."""
DAYS = 30
_SATURDAY = 5


class SimulationClock:
    """ports.Clock that stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self.at = start

    def now(self) -> datetime:
        """Return the simulated moment."""
        return self.at


def arrivals(count: int, rng: Random, start: datetime = START) -> list[datetime]:
    """Moments of arrival over working days, in order.

    Args:
        count: how many people.
        rng: draws days and hours.
        start: midnight of the first day.
    """
    days = _working_days(start, max(1, min(DAYS, round(count / PER_DAY))))
    moments = [rng.choice(days) + timedelta(hours=rng.triangular(OPENS, CLOSES)) for _ in range(count)]
    return sorted(_whole_milliseconds(moment) for moment in moments)


def next_monday(after: datetime) -> datetime:
    """Midnight of the first Monday after that moment."""
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=7 - midnight.weekday())


def _working_days(start: datetime, count: int) -> list[datetime]:
    days: list[datetime] = []
    day = start
    while len(days) < count:
        if day.weekday() < _SATURDAY:
            days.append(day)
        day += timedelta(days=1)
    return days


def _whole_milliseconds(moment: datetime) -> datetime:
    # The database keeps milliseconds, and a moment read back must equal the one that was written.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
