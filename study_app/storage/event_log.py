"""The append-only log of events, within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cached_property, lru_cache, partial
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from study_app.dataset.integrity.chain import ChainEntry, event_key, new_salt
from study_app.domain.events import ERASED, MAX_EVENTS, SERVER_PAGE, BrowserEvent, Event, EventDetails
from study_app.domain.records import Stored
from study_app.storage.chained import ChainWriter, kept
from study_app.storage.columns import stored_json
from study_app.storage.driver import Driver, bound, read_back
from study_app.storage.sealed.head_keys import HeadKeys
from study_app.storage.serving.kept_words import KeptWords
from study_app.storage.tables import EventRow, PageRow, ParticipantRow

EVENTS = EventRow.__table__  # type: ignore[attr-defined]
LOGGED = [EVENTS.c[field.name] for field in fields(Event) if field.name != "stored"]
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
    "INSERT INTO events (participant_id, page, seq, kind, stage, server_time, client_time_ms, mono_ms, payload, "
    "arrived_late, chain, position, opening, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
FARTHEST = 4 * MAX_EVENTS
"""Events that are kept beyond the last one without a gap; a page sends the others again."""
_STORED = "SELECT seq FROM events WHERE participant_id = ? AND page = ? AND seq > ?"
_LAST = "SELECT max(seq) FROM events WHERE participant_id = ? AND page = ?"
_OF_PERSON = (
    "SELECT event_id, page, seq, kind, stage, server_time, client_time_ms, mono_ms, payload, arrived_late FROM events "
    "WHERE participant_id = ? ORDER BY event_id"
)


def insert_new(connection: Connection, table: Any) -> Any:
    """Return an INSERT that leaves rows alone which are already there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


