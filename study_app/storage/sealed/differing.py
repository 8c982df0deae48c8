"""The database against its own chain of records: which rows are not as they were stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, select, text

from study_app.dataset.integrity import chain
from study_app.dataset.integrity.differences import Difference
from study_app.dataset.schema import compact_json
from study_app.domain.events import ERASED, Event
from study_app.storage.chained import state
from study_app.storage.columns import stored_json
from study_app.storage.driver import Driver, read_back
from study_app.storage.event_log import EVENTS
from study_app.storage.sealed.columns import SEALED, Sealed, is_sealed_fact

_ENTRIES = 'SELECT number, chain, position, "table", key, final, opening, digest FROM chain_entries ORDER BY number'
EVENT_ENTRIES = "SELECT chain, position, event_id, participant_id, opening, digest FROM events ORDER BY event_id"
"""The entries of events, in the order of storing."""
_WHOLE = (
    "SELECT participant_id, page, seq, kind, stage, server_time, client_time_ms, mono_ms, event_id, arrived_late, "
    "payload, opening, digest FROM events ORDER BY event_id"
)
_HEADS = "SELECT id, position, head FROM chains"
_LOGGED = "SELECT participant_id, page, count(*), max(seq) FROM events GROUP BY participant_id, page"
_PAGES = "SELECT participant_id, page, ack FROM pages"
_LEFT = "SELECT id FROM participants WHERE data_withdrawn"
_STREAMED = {"yield_per": 1000}
"""Of one statement: set on the connection, they would hold for every later one, also for savepoints."""


@dataclass(slots=True)
class _Newest:
    """The last state of one record."""

    opening: bytes
    digest: bytes
    gone: bool
    number: int
    """How many states were stored of it."""
    seen: bool = False


class Comparison:
    """Compares every row of every table once.

    Args:
        connection: a transaction that sees one state of the database.
        in_order: makes of the rows of `EVENT_ENTRIES` every entry of every chain, in the order of each.
        through: what each of these entries passes on its way.
    """

    def __init__(
        self,
        connection: Connection,
        in_order: Callable[[Iterator[tuple[Any, ...]]], Iterator[chain.Chained]],
        through: Callable[[Iterator[chain.Chained]], Iterator[chain.Chained]] = iter,
    ) -> None:
        self._connection, self._in_order, self._through = connection, in_order, through
        self._driver = Driver(connection)
        self._newest = self._entries()

    def differences(self) -> Iterator[Difference]:
        """Yield what is not as it was stored."""
        for name, sealed in SEALED.items():
            yield from self._table(name, sealed)
        for (name, key), entry in self._newest.items():
            if not entry.seen and not entry.gone:
                yield Difference("removed", name, key)
        # The log is by far the longest table, so that all that is asked of its entries is asked in one reading.
        of_log: list[Difference] = []
        logged = self._logged(self._driver.stream(EVENT_ENTRIES), of_log)
        of_heads = list(self._heads(self._through(self._in_order(logged))))
        yield from of_log
        yield from self._pages()
        yield from of_heads

    def events(self) -> Iterator[Difference]:
        """Yield events that are not what their digests are over; verify does the same with a dataset that has them."""
        moment_of = lru_cache(maxsize=None)(partial(read_back, EVENTS, "server_time"))
        for *named, at, client, mono, number, late, payload, opening, digest in self._driver.stream(_WHOLE):
            person, page, seq, kind, stage = named
            moment = moment_of(at)
            event = Event(person, page, seq, kind, stage, moment, client, mono, {}, number, arrived_late=bool(late))
            if not _is_logged(event, payload, opening or b"", digest):
                yield Difference("changed", "events", str(number))

    def _rows(self, sql: str) -> Iterator[Any]:
        return iter(self._connection.execute(text(sql), execution_options=_STREAMED))

    def _entries(self) -> dict[tuple[str, str], _Newest]:
        found: dict[tuple[str, str], chain.Chained] = {}
        states: Counter[tuple[str, str]] = Counter()
        for number, where, position, name, key, final, opening, digest in self._rows(_ENTRIES):
            states[name, key] += 1
            # In the order of storing, so that the last state of each record is the one that stays.
            found[name, key] = chain.Chained(
                where, position, name, key, "", bool(final), bytes(opening), bytes(digest), int(number)
            )
        return {
            record: _Newest(each.opening, each.digest, each.is_gone, states[record]) for record, each in found.items()
        }

    def _table(self, name: str, sealed: Sealed) -> Iterator[Difference]:
        for row in self._rows(sealed.everything):
            cells = sealed.key_of(row)
            if name == "meta" and not is_sealed_fact(cells[0]):
                continue
            key = chain.named(cells)
            entry = self._newest.get((name, key))
            if entry is None or entry.gone:
                yield Difference("added", name, key)
                continue
            entry.seen = True
            if not _is_stored(name, cells, entry, state(sealed.content(row), entry.number)):
                yield Difference("changed", name, key)

    def _logged(self, rows: Iterator[tuple[Any, ...]], found: list[Difference]) -> Iterator[tuple[Any, ...]]:
        """Pass the entries of events on; note erased payloads that no entry speaks of, and events out of order."""
        left = {row[0] for row in self._rows(_LEFT)}
        last: dict[int, int] = {}
        erasures = {key: entry for (table, key), entry in self._newest.items() if table == chain.ERASED_EVENTS}
        for row in rows:
            yield row
            number, position, event_id, person, opening, digest = row
            if number is None or digest is None:
                found.append(Difference("added", "events", str(event_id)))
                continue
            # An event's number is not hashed; that numbers and positions rise together shows that none was renumbered.
            if position <= last.get(number, 0):
                found.append(Difference("changed", "events", str(event_id)))
            last[number] = position
            erased = erasures.get(chain.named((str(event_id),))) if erasures else None
            if erased is not None:
                erased.seen = True
            if erased is None and len(opening or b"") == chain.BODY_BYTES and person not in left:
                found.append(Difference("erased", "events", str(event_id)))

    def _heads(self, entries: Iterator[chain.Chained]) -> Iterator[Difference]:
        """Join every chain anew up to its head."""
        joined: dict[int, tuple[int, bytes]] = {}
        broken: set[int] = set()
        start, link = (0, chain.GENESIS), chain.link
        for entry in entries:
            number, position = entry.chain, entry.position
            before, head = joined.get(number, start)
            if position != before + 1:
                broken.add(number)
            joined[number] = position, link(head, entry.digest)
        stored = {number: (position, bytes(head)) for number, position, head in self._rows(_HEADS)}
        for number in sorted(stored.keys() | joined.keys()):
            # A chain that was begun and never used has no entry; its head must be the genesis hash.
            if number in broken or stored.get(number) != joined.get(number, (0, chain.GENESIS)):
                yield Difference("changed", "chains", str(number))

    def _pages(self) -> Iterator[Difference]:
        counts = {(person, page): ack for person, page, ack in self._rows(_PAGES)}
        due = {
            (person, page): count if count == last else self._without_gap(person, page)
            for person, page, count, last in self._rows(_LOGGED)
        }
        for where in sorted(counts.keys() | due.keys()):
            if counts.get(where, 0) != due.get(where, 0):
                yield Difference("changed", "pages", chain.named(where))

    def _without_gap(self, person: str, page: str) -> int:
        of_page = (EVENTS.c.participant_id == person, EVENTS.c.page == page)
        seqs = self._connection.execute(select(EVENTS.c.seq).where(*of_page).order_by(EVENTS.c.seq)).scalars()
        count = 0
        for seq in seqs:
            if seq != count + 1:
                break
            count = seq
        return count


def _is_stored(name: str, cells: tuple[str, ...], entry: _Newest, stored: bytes) -> bool:
    if name in chain.KEYS:
        # The rest of the opening is over the row; that the opening itself is the one of the chain, its digest tells.
        salt, rest = entry.opening[: chain.SALT_BYTES], entry.opening[chain.SALT_BYTES :]
        return chain.body(salt, stored) == rest
    digests = (chain.digest(name, cells, final, chain.body_of(entry.opening, stored)) for final in (False, True))
    return entry.digest in digests


def _is_logged(event: Event, text: str, opening: bytes, digest: bytes | None) -> bool:
    """Return whether an event is what its digest is over, with the payload as the database holds it.

    A payload that an older version stored with other blanks counts as what it says.
    """
    key = chain.event_key(event)
    if len(opening) == chain.BODY_BYTES and stored_json(text) != ERASED:
        return False
    if isinstance(text, str) and chain.digest("events", key, True, chain.body_of(opening, text.encode())) == digest:
        return True
    payload = compact_json(stored_json(text)).encode()
    return chain.digest("events", key, True, chain.body_of(opening, payload)) == digest
