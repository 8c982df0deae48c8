"""Joining what an older version stored to the chain of records."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from study_app.dataset.integrity import chain
from study_app.dataset.schema import compact_json
from study_app.domain.events import Event
from study_app.storage.aggregates.rows import ENTRIES
from study_app.storage.chained import Signed
from study_app.storage.event_log import EVENTS, LOGGED
from study_app.storage.sealed.heads import HEADS
from study_app.storage.unit_of_work import SqlUnitOfWork

_AT_ONCE = 2000
JOINED = "rows_joined"
"""Key of the fact that every row of this database is in the chain."""


def join_what_is_stored(connection: Connection) -> list[Signed]:
    """Append what is in no chain, in the order of storing; returns where the chains stood before."""
    before = [Signed(*row) for row in connection.execute(HEADS)]
    unit = SqlUnitOfWork(connection)
    # Once for a database: what is in no chain later was not stored by the platform.
    if unit.meta(JOINED) is not None:
        return before
    join_everything(connection, unit)
    unit.set_meta(JOINED, "1")
    unit.flush()
    return before


def join_everything(connection: Connection, unit: SqlUnitOfWork) -> None:
    """Append what is in no chain, within a transaction whose heads it signs at its end."""
    unit.chain.joins = True
    while _join_events(connection, unit):
        pass
    unit.chain_everything()
    _join_erasures(connection, unit)
    unit.chain.joins = False


def _join_erasures(connection: Connection, unit: SqlUnitOfWork) -> None:
    """Append which payloads an older version erased."""
    # An opening as long as a hash is the body of an erased payload; a salt is shorter.
    bodies = (EVENTS.c.opening.is_not(None), func.length(EVENTS.c.opening) == chain.BODY_BYTES)
    query = select(EVENTS.c.event_id, EVENTS.c.participant_id).where(*bodies).order_by(EVENTS.c.event_id)
    for row in connection.execute(query).all():
        unit.chain.gone(chain.ERASED_EVENTS, (row.event_id,), row.participant_id)
    newest = select(func.max(ENTRIES.c.number)).group_by(ENTRIES.c.table, ENTRIES.c.key)
    closed = select(ENTRIES).where(ENTRIES.c.number.in_(newest), func.length(ENTRIES.c.opening) == 0)
    for entry in connection.execute(closed.order_by(ENTRIES.c.number)).all():
        unit.chain.gone(entry.table, tuple(json.loads(entry.key)), entry.participant_id)


def _join_events(connection: Connection, unit: SqlUnitOfWork) -> bool:
    query = select(*LOGGED).where(EVENTS.c.chain.is_(None)).order_by(EVENTS.c.event_id).limit(_AT_ONCE)
    events = [Event(**row._mapping) for row in connection.execute(query)]
    if not events:
        return False
    entries = [
        chain.ChainEntry("events", chain.event_key(e), True, chain.new_salt(), compact_json(e.payload).encode())
        for e in events
    ]
    digests = [entry.digest for entry in entries]
    number, first = unit.chain.append(digests)
    rows = [
        {"row": e.event_id, "number": number, "place": first + place, "salt": entry.salt, "hash": digest}
        for place, (e, entry, digest) in enumerate(zip(events, entries, digests, strict=True))
    ]
    values: dict[str, Any] = {name: bindparam(value) for name, value in _COLUMNS.items()}
    connection.execute(update(EVENTS).where(EVENTS.c.event_id == bindparam("row")).values(**values), rows)
    return True


_COLUMNS = {"chain": "number", "position": "place", "opening": "salt", "digest": "hash"}
