"""The study as one participant meets it: in their orders, with the stages and questions that are for them."""

from __future__ import annotations

from typing import Any

from study_app.domain.branching import branches, met, ordered
from study_app.domain.records import Participant
from study_app.domain.study.study import Stage, Study, StudyArm
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.position import AtStage


class Branching:
    """What of the study is for whom."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._arms: dict[tuple[str, str, str, str], StudyArm] = {}

    def branched(self, unit: UnitOfWork, study: Study, participant: Participant) -> Study:
        """Return the study with the stages and questions that are for this participant."""
        study = _in_their_order(study, participant)
        if not branches(study) or participant.over:
            return study
        here = {question.id for question in study.stage(participant.stage).asked}
        earlier = {name: value for name, value in _given(unit, participant).items() if name not in here}
        return met(study, _arm_at(study, participant), earlier, participant.stage)

    def following(self, unit: UnitOfWork, place: AtStage) -> Stage | None:
        """Return the stage after this one, by the answers that have just been given."""
        whole, participant = self.context.met_by(unit, place.participant), place.participant
        if branches(whole):
            whole = met(whole, _arm_at(whole, participant), _given(unit, participant), place.stage.id)
        return whole.next_stage(place.stage.id)

    def arm(self, study: Study, participant: Participant, stage: Stage) -> StudyArm | None:
        """Return the arm at a stage; kept, since it is asked for with every batch of events and never changes."""
        if participant.arm is None:
            return None
        allocated = participant.allocated or participant.arm
        key = (participant.study_hash, participant.language, allocated, stage.id)
        if key not in self._arms:
            self._arms[key] = study.arm(allocated, stage)
        return self._arms[key]

    def at_stage(self, unit: UnitOfWork, participant: Participant) -> AtStage | None:
        """Return where the record of a participant says that they are, without moving them; None at the end."""
        if participant.over:
            return None
        study = self.context.met_by(unit, participant)
        stage = study.stage(participant.stage)
        return AtStage(participant, study, stage, self.arm(study, participant, stage), self.context.now())


def _in_their_order(study: Study, participant: Participant) -> Study:
    """Return the study with the participant's own orders; where nothing is drawn, the study itself."""
    drawn = any(stage.shuffle or any(q.shuffle for q in stage.questions) for stage in study.stages)
    return ordered(study, participant.id) if drawn else study


def _given(unit: UnitOfWork, participant: Participant) -> dict[str, Any]:
    """Return the answers to surveys' questions so far, by question."""
    return {each.item: each.response for each in unit.answers(participant.id) if not each.bank}


def _arm_at(study: Study, participant: Participant) -> str | None:
    """Return the arm at the participant's stage; None before allocation."""
    return None if participant.arm is None else study.arm(participant.arm, study.stage(participant.stage)).id
