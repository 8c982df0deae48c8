"""The chain of records: one hash over everything that an outcome rests on, in the order in which it was stored.

Whatever the database stores of an event, a run, a turn, an answer, a visit, a rating or a participant is hashed with
its own salt and joined to a chain:

    body   = SHA-256(salt + content)
    digest = SHA-256(table, key, whether this is its last state + body)
    head   = SHA-256(head before + digest)

The content is the cells that the dataset has of the record, so that a dataset can be compared with the chain by anyone.
Erasing a record erases its salt, too: its body stays, the chain still holds, and what was erased cannot be guessed.
Erasing is an entry as well (`GONE`), so that nothing is declared erased unseen. What the database keeps of a record
beyond those cells is hashed with the salt, and that hash is a part of the salt (`opening`). Tables that no dataset has
are in the chain, too, as they are stored; the export compares them and says what differs.
A database has one chain for each transaction that writes at the same time: one on SQLite, a few on Postgres.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from study_app.dataset.integrity.stored_rows import browser_moment
from study_app.dataset.schema.cells import cell, compact_json, number_text, parsed_json, timestamp
from study_app.dataset.schema.columns import Column, TableName
from study_app.dataset.schema.tables import ANSWERS, RATINGS, RUNS, TURNS, VISITS
from study_app.domain.events import Event

GENESIS = hashlib.sha256(b"study-chain/1").digest()
SALT_BYTES = 16
BODY_BYTES = 32

GONE = b"gone"
"""What is hashed of a record that was erased."""
ERASED_EVENTS = "erased"
"""Table in whose name the chain says that the payload of an event was erased; the key is the event's id."""

CHAIN_PATH = "documentation/chain.csv"
CHAIN_COLUMNS = ("chain", "position", "table", "key", "final", "opening", "digest")

KEYS: dict[TableName, tuple[str, ...]] = {
    "events": ("participant_id", "page", "seq"),
    "participants": ("participant_id",),
    "visits": ("participant_id", "stage"),
    "runs": ("run_id",),
    "turns": ("turn_id",),
    "answers": ("participant_id", "stage", "item"),
    "ratings": ("rating_id",),
}
"""What names a record of each table that is chained."""

_TABLES = {table.name: table for table in (VISITS, RUNS, TURNS, ANSWERS, RATINGS)}


@dataclass(frozen=True)
class ChainEntry:
    """One record as it was stored at one moment."""

    table: str
    key: tuple[str, ...]
    """Cells of the columns of `KEYS`."""
    final: bool
    """Nothing that the platform does changes the record after this."""
    salt: bytes
    content: bytes
    stored: bytes | None = None
    """The row as the database has it, where the content is what a dataset has of it."""

    @property
    def opening(self) -> bytes:
        """What is kept so that the body can be computed from the content."""
        return self.salt if self.stored is None else self.salt + body(self.salt, self.stored)

    @property
    def digest(self) -> bytes:
        """What is joined to the chain."""
        return digest(self.table, self.key, self.final, body(self.opening, self.content))


class Chained(NamedTuple):
    """One entry of a chain as the database keeps it."""

    chain: int
    position: int
    """From 1."""
    table: str
    key: str
    """Of an event its id, else the cells of the columns of `KEYS` as a JSON list (see `parts`)."""
    owner: str
    """Participant, or of a rating the object that was rated."""
    final: bool
    opening: bytes
    """The salt; the body of an event whose payload was erased; empty where the record itself was erased."""
    digest: bytes
    number: int = 0
    """Rises with every state of a record that is stored, whichever chain it is in."""

    @property
    def place(self) -> tuple[int, int]:
        """Its chain and position."""
        return self.chain, self.position

    @property
    def is_gone(self) -> bool:
        """Whether the record is gone after this."""
        if len(self.opening) != SALT_BYTES or self.table == "events":
            return False
        # Recomputed, not read from a mark: anyone who can write to the database could set a mark, and the chain would
        # not show it.
        return digest(self.table, self.parts, True, body(self.opening, GONE)) == self.digest

    @property
    def parts(self) -> tuple[str, ...]:
        """The cells of the key of a record other than an event."""
        return tuple(parsed_json(self.key))


