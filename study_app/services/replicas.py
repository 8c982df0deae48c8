"""Which of the servers of a study are there, as this one sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from study_app.domain.records import InProgress, Replica, WorkKind
from study_app.ports import UnitOfWork

BEAT = timedelta(seconds=2)
FRESH_FOR = 2 * BEAT
GONE_AFTER = timedelta(seconds=10)
"""Without a sign of life, by this server's clock: those of other machines may be wrong."""
BLIND_AFTER = GONE_AFTER.total_seconds() / 2
"""Seconds between two looks after which this server cannot say that another was silent: it did not look."""
SERVER_GONE = "the server that ran it is gone"
"""What a run says that its server did not finish."""


class Shared(Protocol):
    """What servers tell each other with their signs of life."""

    def said(self) -> dict[str, dict[str, float]] | None:
        """Return what this server has to say now."""

    def hear(self, others: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
        """Take note of what the others that are there said last, by their names; nothing where they said nothing."""


class Replicas:
    """This server, and what it knows of the others.

    Args:
        me: this server.
        now: the present moment.
        ended: whether a server's process is known to have ended, because it ran on this machine.
    """

    def __init__(
        self, me: Replica, now: Callable[[], datetime], ended: Callable[[Replica], bool] = lambda _replica: False
    ) -> None:
        self.me = me
        self._now = now
        self._ended = ended
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[datetime, datetime]] = {}
        """Name -> its last sign of life, and when that was first seen here."""
        self._looked_at = time.monotonic()
        self._in_sight = True
        """Whether the last try to look at the others went well."""
        self._stored_at: datetime | None = None
        self._given_up: set[str] = set()
        """Works of this server that it will not finish."""
        self.looked: tuple[tuple[Replica, bool], ...] | None = None
        """The other servers as of the last look, each with whether it was gone; None before the first."""
        self.shared: Shared | None = None
        """The limits of requests, where this server has participants."""

    def beat(self, unit: UnitOfWork) -> None:
        """Give a sign of life."""
        said = None if self.shared is None else self.shared.said()
        unit.beat(replace(self.me, beat_at=self._now(), taken=said))

    def beat_stored(self) -> None:
        """Note that the transaction with a sign of life has ended well."""
        self._stored_at = self._now()

    def lose_sight(self) -> None:
        """Note that the others cannot be seen now; their silence counts from the next time that they can."""
        self._in_sight = False

    def mine(self, participant_id: str, kind: WorkKind, work: str) -> InProgress:
        """Return what this server is about to do."""
        return InProgress(participant_id, kind, work, self.me.name)

    def is_gone(self, unit: UnitOfWork, name: str) -> bool:
        """Return whether the server of that name will not finish what it began."""
        if name == self.me.name:
            return False
        other = unit.replica(name)
        return other is None or self._is_silent(other)

    def give_up(self, work: InProgress) -> None:
        """Say that this server will not finish what it began: its end could not be stored."""
        self._given_up.add(work.work)

    def is_left(self, unit: UnitOfWork, work: InProgress) -> bool:
        """Return whether no server will finish what is noted as in progress."""
        return work.work in self._given_up or self.is_gone(unit, work.replica)

    def others(self, unit: UnitOfWork) -> list[tuple[Replica, bool]]:
        """Return the other servers, each with whether it is gone."""
        return [(each, self._is_silent(each)) for each in unit.replicas() if each.name != self.me.name]

    def look(self, unit: UnitOfWork) -> tuple[tuple[Replica, bool], ...]:
        """Look at the other servers, once a second, for every job that asks where they are."""
        self.looked = tuple(self.others(unit))
        if self.shared is not None:
            self.shared.hear({each.name: each.taken or {} for each, gone in self.looked if not gone})
        return self.looked

    def take(self, unit: UnitOfWork, work: InProgress) -> bool:
        """Begin something unless a server that is there is doing it; one that is gone does it no more."""
        before = unit.work_of(work.participant_id, work.kind)
        if before is not None and not self.is_left(unit, before):
            return False
        if before is not None:
            unit.end_work(before)
        # Another server that reads the work must find a fresh sign of life. One that was stored a moment ago is fresh,
        # and each statement less is time in which another transaction of SQLite can write.
        if not self._is_fresh():
            self.beat(unit)
        return unit.begin_work(work)

    def _is_fresh(self) -> bool:
        # Also false where the clock was set back.
        return self._stored_at is not None and self._stored_at <= self._now() < self._stored_at + FRESH_FOR

    def _is_silent(self, other: Replica) -> bool:
        if self._ended(other):
            return True
        now = self._now()
        with self._lock:
            self._begin_anew_after_blindness(now)
            # A server that is seen for the first time counts from now: its sign of life may bear the time of a wrong
            # clock.
            beat, since = self._seen.get(other.name, (other.beat_at, now))
            if beat != other.beat_at:
                since = now
            self._seen[other.name] = (other.beat_at, since)
        return now - since > GONE_AFTER

    def _begin_anew_after_blindness(self, now: datetime) -> None:
        """Count no silence of a time in which this server could see nothing: no database, or the machine slept."""
        moment = time.monotonic()
        if not self._in_sight or moment - self._looked_at > BLIND_AFTER:
            self._seen = {name: (beat, now) for name, (beat, _) in self._seen.items()}
        self._in_sight, self._looked_at = True, moment
