"""Which columns the chain of records holds as they are stored: all of them, but for those that are named here.

A new table or column is sealed on its first day. Whatever is left out needs a reason, because an administrator can
change it unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Table

from study_app.dataset.schema import compact_json
from study_app.storage import tables

UNSEALED_TABLES: Mapping[str, str] = {
    "locks": "names to wait for",
    "tokens": "which cookie is whose; every act has its participant in the log",
    "replicas": "which servers run now",
    "in_progress": "what a server does just now",
    "documents": "a page shows what the log of edits gives, and verify replays that against what was handed in",
    "pages": "counts of the log, compared with the log at each export",
    "chains": "the heads themselves, signed and anchored",
    "chain_entries": "the chain itself, joined anew up to its heads",
}
"""Tables that no digest covers, each with the reason why no column of a dataset can be changed by them."""

UNSEALED_COLUMNS: Mapping[tuple[str, str], str] = {
    ("participants", "last_seen_at"): "changes with each batch; an export asks the log when it heard from a person",
    ("participants", "page"): "which tab writes now; each event names its own",
    ("events", "event_id"): "a name; the export checks that it rises along each chain",
}
"""Single columns of sealed tables that no digest covers, each with its reason."""

UNSEALED_META: Mapping[str, str] = {
    "anchored:": "written with each anchor, of which the chain would never come to rest",
    "alerts": "what the server alerts to now",
    "clock_alert": "what the server alerts to now",
    "isolation_alert": "what the server alerts to now",
    "servers_watched": "which servers serve now, and which are gone; each incident is in the audit log",
    "isolation_held_until": "how long the clocks stand still now; each spell is an event",
    "restored": "written by restore before the study is opened; the audit log takes it over",
}
"""Beginnings of keys of `meta` that no digest covers."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "participants": ("id",),
    "visits": ("participant_id", "stage"),
    "runs": ("id",),
    "turns": ("id",),
    "answers": ("participant_id", "stage", "item"),
    "ratings": ("rating_id",),
    "allocations": ("ledger", "allocation_index"),
    "later_allocations": ("decision", "ledger", "allocation_index"),
    "links": ("token_hash",),
    "meta": ("key",),
}
"""Columns that name a record; of every other table the primary key."""


@dataclass(frozen=True)
class Sealed:
    """One table whose rows are hashed as they are stored."""

    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]
    """All that is hashed, with the key."""

    @cached_property
    def everything(self) -> str:
        """SELECT of every row."""
        names = ", ".join(f'"{name}"' for name in self.columns)
        return f'SELECT {names} FROM "{self.table.name}"'

    @cached_property
    def one(self) -> str:
        """SELECT of the row with a key."""
        named = " AND ".join(f'"{name}" = ?' for name in self.key)
        return f"{self.everything} WHERE {named}"

    def key_of(self, row: Iterable[Any]) -> tuple[str, ...]:
        """Return what names a row as the driver gives it."""
        values = dict(zip(self.columns, row, strict=True))
        return tuple(str(values[name]) for name in self.key)

    def content(self, row: Iterable[Any]) -> bytes:
        """Return a row as it is hashed: the same on every database, and without what is empty."""
        pairs = zip(self.columns, row, strict=True)
        return compact_json({name: _plain(value) for name, value in pairs if value is not None}).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return int(value) if isinstance(value, bool) else value


def _sealed(table: Table) -> Sealed:
    left_out = {column for name, column in UNSEALED_COLUMNS if name == table.name}
    key = KEYS.get(table.name) or tuple(column.name for column in table.primary_key.columns)
    return Sealed(table, key, tuple(column.name for column in table.columns if column.name not in left_out))


SEALED: Mapping[str, Sealed] = {
    name: _sealed(table)
    for name, table in sorted(tables.MetaRow.metadata.tables.items())
    if table.name not in {*UNSEALED_TABLES, "events"}
}
"""Every table but events, whose digests are over the columns of the log themselves."""


def is_sealed_fact(key: str) -> bool:
    """Return whether a fact about the study is hashed."""
    return not key.startswith(tuple(UNSEALED_META))