@dataclass(frozen=True)
class Head:
    """Where a chain stands."""

    chain: int
    position: int
    """How many entries it has."""
    head: str
    """Hex."""
    signed: bool | None = None
    """Whether the server signed it with a key that the database does not hold; None where that key is not at hand."""


def named(key: Iterable[str]) -> str:
    """Return the key of a record as one text."""
    return json.dumps(tuple(key))


def new_salt() -> bytes:
    """Return the salt of one entry."""
    # 128 bits: an erased answer of a few words could otherwise be found by hashing guesses.
    return os.urandom(SALT_BYTES)


def body(salt: bytes, content: bytes) -> bytes:
    """Return the salted hash of a content."""
    return hashlib.sha256(salt + content).digest()


def body_of(opening: bytes, content: bytes) -> bytes:
    """Return the body from what is kept to compute it: the salt, or of an erased record the body itself."""
    # Distinguished by length alone, so a salt must never have that of a hash.
    return opening if len(opening) == BODY_BYTES else body(opening, content)


def digest(table: str, key: Iterable[str], final: bool, body: bytes) -> bytes:
    """Return the hash of a named body."""
    # The separators cannot occur in ids, so two different records never give the same bytes.
    named = "\x1f".join((table, *key, str(int(final))))
    return hashlib.sha256(named.encode("utf-8", "surrogatepass") + b"\x1e" + body).digest()


def link(head: bytes, digest: bytes) -> bytes:
    """Return the chain's head after one more entry."""
    return hashlib.sha256(head + digest).digest()


def mac(key: bytes, chain: int, position: int, head: bytes) -> bytes:
    """Return the head under a key that the database does not hold."""
    # Chain and position are under the key, too: a signed head cannot stand in for an earlier one or for another
    # chain's.
    return hmac.digest(key, f"study-chain/1:{chain}:{position}:".encode() + head, "sha256")


def join(heads: Iterable[str]) -> str:
    """Return one hash over the heads of all chains, all in hex."""
    # Sorted, for the order in which chains are read says nothing and must not change the hash.
    return hashlib.sha256(compact_json(sorted(heads)).encode()).hexdigest()


# -- contents ----------------------------------------------------------------------------------------------------------


@cache
def content_columns(table: TableName) -> tuple[Column, ...]:
    """Columns of a table whose cells are hashed: all but its key and what an export computes."""
    return tuple(each for each in _TABLES[table].columns if not each.computed and each.name not in KEYS[table])


def content_of(table: TableName, row: Mapping[str, Any]) -> bytes:
    """Return the cells of a stored row as they are hashed.

    Empty ones are left out, so that a new column changes nothing.

    Args:
        table: visits, runs, turns, answers or ratings.
        row: values by column, as `stored` gives them or as they are read from a dataset.
    """
    cells = ((column.name, cell(column, row.get(column.name))) for column in content_columns(table))
    return compact_json({name: text for name, text in cells if text}).encode()


def facts_content(facts: Mapping[str, Any]) -> bytes:
    """Return the facts of a participant (`stored.facts_of`) as they are hashed."""
    return compact_json(
        {name: _plain(value) for name, value in facts.items() if name != "participant_id" and value not in (None, "")}
    ).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    return int(value) if isinstance(value, bool) else value


def key_of(table: TableName, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the key of a stored row."""
    return tuple(str(row[name]) for name in KEYS[table])


def event_key(event: Event | Mapping[str, Any]) -> tuple[str, ...]:
    """Return all of an event but its payload: it stays when the payload is erased."""
    if isinstance(event, Event):
        client = browser_moment(event.client_time_ms)
        named = (event.participant_id, event.page, str(event.seq), event.kind, event.stage)
        at, mono, late = event.server_time, event.mono_ms, event.arrived_late
    else:
        client = event["client_time"]
        named = tuple(str(event[name]) for name in ("participant_id", "page", "seq", "kind", "stage"))  # type: ignore[assignment]
        at, mono, late = event["server_time"], event["mono_ms"], event.get("arrived_late", False)
    return (
        *named,
        _server_timestamp(at),
        "" if client is None else timestamp(client),
        "" if mono is None else number_text(mono),
        # Added only where it holds: keys of events from before there was this column keep their hash.
        *(("late",) if late else ()),
    )


_server_timestamp = lru_cache(maxsize=64)(timestamp)
"""The events of one batch bear one moment of the server."""
