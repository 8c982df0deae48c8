"""Appending to the chain of records within one transaction; what is hashed is in domain/dataset/chain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from study_app.dataset.integrity import chain
from study_app.dataset.schema import TableName
from study_app.storage.driver import Driver

# A writer takes a chain that no other writer holds, and keeps it to the end of the transaction.
# `ORDER BY id` lets a quiet server extend one chain; SKIP LOCKED gives each concurrent writer another one,
# because a chain's next link needs the head that the last commit left.
_CLAIM_SQLITE = "SELECT id, position, head FROM chains ORDER BY id LIMIT 1"
_CLAIM_POSTGRES = f"{_CLAIM_SQLITE} FOR UPDATE SKIP LOCKED"
_NEW = "INSERT INTO chains (position, head) VALUES (0, ?) RETURNING id, position, head"
_ADVANCE = "UPDATE chains SET position = ?, head = ?, mac = ? WHERE id = ?"
_INSERT = (
    'INSERT INTO chain_entries (chain, position, "table", key, participant_id, final, opening, digest) '
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_LAST = 'SELECT opening, digest, final FROM chain_entries WHERE "table" = ? AND key = ? ORDER BY number DESC LIMIT 1'


@dataclass(frozen=True)
class Claimed:
    """A chain that this transaction appends to, and where it is now."""

    chain: int
    position: int
    head: bytes
    stored: bool = True
    """The database has it as it is here."""


class ChainWriter:
    """Appends digests. The head is read at the first of a transaction and written once, by `flush`, at its end.

    Args:
        driver: the transaction.
        is_sqlite: whether its database has one writer at a time.
        key: signs heads; None leaves them unsigned.
    """

    def __init__(self, driver: Driver, *, is_sqlite: bool, key: bytes | None) -> None:
        self._driver = driver
        self._claim = _CLAIM_SQLITE if is_sqlite else _CLAIM_POSTGRES
        self.key = key
        self.claimed: Claimed | None = None
        """Set it back together with a savepoint that is rolled back: a claim after the savepoint is gone, too."""

    def append(self, digests: Sequence[bytes]) -> tuple[int, int]:
        """Join digests to a chain; returns the chain and the position of the first of them."""
        before = self.claimed or self._claim_one()
        head = before.head
        for digest in digests:
            head = chain.link(head, digest)
        self.claimed = Claimed(before.chain, before.position + len(digests), head, stored=False)
        return before.chain, before.position + 1

    def flush(self) -> None:
        """Write the head where it has moved."""
        now = self.claimed
        if now is None or now.stored:
            return
        signature = None if self.key is None else chain.mac(self.key, now.chain, now.position, now.head)
        self._driver.run(_ADVANCE, (now.position, now.head, signature, now.chain))
        self.claimed = replace(now, stored=True)

    def _claim_one(self) -> Claimed:
        row = self._driver.one(self._claim) or self._driver.returned(_NEW, (chain.GENESIS,))
        return Claimed(row[0], row[1], bytes(row[2]))

    def record(self, entry: chain.ChainEntry, participant_id: str) -> None:
        """Append the state of one record, unless it is the one that was appended last."""
        key = json.dumps(entry.key)
        # The salt of each entry is random, so equal records have different digests: the old salt is used to compare.
        last = self._driver.one(_LAST, (entry.table, key))
        if last is not None and bool(last[2]) == entry.final:
            same = chain.digest(entry.table, entry.key, entry.final, chain.body_of(bytes(last[0]), entry.content))
            if same == bytes(last[1]):
                return
        number, position = self.append([entry.digest])
        values = (number, position, entry.table, key, participant_id, entry.final, entry.salt, entry.digest)
        self._driver.run(_INSERT, values)


def in_order(events: Iterator[chain.Chained], others: Iterator[chain.Chained]) -> Iterator[chain.Chained]:
    """Two streams, each in the order of every chain, as one that is; what follows a gap comes last."""
    due: dict[int, int] = {}
    waiting: dict[tuple[int, int], chain.Chained] = {}
    for pair in zip_longest(events, others):
        for entry in filter(None, pair):
            number, position = entry.chain, entry.position
            if position != due.get(number, 1):
                waiting[number, position] = entry
                continue
            following: chain.Chained | None = entry
            while following is not None:
                yield following
                position += 1
                following = waiting.pop((number, position), None)
            due[number] = position
    yield from (waiting[place] for place in sorted(waiting))


def entry_of(table: TableName, row: dict[str, Any], content: bytes, *, final: bool) -> chain.ChainEntry:
    """Return the entry of a stored row."""
    return chain.ChainEntry(table, chain.key_of(table, row), final, chain.new_salt(), content)


def kept(value: Any) -> Any:
    """Return a value as the database gives it back: moments are whole milliseconds there."""
    if isinstance(value, datetime):
        return datetime.fromtimestamp(round(value.timestamp() * 1000) / 1000, UTC)
    return value
