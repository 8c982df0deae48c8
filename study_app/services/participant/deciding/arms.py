"""Decisions that are made as a participant goes on: the allocation, and the second one on who did not respond."""

from __future__ import annotations

from typing import Any

from study_app.domain.events.server import Allocated
from study_app.domain.ledger import ReplayCache
from study_app.domain.records import Participant
from study_app.domain.study.study import Stage
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.allocation import allocate
from study_app.services.participant.deciding.responding import decide_again
from study_app.services.places import lock_ledger, place_for
from study_app.services.position import AtStage


class ArmDecisions:
    """Decides within the transaction that moves the participant."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._replays = ReplayCache()

    def allocation(self, unit: UnitOfWork, place: AtStage, following: Stage) -> dict[str, Any] | None:
        """Return the columns that an allocation fills; empty where none is due, None where no place is free."""
        needed = place.study.allocation_stage
        if needed is None or needed.id != following.id or place.participant.arm is not None:
            return {}
        lock_ledger(unit, place.participant)
        # Read again under the lock: a second click that waited for it must not allocate twice.
        now_there = _still_there(unit, place.participant)
        if now_there is None or now_there.arm is not None:
            return {}
        if not place_for(self.context, unit, now_there):
            return None
        row = allocate(self.context, unit, place.study, place.participant, self._replays)
        unit.record(place.participant.id, following.id, place.now, Allocated(index=row.allocation_index))
        return {
            "arm": row.arm,
            "stratum": row.stratum,
            "allocation_index": row.allocation_index,
            "allocated_at": row.allocated_at,
            "place": "used",
        }

    def second_decision(self, unit: UnitOfWork, place: AtStage, following: Stage) -> dict[str, Any]:
        """Return the columns that a second decision fills; empty where none is due."""
        due = place.study.second_decision.stage == following.id and place.participant.arm is not None
        if not due or place.participant.responded is not None:
            return {}
        lock_ledger(unit, place.participant)
        # Read again under the lock: a second click that waited for it must not decide twice.
        now_there = _still_there(unit, place.participant)
        if now_there is None or now_there.responded is not None:
            return {}
        return decide_again(self.context, unit, place.study, now_there, self._replays)


def _still_there(unit: UnitOfWork, participant: Participant) -> Participant | None:
    """Return the participant as they now are, or None where they have gone on or left.

    They stay there until the transaction ends: a person who left between the row in the ledger and the move would
    have no arm, and the ledger a row that belongs to no participant.
    """
    unit.hold(participant)
    now_there = unit.known_participant(participant.id)
    moved = any(getattr(now_there, name) != getattr(participant, name) for name in ("stage", "step", "status"))
    return None if moved else now_there
