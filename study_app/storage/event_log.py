"""The append-only log of events, within one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from study_app.domain.events import SERVER_PAGE, BrowserEvent, Event
from study_app.ports import Stored
from study_app.storage.driver import Driver, bound
from study_app.storage.tables import EventRow, PageRow

EVENTS = EventRow.__table__  # type: ignore[attr-defined]
PAGES = PageRow.__table__  # type: ignore[attr-defined]

# An upsert that changes nothing takes the counter's row for this transaction, on both databases: two transactions never
# give the same number, and what is read next is of after the other's commit.
_TAKE_PAGE = (
    "INSERT INTO pages (participant_id, page, ack) VALUES (?, ?, 0) "
    "ON CONFLICT (participant_id, page) DO UPDATE SET ack = pages.ack RETURNING ack"
)
_NEXT_NUMBER = (
    "INSERT INTO pages (participant_id, page, ack) VALUES (?, ?, 1) "
    "ON CONFLICT (participant_id, page) DO UPDATE SET ack = pages.ack + 1 RETURNING ack"
)
_INSERT = (
    "INSERT INTO events (participant_id, page, seq, kind, stage, server_time, client_time_ms, mono_ms, payload) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_NEW = f"{_INSERT} ON CONFLICT (participant_id, page, seq) DO NOTHING"
_LAST = "SELECT max(seq) FROM events WHERE participant_id = ? AND page = ?"


def insert_new(connection: Connection, table: Any) -> Any:
    """An INSERT that leaves rows alone which are already there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


class SqlEventLog:
    """ports.EventLog over one connection in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @cached_property
    def driver(self) -> Driver:
        """The same transaction at the driver's level."""
        return Driver(self.connection)

    def record(self, participant_id: str, kind: str, stage: str, at: datetime, payload: Mapping[str, Any]) -> Event:
        """Append one event of the server's own."""
        taken = self.driver.one(_NEXT_NUMBER, (participant_id, SERVER_PAGE))
        assert taken is not None
        row = Event(participant_id, SERVER_PAGE, taken[0], kind, stage, at, payload=dict(payload))
        values = (participant_id, SERVER_PAGE, row.seq, kind, stage, _moment(at), None, None, _json(row.payload))
        self.driver.run(_INSERT, values)
        return row

    def store_batch(
        self, participant_id: str, page: str, stage: str, at: datetime, events: Sequence[BrowserEvent]
    ) -> Stored:
        """Append what is new of a batch."""
        where = (participant_id, page)
        taken = self.driver.one(_TAKE_PAGE, where)
        assert taken is not None
        before: int = taken[0]
        unknown = {event.seq: event for event in events if event.seq > before}
        if not unknown:
            return Stored(before, ())
        last = self.driver.one(_LAST, where)
        nothing_ahead = last is None or (last[0] or 0) <= before
        moment = _moment(at)
        rows = [
            (*where, e.seq, e.kind, stage, moment, e.client_time_ms, e.mono_ms, _json(e.payload))
            for e in unknown.values()
        ]
        self.driver.many(_INSERT_NEW, rows)
        # Where nothing of the page was stored beyond the gap, what is stored now is what has just come.
        fresh = _run_from(before, unknown) if nothing_ahead else self._contiguous(participant_id, page, before)
        if fresh:
            self.driver.run("UPDATE pages SET ack = ? WHERE participant_id = ? AND page = ?", (fresh[-1].seq, *where))
        return Stored(before + len(fresh), tuple(fresh))

    def _contiguous(self, participant_id: str, page: str, before: int) -> list[BrowserEvent]:
        found = self.connection.execute(
            select(EVENTS.c.seq, EVENTS.c.kind, EVENTS.c.client_time_ms, EVENTS.c.mono_ms, EVENTS.c.payload)
            .where(EVENTS.c.participant_id == participant_id, EVENTS.c.page == page, EVENTS.c.seq > before)
            .order_by(EVENTS.c.seq)
        )
        return _run_from(before, {row.seq: BrowserEvent.model_construct(**row._mapping) for row in found})

    def acknowledged(self, participant_id: str, page: str) -> int:
        """See ports.EventLog."""
        where = (PAGES.c.participant_id == participant_id) & (PAGES.c.page == page)
        return self.connection.execute(select(PAGES.c.ack).where(where)).scalar_one_or_none() or 0

    def pages(self, participant_id: str) -> dict[str, int]:
        """See ports.EventLog."""
        found = self.connection.execute(
            select(PAGES.c.page, PAGES.c.ack).where(PAGES.c.participant_id == participant_id)
        )
        return {row.page: row.ack for row in found}

    def events(self, participant_id: str | None = None) -> Iterator[Event]:
        """See ports.EventLog."""
        query = select(EVENTS).order_by(EVENTS.c.participant_id, EVENTS.c.event_id)
        if participant_id is not None:
            query = query.where(EVENTS.c.participant_id == participant_id)
        result = self.connection.execution_options(yield_per=2000).execute(query)
        for row in result:
            yield Event(**row._mapping)

    def latest(self, participant_id: str, page: str, kinds: Sequence[str]) -> dict[str, Event]:
        """See ports.EventLog."""
        found = {}
        for kind in kinds:
            where = (EVENTS.c.participant_id == participant_id, EVENTS.c.page == page, EVENTS.c.kind == kind)
            row = self.connection.execute(select(EVENTS).where(*where).order_by(EVENTS.c.seq.desc()).limit(1)).first()
            if row is not None:
                found[kind] = Event(**row._mapping)
        return found


def _run_from(before: int, events: Mapping[int, BrowserEvent]) -> list[BrowserEvent]:
    """The events that follow that number without a gap, in order."""
    found: list[BrowserEvent] = []
    while (following := events.get(before + len(found) + 1)) is not None:
        found.append(following)
    return found


def _moment(at: datetime) -> Any:
    return bound(EVENTS, "server_time", at)


def _json(payload: Any) -> Any:
    return bound(EVENTS, "payload", payload)
