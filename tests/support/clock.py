"""The one clock of the tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self.at = start

    def now(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> datetime:
        self.at += timedelta(**delta)
        return self.at
