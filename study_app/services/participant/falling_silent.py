"""People who fell silent: the end of their way, once what they gave is analysed or erased."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from study_app.domain.events.server import SessionMissed
from study_app.domain.records import Participant
from study_app.domain.study.study import Stage
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant_status import is_locked, is_under_way
from study_app.services.position import OnStage

if TYPE_CHECKING:
    from study_app.services.participant.flow import ParticipantFlow


def end_if_silent(flow: ParticipantFlow, unit: UnitOfWork, participant: Participant, last: int | None) -> bool:
    """End the way of a participant who fell silent in a session up to the one of that number; None for in any.

    The caller holds the lock of the participant's ledger, so that they are not allocated meanwhile.

    Returns:
        False if they are still in progress in such a session, or came back at this moment.
    """
    study = flow.context.met_by(unit, participant)
    # A deadline that no server was there to keep comes first: until then what stood on the screen is handed in.
    participant, _ = flow.expire(unit, study, participant)
    if participant.over or (last is not None and study.wave(study.stage(participant.stage)) > last):
        return True
    return not is_under_way(flow.context, participant) and end_way(flow, unit, participant)


def locked_out(flow: ParticipantFlow, unit: UnitOfWork, participant: Participant) -> Participant:
    """Return a participant as they are; one who comes back to what is locked, or was erased, has left.

    Unsealing and erasing end their way: this is for trials of before they did.
    """
    if participant.over or not (participant.data_withdrawn or _is_locked_out(flow.context, unit, participant)):
        return participant
    end_way(flow, unit, participant)
    return unit.known_participant(participant.id)


def _is_locked_out(context: StudyContext, unit: UnitOfWork, participant: Participant) -> bool:
    # The database is asked of the silent alone: nothing is locked while a person in it is in progress.
    if participant.kind != "real" or is_under_way(context, participant):
        return False
    study = context.study_of(unit, participant)
    return is_locked(context, unit, study, study.stage(participant.stage), participant)


def end_way(flow: ParticipantFlow, unit: UnitOfWork, participant: Participant) -> bool:
    """End a way at its last sign of life; False if the participant was no longer there.

    Not at this moment: when a trial is unsealed must not decide how long its participants were away.
    """
    study = flow.context.met_by(unit, participant)
    stage = study.stage(participant.stage)
    at = _last_sign(flow.context, unit, participant, stage)
    place = OnStage(participant, study, stage, flow.branching.arm(study, participant, stage), at)
    if not flow.leave(unit, place, "abandoned", "system"):
        return False
    unit.record(participant.id, stage.id, at, SessionMissed(session=stage.session))
    return True


def _last_sign(context: StudyContext, unit: UnitOfWork, participant: Participant, stage: Stage) -> datetime:
    """Return when something of a participant was stored last, within the time of the stage that they are on."""
    moments = [participant.last_seen_at, *(event.server_time for event in unit.events(participant.id))]
    visit = unit.visit(participant.id, stage.id)
    bounds = [context.now(), *([visit.deadline_at] if visit is not None and visit.deadline_at is not None else [])]
    # A deadline that was kept late carries its own moment, and the arm that it led to the later one of the allocation.
    return max(min(max(moments), *bounds), participant.allocated_at or participant.enrolled_at)
