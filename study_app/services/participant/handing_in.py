"""Handing a form in: what stands in its fields becomes the answers, what was emptied leaves the log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from study_app.domain.drawn_order import drawn
from study_app.domain.events import FIELD_KINDS, saying
from study_app.domain.events.browser import OnForm
from study_app.domain.events.server import AnswersHandedIn
from study_app.domain.quiz.answer_log import CHANGE_KINDS, Draft
from study_app.domain.quiz.answering import Unanswerable, answer_to, is_blank, response_to
from study_app.domain.quiz.confidence import confidence_at, confidence_field
from study_app.domain.quiz.items import Bank, Item
from study_app.domain.records import Answer, EndedBy
from study_app.domain.study.sections import Question, Stage
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.interviewing.state import interview_at
from study_app.services.participant.interviewing.turns import keep_page
from study_app.services.position import AtStage

log = logging.getLogger(__name__)

# -- drafts ------------------------------------------------------------------------------------------------------------


def draft_of(unit: UnitOfWork, participant_id: str, stage: str, step: int) -> Draft:
    """Return what stands in the fields of a form by the events stored so far."""
    return unit.draft(participant_id, stage, step) or Draft()


# -- the form at a place -----------------------------------------------------------------------------------------------


def bank_of(context: StudyContext, place: AtStage) -> Bank:
    """Return the item bank of the quiz at which the participant is."""
    bank: Bank = context.content_of(place.participant).bank(place.stage.bank)
    return bank


def pages_of(context: StudyContext, place: AtStage) -> tuple[tuple[Item, ...], ...]:
    """Return the pages of the quiz at which the participant is."""
    pages = bank_of(context, place).pages_of(place.stage.form or None)
    if not place.stage.shuffle:
        return pages
    person = place.participant.id
    return tuple(drawn(page, person, f"{place.stage.id}:{number}") for number, page in enumerate(pages))


def items_drawn(context: StudyContext, place: AtStage) -> dict[str, list[str]]:
    """Return the items of a quiz in the order drawn for the participant; empty where none is drawn."""
    if place.stage.kind != "quiz" or not place.stage.shuffle:
        return {}
    return {"items": [item.id for page in pages_of(context, place) for item in page]}


def past_last_page(context: StudyContext, place: AtStage) -> bool:
    """Whether a quiz has no page where the participant is: versions before this one reopened some beyond the last."""
    step = place.participant.step
    return place.stage.kind == "quiz" and step > 0 and step >= len(pages_of(context, place))


def fields_of(context: StudyContext, place: AtStage) -> tuple[str, ...]:
    """Ids of the questions or items on the page at which the participant is."""
    if place.stage.kind == "quiz":
        return tuple(item.id for item in pages_of(context, place)[place.participant.step])
    return tuple(question.id for question in place.stage.asked)


def shown_fields(context: StudyContext, place: AtStage) -> tuple[str, ...]:
    """Return every field on the page: those of `fields_of`, and of a quiz the confidence beside each where asked."""
    names = fields_of(context, place)
    return (*names, *map(confidence_field, names)) if place.stage.confidence else names


def more_pages(context: StudyContext, unit: UnitOfWork, place: AtStage) -> bool:
    """Return whether a page of the quiz, or of the interview, follows."""
    if place.stage.kind == "interview":
        return interview_at(context, unit, place).question(place.participant.step) is not None
    return place.stage.kind == "quiz" and place.participant.step + 1 < len(pages_of(context, place))


# -- handing in --------------------------------------------------------------------------------------------------------


def hand_in(
    context: StudyContext, unit: UnitOfWork, place: AtStage, shown: Mapping[str, Any], by: EndedBy = "participant"
) -> None:
    """Keep what stands in the fields of the page as its answers; a second time, after late events, anew.

    What is not an answer to its question (possible at a deadline only) is left out; the log has it.
    """
    stage, participant = place.stage, place.participant
    if stage.kind == "interview":
        fields, blank = keep_page(context, unit, place, shown, by)
        forget(unit, participant.id, stage.id, participant.step, blank)
        note_handed_in(unit, place, fields, by)
        return
    changes = _changes(unit, participant.id, stage.id, participant.step)
    if stage.kind == "quiz":
        blank = _keep_responses(context, unit, place, shown, changes)
    else:
        blank = _keep_answers(unit, place, shown, changes)
    forget(unit, participant.id, stage.id, participant.step, blank)
    note_handed_in(unit, place, fields_of(context, place), by)


def note_handed_in(unit: UnitOfWork, place: AtStage, fields: tuple[str, ...], by: EndedBy) -> None:
    """Record that the page at which the participant is was handed in."""
    answered = AnswersHandedIn(items=fields, page=place.participant.step, by=by)
    unit.record(place.participant.id, place.stage.id, place.now, answered)


def failed_screeners(stage: Stage, shown: Mapping[str, Any]) -> list[str]:
    """Questions of an eligibility form whose answers do not let the person in."""
    if stage.kind != "eligibility":
        return []
    return [q.id for q in stage.asked if not q.lets_in(_or_none(answer_to, q, shown.get(q.id)))]


def _keep_responses(
    context: StudyContext, unit: UnitOfWork, place: AtStage, shown: Mapping[str, Any], changes: Counter[str]
) -> frozenset[str]:
    bank, seconds = bank_of(context, place), _seconds_on_page(context, unit, place)
    blank = set()
    for item in pages_of(context, place)[place.participant.step]:
        response = _or_none(response_to, item, shown.get(item.id))
        if response is None and is_blank(shown.get(item.id)):
            blank.add(item.id)
        stated = confidence_field(item.id)
        if place.stage.confidence and is_blank(shown.get(stated)):
            blank.add(stated)
        unit.save_answer(
            Answer(
                place.participant.id,
                place.stage.id,
                item.id,
                response,
                bank=bank.id,
                form=bank.form(place.stage.form or None).id,
                max_points=item.points,
                seconds=seconds,
                confidence=None if response is None else confidence_at(place.stage, item.id, shown),
                changes=0 if response is None else changes[item.id],
                saved_at=place.now,
            )
        )
    return frozenset(blank)


def _keep_answers(unit: UnitOfWork, place: AtStage, shown: Mapping[str, Any], changes: Counter[str]) -> frozenset[str]:
    blank = set()
    for question in place.stage.asked:
        answer = _or_none(answer_to, question, shown.get(question.id))
        if answer is not None:
            unit.save_answer(survey_answer(place, question, answer, changes[question.id]))
            continue
        # Handed in anew after late events: an answer that these have emptied must not stay.
        unit.drop_answer(place.participant.id, place.stage.id, question.id)
        if is_blank(shown.get(question.id)):
            blank.add(question.id)
    return frozenset(blank)


def survey_answer(place: AtStage, question: Question, answer: Any, changes: int = 0) -> Answer:
    """Return the row of an answer to a survey's question."""
    points = None if question.correct is None else float(answer == question.correct)
    return Answer(
        place.participant.id,
        place.stage.id,
        question.id,
        answer,
        points=points,
        max_points=None if points is None else 1.0,
        scored_by=None if points is None else "key",
        changes=changes,
        saved_at=place.now,
    )


