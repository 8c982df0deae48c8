"""Puts a participant on a stage by the services' own means: a test of one screen need not walk to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from study_app.domain.records import Visit
from study_app.services.identity import hashed
from study_app.storage import open_registry


def place(
    server,
    page,
    stage: str,
    *,
    left: timedelta | None = None,
    arm: str | None = "no_ai",
    ended: str = "",
    step: int = 0,
) -> str:
    """Put this browser's participant on a stage; `left` opens it, `ended` has ended at its deadline."""
    token = next(c["value"] for c in page.context.cookies() if c["name"] == "study_participant")
    now = datetime.now(UTC)  # noqa: TID251  (the server runs on the real clock)
    registry = open_registry(server.database)
    with registry.begin() as unit:
        person = unit.participant_of_token(hashed(token), now)
        unit.touch(person.id, stage=stage, step=step, arm=arm)
        if ended:
            unit.open_visit(Visit(person.id, ended, now - timedelta(minutes=9), now - timedelta(minutes=1)))
            unit.end_visit(person.id, ended, now, "deadline")
        if left is not None:
            unit.open_visit(Visit(person.id, stage, now, now + left))
    registry.close()
    page.goto(server.url)
    return person.id
