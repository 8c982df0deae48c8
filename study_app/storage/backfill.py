"""Joining what an older version stored to the chain of records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from study_app.dataset.integrity import chain
from study_app.dataset.schema import compact_json
from study_app.domain.events import Event
from study_app.storage.event_log import EVENTS, LOGGED
from study_app.storage.unit_of_work import SqlUnitOfWork

_AT_ONCE = 2000


def join_what_is_stored(connection: Connection) -> None:
    """Append every record that is in no chain, in the order of storing; nothing happens where there is none."""
    if connection.execute(select(EVENTS.c.event_id).where(EVENTS.c.chain.is_(None)).limit(1)).first() is None:
        return
    unit = SqlUnitOfWork(connection)
    while _join_events(connection, unit):
        pass
    unit.chain_everything()
    unit.flush()


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
