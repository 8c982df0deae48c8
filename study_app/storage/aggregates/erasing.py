"""Erasing what participants wrote, so that the chain of records still holds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update

from study_app.dataset.integrity import chain
from study_app.dataset.schema import compact_json
from study_app.domain.events import ERASED
from study_app.storage.aggregates.rows import ANSWERS, ENTRIES, RATINGS, REVIEWS, RUNS, TURNS, SqlRows
from study_app.storage.engine import ERASES
from study_app.storage.event_log import EVENTS
from study_app.storage.positions import DOCUMENTS
from study_app.storage.sealed.columns import SEALED


class SqlErasing(SqlRows):
    """Erases contents; what they were in the order of things stays."""

    def erase_payloads(self, participant_id: str) -> None:
        """See ports.UnitOfWork."""
        self.connection.info[ERASES] = True
        self.connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.participant_id == participant_id))
        for table in (RUNS, TURNS, ANSWERS, REVIEWS):
            key = [table.c[column] for column in SEALED[table.name].key]
            there = self.connection.execute(select(*key).where(table.c.participant_id == participant_id)).all()
            self.connection.execute(delete(table).where(table.c.participant_id == participant_id))
            for row in there:
                self.chain.gone(table.name, tuple(row), participant_id)
        # After the rows: to delete one waits for a transaction that changes it, whose entry is then closed as well.
        self._close_entries(participant_id)
        self._erase_events(EVENTS.c.participant_id == participant_id)

    def _close_entries(self, participant_id: str) -> None:
        """Forget the salts of a participant's records: their contents go, and the digest is what the chain needs.

        An entry that says that a record is gone keeps its salt, without which the chain would miss that record.
        """
        own = (ENTRIES.c.participant_id == participant_id, ENTRIES.c.table != "visits", ENTRIES.c.opening != b"")
        columns = [ENTRIES.c[name] for name in ("number", "table", "key", "final", "opening", "digest")]
        entries = [
            (row.number, chain.Chained(0, 0, row.table, row.key, "", row.final, bytes(row.opening), bytes(row.digest)))
            for row in self.connection.execute(select(*columns).where(*own))
        ]
        closed = [{"entry": number} for number, entry in entries if not entry.is_gone]
        if closed:
            close = update(ENTRIES).where(ENTRIES.c.number == bindparam("entry")).values(opening=b"")
            self.connection.execute(close, closed)

    def erase_ratings(self, objects: Collection[str]) -> None:
        """See ports.UnitOfWork."""
        for name in objects:
            of_it = or_(RATINGS.c.object == name, RATINGS.c.object.startswith(f"{name}#", autoescape=True))
            there = self.connection.execute(select(RATINGS.c.rating_id, RATINGS.c.object).where(of_it)).all()
            self.connection.info[ERASES] = True
            self.connection.execute(delete(RATINGS).where(of_it))
            for row in there:
                self.chain.gone("ratings", (row.rating_id,), row.object)

    def erase_events(self, event_ids: Collection[int]) -> None:
        """See ports.UnitOfWork."""
        if event_ids:
            self.connection.info[ERASES] = True
            which = EVENTS.c.event_id.in_(sorted(event_ids))
            whose = select(EVENTS.c.event_id, EVENTS.c.participant_id).where(which).order_by(EVENTS.c.event_id)
            for row in self.connection.execute(whose).all():
                self.chain.gone(chain.ERASED_EVENTS, (row.event_id,), row.participant_id)
            self._erase_events(which)

    def _erase_events(self, which: Any) -> None:
        """Keep the bodies of what is being erased in place of their salts, so that the chain still holds."""
        query = select(EVENTS.c.event_id, EVENTS.c.opening, EVENTS.c.payload)
        query = query.where(which, EVENTS.c.opening.is_not(None))
        bodies = [
            {"row": row.event_id, "body": chain.body_of(row.opening, compact_json(row.payload).encode())}
            for row in self.connection.execute(query)
        ]
        if bodies:
            erased = update(EVENTS).where(EVENTS.c.event_id == bindparam("row")).values(opening=bindparam("body"))
            self.connection.execute(erased, bodies)
        # After the bodies, which are computed from what is overwritten here.
        self.connection.execute(update(EVENTS).where(which).values(payload=ERASED))
