"""Appending to the chain of records within one transaction; what is hashed is in domain/dataset/chain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from study_app.domain.dataset import TableName, chain
from study_app.storage.driver import Driver

# Whoever appends takes a chain that nobody else is appending to, and keeps it to the end of the transaction.
_CLAIM_SQLITE = "SELECT id, position, head FROM chains ORDER BY id LIMIT 1"
_CLAIM_POSTGRES = f"{_CLAIM_SQLITE} FOR UPDATE SKIP LOCKED"
_NEW = "INSERT INTO chains (position, head) VALUES (0, ?) RETURNING id, position, head"
_ADVANCE = "UPDATE chains SET position = ?, head = ?, mac = ? WHERE id = ?"
_INSERT = (
    'INSERT INTO chain_entries (chain, position, "table", key, participant_id, final, opening, digest) '
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_LAST = 'SELECT opening, digest, final FROM chain_entries WHERE "table" = ? AND key = ? ORDER BY number DESC LIMIT 1'


class ChainWriter:
    """Appends digests; the head is read and written at each call, so that a savepoint undoes both alike.

    Args:
        driver: the transaction.
        is_sqlite: whether its database has one writer at a time.
        key: signs heads; None leaves them unsigned.
    """

    def __init__(self, driver: Driver, *, is_sqlite: bool, key: bytes | None) -> None:
        self._driver = driver
        self._claim = _CLAIM_SQLITE if is_sqlite else _CLAIM_POSTGRES
        self._key = key

    def append(self, digests: Sequence[bytes]) -> tuple[int, int]:
        """Join digests to a chain; returns the chain and the position of the first of them."""
        row = self._driver.one(self._claim) or self._driver.one(_NEW, (chain.GENESIS,))
        assert row is not None
        number, position, head = row[0], row[1], bytes(row[2])
        for digest in digests:
            head = chain.link(head, digest)
        end = position + len(digests)
        signature = None if self._key is None else chain.mac(self._key, number, end, head)
        self._driver.run(_ADVANCE, (end, head, signature, number))
        return number, position + 1

    def record(self, entry: chain.Entry, participant_id: str) -> None:
        """Append the state of one record, unless it is the one that was appended last."""
        key = json.dumps(entry.key)
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
            waiting[entry.chain, entry.position] = entry
            while (next_one := waiting.pop((entry.chain, due.get(entry.chain, 1)), None)) is not None:
                due[entry.chain] = next_one.position + 1
                yield next_one
    yield from (waiting[place] for place in sorted(waiting))


def entry_of(table: TableName, row: dict[str, Any], content: bytes, *, final: bool) -> chain.Entry:
    """The entry of a stored row."""
    return chain.Entry(table, chain.key_of(table, row), final, chain.new_salt(), content)


def kept(value: Any) -> Any:
    """A value as the database gives it back: moments are whole milliseconds there."""
    if isinstance(value, datetime):
        return datetime.fromtimestamp(round(value.timestamp() * 1000) / 1000, UTC)
    return value
