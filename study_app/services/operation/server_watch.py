"""Servers of the study that ended without saying goodbye while participants were at work, and what took their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from study_app.domain.records import Replica
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant_status import has_people_to_come

WATCHED = "servers_watched"
"""Where the database keeps which servers serve, and which of them are gone; also the name of the lock for it."""
AT_WORK = timedelta(minutes=3)
"""A page sends a sign of life at least every minute."""
SHOWN = timedelta(minutes=2)
"""A server that is started again at once is over at once; it counts for so long, so that it is seen."""
COMPARED_EVERY = timedelta(seconds=30)
KEPT = timedelta(days=1)
"""How long a server that another has replaced is still known, so that its incident ends."""


@dataclass(frozen=True)
class GoneServer:
    """A server that ended without saying goodbye."""

    name: str
    host: str
    beat_at: str
    """Its last sign of life."""
    people: int
    """Participants who were at work then, whichever server they were on."""
    replaced_by: str = ""
    replaced_at: str = ""


@dataclass(frozen=True)
class _Watched:
    here: tuple[str, ...] = ()
    """Servers that serve participants. A command that grades before an export gives signs of life, too, and may end."""
    gone: tuple[GoneServer, ...] = ()


class ServerWatch:
    """Looks every second at what `TakingOver` has just read, in each process that serves participants."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._compared: dict[str, bool] | None = None
        """The other servers, and whether each was gone, when they were last compared with what the database keeps."""
        self._compared_at = context.now()

    def check(self) -> None:
        """Note servers that are gone, and those that have taken their place."""
        others = self.context.replicas.looked
        if others is None or not self.context.study.alerts.server_gone:
            return
        there, now = {each.name: gone for each, gone in others}, self.context.now()
        # Compared anew now and then, for another server may have left this one out by a look from before it began.
        if there == self._compared and timedelta() <= now - self._compared_at < COMPARED_EVERY:
            return
        with self.context.registry.begin(write=False) as unit:
            differs = self._seen(unit, kept := _watched(unit), others) != kept
        if differs:
            self._note()
        self._compared, self._compared_at = there, now

    def _note(self) -> None:
        with self.context.registry.begin() as unit:
            # Two servers may find out at once that a third is gone; the second sees what the first has noted.
            unit.lock(WATCHED)
            others = self.context.replicas.others(unit)
            if (seen := self._seen(unit, kept := _watched(unit), others)) != kept:
                unit.set_meta_value(WATCHED, asdict(seen))

    def _seen(self, unit: UnitOfWork, kept: _Watched, others: Sequence[tuple[Replica, bool]]) -> _Watched:
        """Return what is to be kept from now on."""
        now, me = self.context.now(), self.context.replicas.me
        silent = [each for each, gone in others if gone and each.name in kept.here]
        alive = {each.name: each for each, gone in others if not gone and each.name in kept.here} | {me.name: me}
        found = [lost for each in silent if (lost := self._gone(unit, each)) is not None]
        gone = _replaced([*kept.gone, *found], alive.values(), now)
        # Who is in neither list said goodbye, or is listed as gone from now on.
        return _Watched(
            tuple(sorted(alive)),
            tuple(each for each in gone if not each.replaced_at or now - _moment(each.replaced_at) < KEPT),
        )

    def _gone(self, unit: UnitOfWork, server: Replica) -> GoneServer | None:
        """Return what is kept of a server that is gone; None where no participant was at work."""
        if not has_people_to_come(self.context, unit):
            return None
        now = self.context.now()
        people = sum(
            person.enrolled_at <= server.beat_at and (person.opens_at is None or person.opens_at <= now)
            for person, _, _ in unit.under_way("real", server.beat_at - AT_WORK)
            if person.paused_at is None
        )
        host = server.machine.partition(" ")[0]
        return GoneServer(server.name, host, server.beat_at.isoformat(), people) if people else None


def servers_gone(unit: UnitOfWork, now: datetime) -> Iterator[tuple[str, str | None]]:
    """Yield a kind of alert for each machine on which a server was gone: what is wrong, or None where it is over."""
    gone = _watched(unit).gone
    for host in dict.fromkeys(each.host for each in gone):
        lasting = [each for each in gone if each.host == host and _lasts(each, now)]
        yield f"server_gone:{host}", _sentence(lasting[-1]) if lasting else None


def _lasts(gone: GoneServer, now: datetime) -> bool:
    return not gone.replaced_at or now - _moment(gone.replaced_at) < SHOWN


def _sentence(gone: GoneServer) -> str:
    return (
        f"A server on {gone.host} ended without saying goodbye at about {_moment(gone.beat_at):%Y-%m-%d %H:%M} UTC, "
        f"while {gone.people} participant(s) were at work. Look at the machine and at the log of its service. They go "
        "on where they were, on another server of the study or on the one that starts in its place."
    )


def _replaced(gone: Iterable[GoneServer], alive: Iterable[Replica], now: datetime) -> list[GoneServer]:
    """Note by which server each was replaced: one that began after it ended, each in the place of one only."""
    found, there = sorted(gone, key=lambda each: each.beat_at), list(alive)
    taken = {each.replaced_by for each in found}
    for number, each in enumerate(found):
        if each.replaced_at:
            continue
        # It may come back itself, where it was only cut off for a while.
        heirs = [
            server for server in there
            if server.name == each.name or (server.began_at > _moment(each.beat_at) and server.name not in taken)
        ]  # fmt: skip
        if heirs:
            taken.add(heirs[0].name)
            found[number] = replace(each, replaced_by=heirs[0].name, replaced_at=now.isoformat())
    return found


def _watched(unit: UnitOfWork) -> _Watched:
    kept: dict[str, Any] = unit.meta_value(WATCHED) or {}
    return _Watched(tuple(kept.get("here", ())), tuple(GoneServer(**each) for each in kept.get("gone", ())))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