def _or_none(read: Any, asked: Any, shown: Any) -> Any:
    try:
        return read(asked, shown)
    except Unanswerable as problem:
        log.info("%s: %s; the answer is left out", asked.id, problem)
        return None


def _seconds_on_page(context: StudyContext, unit: UnitOfWork, place: AtStage) -> float | None:
    """Since the page before was submitted, or the quiz was opened."""
    visit = unit.visit(place.participant.id, place.stage.id)
    here = set(fields_of(context, place))
    earlier = [
        answer.saved_at
        for answer in unit.answers(place.participant.id)
        # Without this page's own answers: handed in anew after late events, it has been saved once already.
        if answer.stage == place.stage.id and answer.item not in here and answer.saved_at
    ]
    start = max(earlier, default=visit.started_at if visit else place.now)
    return (place.now - start).total_seconds()


def _changes(unit: UnitOfWork, participant_id: str, stage: str, step: int) -> Counter[str]:
    """Return how often each field of the page was changed."""
    events = unit.events_of(participant_id, CHANGE_KINDS, stage)
    return Counter(str(each.field) for _, each in saying(events, OnForm) if each.place == (stage, step))


# -- erasure -----------------------------------------------------------------------------------------------------------


def forget(unit: UnitOfWork, participant_id: str, stage: str, step: int, fields: Collection[str]) -> None:
    """Erase every trace of these fields in the log: they were empty when the form was handed in."""
    if not fields:
        return
    traces = unit.events_of(participant_id, FIELD_KINDS, stage)
    places = ((event.event_id, each) for event, each in saying(traces, OnForm))
    gone = [event_id for event_id, each in places if each.place == (stage, step) and each.field in fields]
    unit.erase_events([event_id for event_id in gone if event_id is not None])
