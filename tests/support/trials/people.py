"""People at the door, and where a test needs them, over the services' own means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from study_app.domain.records import Visit
from study_app.services.identity import hashed
from study_app.storage import open_registry


def enter(client: httpx.Client, **fields: str) -> httpx.Response:
    return client.post("/enter", data=fields)


def participants(server) -> int:
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        count = len(unit.participants())
    registry.close()
    return count


def to_stage(server, client: httpx.Client, stage: str, arm: str | None = None) -> str:
    """Put this client's participant on a stage by the services' own means: a test need not click through."""
    registry = open_registry(server.database)
    with registry.begin() as unit:
        token = client.cookies["study_participant"]
        person = unit.participant_of_token(hashed(token), now())
        unit.touch(person.id, stage=stage, arm=arm)
    registry.close()
    client.get("/api/state")
    return person.id


def now():
    return datetime.now(UTC)  # noqa: TID251  (the server runs on the real clock)


def open_task(server, client, arm="ai"):
    """On the main tasks, with the clock running."""
    enter(client)
    who = to_stage(server, client, "tasks", arm)
    registry = open_registry(server.database)
    with registry.begin() as unit:
        unit.open_visit(Visit(who, "tasks", now(), now() + timedelta(minutes=35)))
    registry.close()
    return who
