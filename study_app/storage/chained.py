"""Appending to the chain of records within one transaction; what is hashed is in domain/dataset/chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from study_app.dataset.integrity import chain
from study_app.storage.driver import Driver
from study_app.storage.sealed.columns import SEALED
from study_app.storage.sealed.head_keys import STUDY, UNSIGNED, HeadKeys

# A writer takes a chain that no other writer holds, and keeps it to the end of the transaction.
# `ORDER BY id` lets a quiet server extend one chain; SKIP LOCKED gives each concurrent writer another one,
# because a chain's next link needs the head that the last commit left.
# Each signer has its own chains: while the sealing key is missing no signed head is written over, so that what is
# signed stays proven and what comes meanwhile can be signed later.
_CLAIM_SQLITE = "SELECT id, position, head, mac FROM chains WHERE signer = ? ORDER BY id LIMIT 1"
_CLAIM_POSTGRES = f"{_CLAIM_SQLITE} FOR UPDATE SKIP LOCKED"
_NEW = "INSERT INTO chains (position, head, signer) VALUES (0, ?, ?) RETURNING id, position, head, mac"
_ADVANCE = "UPDATE chains SET position = ?, head = ?, mac = ? WHERE id = ?"
_INSERT = (
    'INSERT INTO chain_entries (chain, position, "table", key, participant_id, final, opening, digest) '
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_LAST = (
    "SELECT number, opening, digest, final, (SELECT count(*) FROM chain_entries AS states "
    'WHERE states."table" = newest."table" AND states.key = newest.key) '
    'FROM chain_entries AS newest WHERE "table" = ? AND key = ? ORDER BY number DESC LIMIT 1'
)
_CLOSE = "UPDATE chain_entries SET opening = ? WHERE number = ?"


@dataclass(frozen=True)
class Claimed:
    """A chain that this transaction appends to, and where it is now."""

    chain: int
    position: int
    head: bytes
    stored: bool = True
    """The database has it as it is here."""
    trusted: bool = True
    """It began as this server, or another with its key, left it."""


@dataclass(frozen=True)
class Signed:
    """A chain as the database has it."""

    chain: int
    position: int
    head: bytes
    mac: bytes | None
    signer: str = STUDY

    def by(self, key: bytes) -> bool:
        """Return whether it ends where a program with this key left it."""
        due = chain.mac(key, self.chain, self.position, bytes(self.head))
        return self.position == 0 or bytes(self.mac or b"") == due


class ChainWriter:
    """Appends digests. The head is read at the first of a transaction and written once, by `flush`, at its end.

    Args:
        driver: the transaction.
        is_sqlite: whether its database has one writer at a time.
        keys: sign heads; without one they stay unsigned.
    """

    def __init__(self, driver: Driver, *, is_sqlite: bool, keys: HeadKeys) -> None:
        self._driver = driver
        self._claim = _CLAIM_SQLITE if is_sqlite else _CLAIM_POSTGRES
        self.keys = keys
        self.joins = False
        """Whether an older version's rows are joined: none that differs from its entry gets a new one."""
        self.claimed: Claimed | None = None
        """Set it back together with a savepoint that is rolled back: a claim after the savepoint is gone, too."""

    def append(self, digests: Sequence[bytes]) -> tuple[int, int]:
        """Join digests to a chain; returns the chain and the position of the first of them."""
        # Held in memory to the end of the transaction, for each record would otherwise take a statement to read the
        # head and one to write it.
        before = self.claimed or self._claim_one()
        head = before.head
        for digest in digests:
            head = chain.link(head, digest)
        self.claimed = replace(before, position=before.position + len(digests), head=head, stored=False)
        return before.chain, before.position + 1

    def flush(self) -> None:
        """Write the head where it has moved."""
        now = self.claimed
        if now is None or now.stored:
            return
        # What another program appended is never signed, also not together with what the server appends after it.
        key = self.keys.now if now.trusted else None
        signature = chain.mac(key, now.chain, now.position, now.head) if key is not None else None
        self._driver.run(_ADVANCE, (now.position, now.head, signature, now.chain))
        self.claimed = replace(now, stored=True)

    def _claim_one(self) -> Claimed:
        found = self._of_signer(self.keys.signer)
        if self.keys.now is None and found.mac is not None and self.keys.look is not None:
            # Another process has launched the study since this one was started.
            self.keys.look()
            found = self._of_signer(self.keys.signer)
        if self.keys.now is None and found.mac is not None:
            found = self._of_signer(UNSIGNED)
        trusted = self.keys.now is None or found.by(self.keys.now)
        return Claimed(found.chain, found.position, found.head, trusted=trusted)

    def _of_signer(self, signer: str) -> Signed:
        # On Postgres no row also means that others hold all of the chains: a further writer begins another instead of
        # waiting.
        row = self._driver.one(self._claim, (signer,)) or self._driver.returned(_NEW, (chain.GENESIS, signer))
        return Signed(row[0], row[1], bytes(row[2]), row[3])

    def record(self, entry: chain.ChainEntry, participant_id: str) -> None:
        """Append the state of one record, unless it is the one that was appended last."""
        key, states = chain.named(entry.key), 0
        last = self._driver.one(_LAST, (entry.table, key))
        if last is not None:
            number, opening, digest, final, states = last
            same = numbered(entry, states)
            if bool(final) == entry.final and _is_last(same, bytes(opening), bytes(digest)):
                return
            if self.joins and not _agrees(entry, same, bytes(opening), bytes(digest), final=bool(final)):
                return
            # Nothing is compared with an earlier state, and without its salt nothing of it can be guessed.
            self._driver.run(_CLOSE, (b"", number))
        entry = numbered(entry, states + 1)
        number, position = self.append([entry.digest])
        values = (number, position, entry.table, key, participant_id, entry.final, entry.opening, entry.digest)
        self._driver.run(_INSERT, values)

    def seal(
        self, name: str, key: tuple[Any, ...], content: bytes | None = None, *, final: bool = False, owner: str = ""
    ) -> None:
        """Append a row as it is now stored, or that it is gone.

        Args:
            name: its table.
            key: what names it; see `sealed.columns.KEYS`.
            content: the cells that a dataset has of it; None where no dataset has the table.
            final: whether nothing changes it after this.
            owner: its participant, or of a rating the object that was rated.
        """
        row = self._driver.one(SEALED[name].one, key)
        if row is None:
            self.gone(name, key, owner)
            return
        cells, stored, salt = tuple(map(str, key)), SEALED[name].content(row), chain.new_salt()
        if content is None:
            entry = chain.ChainEntry(name, cells, final, salt, stored)
        else:
            entry = chain.ChainEntry(name, cells, final, salt, content, stored)
        self.record(entry, owner)

    def gone(self, name: str, key: tuple[Any, ...], owner: str) -> None:
        """Append that a record was erased."""
        self.record(chain.ChainEntry(name, tuple(map(str, key)), True, chain.new_salt(), chain.GONE), owner)


