"""Deadlines, and time distinguished into active, idle and away by a stated rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LATE = timedelta(minutes=15)
"""What happened on a page before the deadline may arrive this much after it and still counts."""


def deadline(started_at: datetime, minutes: float | None) -> datetime | None:
    """When a stage that started then must end; None without a limit."""
    return None if minutes is None else started_at + timedelta(minutes=minutes)


def paused_seconds(started_at: datetime, deadline_at: datetime | None, minutes: float | None) -> float | None:
    """Seconds that a stage's clock stood still: what its deadline lies beyond its limit; None without a limit."""
    end = deadline(started_at, minutes)
    if end is None or deadline_at is None:
        return None
    return max((deadline_at - end).total_seconds(), 0.0)


def overdue(deadline_at: datetime | None, now: datetime) -> bool:
    """Return whether the deadline has passed."""
    return deadline_at is not None and now >= deadline_at


@dataclass(frozen=True)
class TimeSpan:
    """A stretch of time, in seconds since the visit's start."""

    start: float
    end: float


@dataclass(frozen=True)
class TimeUse:
    """Seconds of one visit by what the participant did; the three add up to the visit's length."""

    active: float
    idle: float
    away: float


def _merged(spells: Sequence[TimeSpan]) -> list[TimeSpan]:
    merged: list[TimeSpan] = []
    for spell in sorted(spells, key=lambda s: (s.start, s.end)):
        if merged and spell.start <= merged[-1].end:
            merged[-1] = TimeSpan(merged[-1].start, max(merged[-1].end, spell.end))
        else:
            merged.append(spell)
    return merged


def _overlap(start: float, end: float, spells: Sequence[TimeSpan]) -> float:
    return sum(max(0.0, min(end, spell.end) - max(start, spell.start)) for spell in spells)


def spells_away(length: float, away: Sequence[TimeSpan], away_after: float) -> list[TimeSpan]:
    """Hidden or unfocused spells of a visit, joined where they touch, that are long enough to count as away."""
    return [spell for spell in _merged(_clipped(away, length)) if spell.end - spell.start >= away_after]


def time_use(
    length: float,
    acts: Sequence[float],
    away: Sequence[TimeSpan],
    *,
    idle_after: float,
    away_after: float,
    stopped: Sequence[TimeSpan] = (),
) -> TimeUse:
    """Tell a visit's time apart.

    Rule: a spell with the window hidden or unfocused of at least `away_after` seconds is away. Of the rest, the time
    between two neighbouring acts is active up to `idle_after` seconds from the first of them; the visit's start counts
    as an act. What is neither is idle, and so is what would be active while the clock stood still.

    Args:
        length: seconds from the visit's start to its end.
        acts: seconds since the start at which the participant did something.
        away: hidden or unfocused spells.
        idle_after: seconds.
        away_after: seconds.
        stopped: spells in which something else than the task was on the screen, and the clock stood still.
    """
    gone = spells_away(length, away, away_after)
    away_seconds = sum(spell.end - spell.start for spell in gone)
    marks = sorted({0.0, *(act for act in acts if 0 <= act <= length)})
    # Merged, so that a second both away and with the clock stopped is taken out once.
    active, out = 0.0, _merged([*gone, *stopped])
    for mark, following in zip(marks, [*marks[1:], length], strict=True):
        end = min(following, mark + idle_after)
        active += (end - mark) - (_overlap(mark, end, out) if out else 0.0)
    # The three add up to the length but for rounding, which may leave a little less than nothing.
    return TimeUse(active, max(0.0, length - away_seconds - active), away_seconds)


def _clipped(spells: Sequence[TimeSpan], length: float) -> list[TimeSpan]:
    return [
        TimeSpan(max(0.0, spell.start), min(length, spell.end))
        for spell in spells
        if spell.end > 0 and spell.start < length
    ]