class SqlEventLog:
    """ports.EventLog over one connection in a transaction."""

    def __init__(self, connection: Connection, keys: HeadKeys | None = None) -> None:
        self.connection = connection
        self._keys = keys or HeadKeys()
        self.afterwards: list[Callable[[], object]] = []
        """What is done after the commit."""

    @cached_property
    def driver(self) -> Driver:
        """The same transaction at the driver's level."""
        return Driver(self.connection)

    @cached_property
    def words(self) -> KeptWords:
        """Of whom this transaction may store words."""
        return KeptWords(self.driver)

    @cached_property
    def chain(self) -> ChainWriter:
        """The chain of records that this transaction appends to."""
        is_sqlite = self.connection.dialect.name == "sqlite"
        return ChainWriter(self.driver, is_sqlite=is_sqlite, keys=self._keys)

    def flush(self) -> None:
        """Write what is kept for the end of the transaction: the head of the chain."""
        # Not through the property, which would make a writer for every transaction that only reads.
        if "chain" in self.__dict__:
            self.chain.flush()

    def record(self, participant_id: str, stage: str, at: datetime, details: EventDetails) -> Event:
        """Append one event of the server's own."""
        # Of a person whose data were deleted only that it happened.
        gone = details.has_words() and not self.words.may_keep(participant_id)
        payload = dict(ERASED) if gone else details.payload()
        taken = self.driver.returned(_NEXT_NUMBER, (participant_id, SERVER_PAGE))
        row = Event(participant_id, SERVER_PAGE, taken[0], details.kind, stage, kept(at), payload=payload)
        self.driver.run(_INSERT, self._chained([row])[0])
        return row

    def _chained(self, events: Sequence[Event]) -> list[tuple[Any, ...]]:
        """Events as rows, joined to the chain in their order."""
        entries = [
            ChainEntry("events", event_key(event), True, new_salt(), _json(event.payload).encode()) for event in events
        ]
        # Joined to the chain in one step for the whole batch, for its head is claimed until the commit.
        digests = [entry.digest for entry in entries]
        number, first = self.chain.append(digests)
        moments = {at: _moment(at) for at in {event.server_time for event in events}}
        return [
            (
                *(e.participant_id, e.page, e.seq, e.kind, e.stage, moments[e.server_time]),
                *(e.client_time_ms, e.mono_ms, entry.content.decode(), e.arrived_late),
                *(number, first + place, entry.salt, digest),
            )
            for place, (e, entry, digest) in enumerate(zip(events, entries, digests, strict=True))
        ]

    def store_batch(
        self,
        participant_id: str,
        page: str,
        stage: str,
        at: datetime,
        events: Sequence[BrowserEvent],
        late: Mapping[int, str] | None = None,
    ) -> Stored:
        """Append what is new of a batch."""
        where = (participant_id, page)
        # The counter first: two batches of one page queue here, so that neither sees the other's events as new.
        taken = self.driver.returned(_TAKE_PAGE, where)
        before: int = taken[0]
        # A page sends in order from the first that was not acknowledged: nothing lies far beyond the gap.
        unknown = {event.seq: event for event in events if before < event.seq <= before + FARTHEST}
        if not unknown:
            return Stored(before, ())
        # One look-up in an index tells the usual case, in which nothing of the page waits beyond a gap.
        last = self.driver.one(_LAST, where)
        nothing_ahead = last is None or (last[0] or 0) <= before
        if not nothing_ahead:
            # What came before beyond a gap is in the log and in the chain already.
            for seq in self.driver.column(_STORED, (*where, before)):
                unknown.pop(seq, None)
        moment, of_earlier = kept(at), late or {}
        given = ((e.seq, e.kind, e.client_time_ms, e.mono_ms, e.payload) for e in unknown.values())
        new = [
            Event(
                participant_id,
                page,
                seq,
                kind,
                of_earlier.get(seq, stage),
                moment,
                client,
                mono,
                payload,
                arrived_late=seq in of_earlier,
            )
            for seq, kind, client, mono, payload in given
        ]
        if new:
            self.driver.many(_INSERT, self._chained(new))
        # Where nothing of the page was stored beyond the gap, what is stored now is what has just come.
        fresh = _run_from(before, unknown) if nothing_ahead else self._contiguous(participant_id, page, before)
        if fresh:
            self.driver.run("UPDATE pages SET ack = ? WHERE participant_id = ? AND page = ?", (fresh[-1].seq, *where))
        return Stored(before + len(fresh), tuple(fresh), bool(new))

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
        if participant_id is not None:
            yield from _read(participant_id, self.driver.rows(_OF_PERSON, (participant_id,)))
            return
        query = select(*LOGGED).order_by(EVENTS.c.participant_id, EVENTS.c.event_id)
        # In parts: the log of a large trial does not fit into memory at once.
        result = self.connection.execute(query, execution_options={"yield_per": 2000})
        for row in result:
            yield Event(**row._mapping)

    def events_of(self, participant_id: str, kinds: Collection[str], stage: str | None = None) -> list[Event]:
        """See ports.EventLog."""
        where = [EVENTS.c.participant_id == participant_id, EVENTS.c.kind.in_(sorted(kinds))]
        if stage is not None:
            where.append(EVENTS.c.stage == stage)
        found = self.connection.execute(select(*LOGGED).where(*where).order_by(EVENTS.c.event_id))
        return [Event(**row._mapping) for row in found]

    def latest_moment(self) -> datetime | None:
        """See ports.EventLog."""
        people = ParticipantRow.__table__  # type: ignore[attr-defined]
        # Simulated participants live by a clock that the simulation sets; it may be ahead of this machine's.
        real = select(people.c.id).where(people.c.kind == "real")
        newest = select(EVENTS.c.server_time).where(EVENTS.c.participant_id.in_(real))
        found: datetime | None = self.connection.execute(
            newest.order_by(EVENTS.c.event_id.desc()).limit(1)
        ).scalar_one_or_none()
        return found

    def latest(self, participant_id: str, page: str, kinds: Sequence[str]) -> dict[str, Event]:
        """See ports.EventLog."""
        found = {}
        for kind in kinds:
            where = (EVENTS.c.participant_id == participant_id, EVENTS.c.page == page, EVENTS.c.kind == kind)
            row = self.connection.execute(select(*LOGGED).where(*where).order_by(EVENTS.c.seq.desc()).limit(1)).first()
            if row is not None:
                found[kind] = Event(**row._mapping)
        return found


def _read(participant_id: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[Event]:
    """Yield the events of one person: an export reads millions, and the initialiser takes longer than the database."""
    moment_of = lru_cache(maxsize=None)(partial(read_back, EVENTS, "server_time"))
    for number, page, seq, kind, stage, at, client, mono, text, late in rows:
        event = object.__new__(Event)
        event.__dict__.update(
            participant_id=participant_id,
            page=page,
            seq=seq,
            kind=kind,
            stage=stage,
            server_time=moment_of(at),
            client_time_ms=client,
            mono_ms=mono,
            payload=stored_json(text),
            event_id=number,
            arrived_late=bool(late),
            stored=text,
        )
        yield event


def _run_from(before: int, events: Mapping[int, BrowserEvent]) -> list[BrowserEvent]:
    """Return the events that follow that number without a gap, in order."""
    found: list[BrowserEvent] = []
    while (following := events.get(before + len(found) + 1)) is not None:
        found.append(following)
    return found


def _moment(at: datetime) -> Any:
    return bound(EVENTS, "server_time", at)


def _json(payload: Any) -> Any:
    return bound(EVENTS, "payload", payload)
