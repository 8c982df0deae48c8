"""Single answers to surveys: as a participant's page lists them, and their erasure at the participant's request."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from study_app.domain.branching import rests_on
from study_app.domain.errors import NotAllowed
from study_app.domain.events.server import AnswerErased
from study_app.domain.quiz.answer_log import Draft
from study_app.domain.records import Answer, Participant
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.handing_in import draft_of, forget


@dataclass(frozen=True)
class GivenAnswer:
    """An answer to a question of a survey."""

    stage: str
    question: str
    prompt: str
    response: Any
    kept_because: str
    """Why it cannot be erased alone; empty where it can."""


def given_answers(study: Study, answers: Iterable[Answer], hidden: Collection[str]) -> tuple[GivenAnswer, ...]:
    """Return the answers to surveys, in the order of the study; without those to the hidden questions."""
    asked = [(stage.id, question) for stage in study.stages for question in stage.asked if question.id not in hidden]
    prompts = {(stage, question.id): question.prompt for stage, question in asked}
    order = {place: number for number, place in enumerate(prompts)}
    surveys = sorted(
        (one for one in answers if (one.stage, one.item) in prompts), key=lambda one: order[one.stage, one.item]
    )
    return tuple(
        GivenAnswer(
            one.stage,
            one.item,
            prompts[one.stage, one.item],
            one.response,
            _why_kept(study, one.item),
        )
        for one in surveys
    )


def erase_answer(context: StudyContext, unit: UnitOfWork, person: Participant, stage_id: str, item: str) -> None:
    """Erase one answer, and every trace of it in the log.

    Raises:
        NotAllowed: there is no such answer, or the participant's way, allocation or points rest on it.
    """
    study = context.study_of(unit, person)
    found = next((one for one in unit.answers(person.id) if (one.stage, one.item) == (stage_id, item)), None)
    if found is None:
        raise NotAllowed(f"this participant has handed in no answer to '{item}' at '{stage_id}'")
    if found.bank:
        raise NotAllowed("an answer to a quiz counts in the outcome; erase all data of the participant instead")
    why = _why_kept(study, item)
    if why:
        raise NotAllowed(f"the answer to '{item}' cannot be erased alone: {why}; erase all data of the participant")
    unit.drop_answer(person.id, stage_id, item)
    draft = draft_of(unit, person.id, stage_id, 0)
    if item in draft.values:
        left = {name: value for name, value in draft.values.items() if name != item}
        unit.save_draft(person.id, stage_id, 0, Draft(draft.page, left))
    forget(unit, person.id, stage_id, 0, {item})
    unit.record(person.id, stage_id, context.now(), AnswerErased(item=item))


def _why_kept(study: Study, item: str) -> str:
    question = next((q for stage in study.stages for q in stage.questions if q.id == item), None)
    conditions = [stage.when for stage in study.stages]
    conditions += [question.when for stage in study.stages for question in stage.questions]
    if question is not None and question.eligible:
        return "it decided that they may take part"
    if item in study.allocation.variables or item in study.second_decision.rests_on:
        return "their allocation rests on it"
    if any(rests_on(condition, {item}) for condition in conditions):
        return "what they were shown rests on it"
    return ""
