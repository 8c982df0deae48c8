"""A preview participant for `study doctor --attack`, and whether the server may be attacked now."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from study_app.domain.errors import NotAllowed
from study_app.domain.records import Participant, Visit
from study_app.services.context import StudyContext
from study_app.services.identity import hashed
from study_app.services.participant_status import current_status

MINUTES = 10
REASON = "made by study doctor --attack"


@contextmanager
def attacker(context: StudyContext) -> Iterator[str]:
    """Provide the cookie of a preview participant at the main tasks, who is excluded at the end.

    Raises:
        NotAllowed: real participants are in progress, or the study has no tasks.
    """
    stage = next((stage for stage in context.study.stages if stage.kind == "tasks" and stage.main), None)
    if stage is None:
        raise NotAllowed("the study has no tasks, so there is nothing to attack; study doctor looks at the rest")
    arm = next((arm for arm in context.study.arms_met if arm.assistant), context.study.arms[0])
    now, token = context.now(), secrets.token_urlsafe(24)
    person = Participant(
        id=context.fresh_id(),
        kind="preview",
        study_hash=context.study_hash,
        status="in_progress",
        stage=stage.id,
        step=0,
        enrolled_at=now,
        last_seen_at=now,
        arm=arm.id,
    )
    with context.registry.begin() as unit:
        there = [p for p in unit.participants() if p.kind == "real" and current_status(context, p) == "in_progress"]
        if there:
            raise NotAllowed(f"{len(there)} real participants are in progress; attack the server when there are none")
        unit.add_participant(person)
        unit.add_token(person.id, hashed(token), now + timedelta(minutes=MINUTES))
        unit.open_visit(Visit(person.id, stage.id, now, now + timedelta(minutes=MINUTES)))
    try:
        yield token
    finally:
        with context.registry.begin() as unit:
            unit.touch(person.id, exclusion_reason=REASON)
