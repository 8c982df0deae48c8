"""The append-only log of events, within one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from study_app.domain.events import SERVER_PAGE, BrowserEvent, Event
from study_app.ports import Stored
from study_app.storage.tables import EventRow, PageRow

EVENTS = EventRow.__table__  # type: ignore[attr-defined]
PAGES = PageRow.__table__  # type: ignore[attr-defined]


def insert_new(connection: Connection, table: Any) -> Any:
    """An INSERT that leaves rows alone which are already there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


class SqlEventLog:
    """ports.EventLog over one connection in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def record(self, participant_id: str, kind: str, stage: str, at: datetime, payload: Mapping[str, Any]) -> Event:
        """Append one event of the server's own."""
        self._page(participant_id, SERVER_PAGE)
        # The update locks the counter's row, so that two transactions never take the same number.
        where = (PAGES.c.participant_id == participant_id) & (PAGES.c.page == SERVER_PAGE)
        seq = self.connection.execute(
            update(PAGES).where(where).values(ack=PAGES.c.ack + 1).returning(PAGES.c.ack)
        ).scalar_one()
        row = Event(participant_id, SERVER_PAGE, seq, kind, stage, at, payload=dict(payload))
        self.connection.execute(EVENTS.insert(), _columns(row))
        return row

    def store_batch(
        self, participant_id: str, page: str, stage: str, at: datetime, events: Sequence[BrowserEvent]
    ) -> Stored:
        """Append what is new of a batch."""
        self._page(participant_id, page)
        where = (PAGES.c.participant_id == participant_id) & (PAGES.c.page == page)
        before = self.connection.execute(select(PAGES.c.ack).where(where).with_for_update()).scalar_one()
        unknown = {event.seq: event for event in events if event.seq > before}
        if not unknown:
            return Stored(before, ())
        rows = [
            _columns(Event(participant_id, page, e.seq, e.kind, stage, at, e.client_time_ms, e.mono_ms, e.payload))
            for e in unknown.values()
        ]
        self.connection.execute(insert_new(self.connection, EVENTS), rows)
        fresh = self._contiguous(participant_id, page, before)
        if fresh:
            self.connection.execute(update(PAGES).where(where).values(ack=fresh[-1].seq))
        return Stored(before + len(fresh), tuple(fresh))

    def _contiguous(self, participant_id: str, page: str, before: int) -> list[BrowserEvent]:
        found = self.connection.execute(
            select(EVENTS.c.seq, EVENTS.c.kind, EVENTS.c.client_time_ms, EVENTS.c.mono_ms, EVENTS.c.payload)
            .where(EVENTS.c.participant_id == participant_id, EVENTS.c.page == page, EVENTS.c.seq > before)
            .order_by(EVENTS.c.seq)
        )
        fresh: list[BrowserEvent] = []
        for row in found:
            if row.seq != before + len(fresh) + 1:
                break
            fresh.append(BrowserEvent.model_construct(**row._mapping))
        return fresh

    def _page(self, participant_id: str, page: str) -> None:
        self.connection.execute(
            insert_new(self.connection, PAGES), {"participant_id": participant_id, "page": page, "ack": 0}
        )

    def acknowledged(self, participant_id: str, page: str) -> int:
        """See ports.EventLog."""
        where = (PAGES.c.participant_id == participant_id) & (PAGES.c.page == page)
        return self.connection.execute(select(PAGES.c.ack).where(where)).scalar_one_or_none() or 0

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


def _columns(event: Event) -> dict[str, Any]:
    columns = {name: getattr(event, name) for name in event.__dataclass_fields__}
    del columns["event_id"]
    return columns
