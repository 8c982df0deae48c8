"""Rows of any table, and their entries in the chain of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from sqlalchemy import literal, select
from sqlmodel import SQLModel

from study_app.dataset.integrity import chain
from study_app.dataset.schema import TableName
from study_app.domain.errors import present
from study_app.storage import tables
from study_app.storage.chained import kept
from study_app.storage.engine import MUST_LAST
from study_app.storage.event_log import insert_new
from study_app.storage.positions import SqlPositions

Row = TypeVar("Row")


def _table(row: type[SQLModel]) -> Any:
    return row.__table__  # type: ignore[attr-defined]


META, LOCKS, VERSIONS = _table(tables.MetaRow), _table(tables.LockRow), _table(tables.VersionRow)
RUNS, TURNS = _table(tables.RunRow), _table(tables.TurnRow)
ANSWERS, ALLOCATIONS, LINKS = _table(tables.AnswerRow), _table(tables.AllocationRow), _table(tables.LinkRow)
LATER_ALLOCATIONS = _table(tables.LaterAllocationRow)
ENTRIES = _table(tables.ChainEntryRow)
AUDIT, RATINGS = _table(tables.AuditRow), _table(tables.RatingRow)
REVIEWS = _table(tables.TextReviewRow)


class SqlRows(SqlPositions):
    """Reads and writes rows, and appends what must be known of them to the chain."""

    def _rows(self, kind: type[Row], query: Any) -> list[Row]:
        found = self.connection.execute(query)
        keys = tuple(found.keys())
        # By place and not by name: a board reads tens of thousands of rows.
        places = [keys.index(field.name) for field in fields(kind)]  # type: ignore[arg-type]
        return [kind(*[row[place] for place in places]) for row in found]

    def _one(self, kind: type[Row], query: Any) -> Row | None:
        return next(iter(self._rows(kind, query)), None)

    def _insert(self, table: Any, row: Any) -> None:
        self.connection.execute(table.insert(), asdict(row))

    def _insert_numbered(self, table: Any, row: Any) -> None:
        """Insert a row whose number names it, and append it to the chain."""
        number = self.connection.execute(table.insert(), asdict(row)).inserted_primary_key
        self.chain.seal(table.name, tuple(present(number, "the number of a new row")))

    def _must_last(self) -> None:
        """Let no power cut undo this transaction: a step on the way, an allocation, a submission, a locked version."""
        self.connection.info[MUST_LAST] = True

    def _chain(self, table: TableName, row: dict[str, Any], *, final: bool = False, owner: str = "") -> None:
        """Append the state of a record, as it is now stored, to the chain."""
        stored = {name: kept(value) for name, value in row.items()}
        content = chain.content_of(table, stored)
        key = chain.key_of(table, stored)
        self.chain.seal(table, key, content, final=final, owner=owner or str(row["participant_id"]))

    def _insert_new(self, table: Any, values: Mapping[str, Any]) -> bool:
        # Not by rowcount: on Postgres the driver does not know it for an INSERT that fills a serial column.
        query = insert_new(self.connection, table).returning(literal(1))
        return self.connection.execute(query, values).first() is not None

    def lock(self, name: str) -> None:
        """See ports.UnitOfWork."""
        # A row to lock must be there first; FOR UPDATE then makes the next taker wait for this commit (SQLite's one
        # writer waits anyway).
        self._insert_new(LOCKS, {"name": name})
        self.connection.execute(select(LOCKS.c.name).where(LOCKS.c.name == name).with_for_update())