def state(stored: bytes, number: int) -> bytes:
    """Return a row with the number of its state, as it is hashed.

    Without the number, one who has kept the opening of an earlier state could pass it off as the newest.
    """
    return stored + b"\x1f%d" % number


def numbered(entry: chain.ChainEntry, number: int) -> chain.ChainEntry:
    """Return a record as the state of that number; of one that is gone there is nothing to number."""
    if entry.stored is not None:
        return replace(entry, stored=state(entry.stored, number))
    return entry if entry.content == chain.GONE else replace(entry, content=state(entry.content, number))


def _agrees(entry: chain.ChainEntry, same: chain.ChainEntry, opening: bytes, digest: bytes, *, final: bool) -> bool:
    """Return whether an entry is of the row that is there, as this or an older version hashes it.

    Older ones numbered no state, and the oldest hashed nothing but the row's cells of a dataset.
    """
    if len(opening) < chain.SALT_BYTES:
        return False
    for each in (same, entry, replace(entry, stored=None)):
        older = replace(each, salt=opening[: chain.SALT_BYTES], final=final)
        if older.opening == opening and older.digest == digest:
            return True
    return False


def _is_last(entry: chain.ChainEntry, opening: bytes, digest: bytes) -> bool:
    """Return whether the newest entry of a record is of the same state; salts are random, so the old one is used."""
    again = replace(entry, salt=opening[: chain.SALT_BYTES])
    return again.opening == opening and again.digest == digest


def in_order(events: Iterator[chain.Chained], others: Iterator[chain.Chained]) -> Iterator[chain.Chained]:
    """Two streams, each in the order of every chain, as one that is; what follows a gap comes last."""
    due: dict[int, int] = {}
    waiting: dict[tuple[int, int], chain.Chained] = {}
    for entry in _by_turns(events, others):
        number, position = entry.chain, entry.position
        if position != due.get(number, 1):
            waiting[number, position] = entry
            continue
        yield entry
        position += 1
        # Asked for first: hardly ever does anything wait, and millions of events pass here.
        while waiting and (following := waiting.pop((number, position), None)) is not None:
            yield following
            position += 1
        due[number] = position
    yield from (waiting[place] for place in sorted(waiting))


def _by_turns(events: Iterator[chain.Chained], others: Iterator[chain.Chained]) -> Iterator[chain.Chained]:
    """Yield one of each in turn, and what is left of the longer one."""
    for event in events:
        yield event
        other = next(others, None)
        if other is None:
            # Nearly all entries are events, and then there is nothing more to ask for.
            yield from events
            return
        yield other
    yield from others


def kept(value: Any) -> Any:
    """Return a value as the database gives it back: moments are whole milliseconds there."""
    if isinstance(value, datetime):
        return datetime.fromtimestamp(round(value.timestamp() * 1000) / 1000, UTC)
    return value
