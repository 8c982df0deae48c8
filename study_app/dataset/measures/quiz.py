"""Points of the quizzes: an unanswered item of an opened quiz is 0, a quiz never opened is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.domain.quiz.confidence import calibration
from study_app.domain.quiz.items import Bank
from study_app.domain.quiz.scoring import QuizTotal, quiz_total, score
from study_app.domain.records import Answer
from study_app.domain.study.compliance import Evidence
from study_app.domain.study.quiz_confidence import judged_share, judgement_question
from study_app.domain.study.study import Stage


def quizzes(record: ParticipantRecord, content: Content) -> dict[str, Any]:
    """Columns of every quiz under the name of its stage; the main quiz's under `quiz_...` as well."""
    row: dict[str, Any] = {}
    for quiz in record.study.quizzes:
        known = quiz_columns(quiz.stage, record, content)
        row |= {f"{prefix}_{name}": value for prefix in quiz.prefixes for name, value in known.items()}
    return row | _attention(record, content)


def quiz_columns(stage: Stage, record: ParticipantRecord, content: Content) -> dict[str, Any]:
    """Points, max, score and points by type; empty for a quiz that was never opened or still goes on."""
    bank = content.bank(stage.bank)
    if record.visit(stage.id) is None or not record.done_with(stage) or bank is None:
        return {}
    given = _answers(record, stage)
    total = quiz_total(bank.items_of(stage.form or None), {item: answer.points for item, answer in given.items()})
    return total.columns() | _confidence(stage, record, bank, given) | _judgement(stage, record, total)


def _confidence(stage: Stage, record: ParticipantRecord, bank: Bank, given: Mapping[str, Answer]) -> dict[str, Any]:
    """Return how well stated confidence fits the points, over the scored items that have both."""
    if not stage.confidence:
        return {}
    # Attention checks have no points.
    scored = (item for item in bank.items_of(stage.form or None) if item.points)
    answers = ((item, answer) for item in scored if (answer := given.get(item.id)) is not None)
    rated = [
        (answer.confidence, answer.points / item.points)
        for item, answer in answers
        if answer.confidence is not None and answer.points is not None
    ]
    found = calibration(rated)
    return {} if found is None else found.columns()


def _judgement(stage: Stage, record: ParticipantRecord, total: QuizTotal) -> dict[str, Any]:
    """Return the share of the points that the participant expected before the quiz, and by how much it was too high."""
    question = judgement_question(record.study.stages, stage) if stage.judgement else None
    answer = next((a for a in record.answers if question and not a.bank and a.item == question.id), None)
    expected = judged_share(question, answer.response) if question and answer else None
    share = total.columns()["score"]
    return {
        "judgement": expected,
        "judgement_error": None if expected is None or share is None else expected - share,
    }


def _answers(record: ParticipantRecord, stage: Stage) -> dict[str, Answer]:
    return {answer.item: answer for answer in record.answers if answer.bank and answer.stage == stage.id}


def _attention(record: ParticipantRecord, content: Content) -> dict[str, Any]:
    """Attention checks of the opened quizzes, and how many were passed; missing where there are none."""
    passed = [correct for _, _, _, correct in _attention_checks(record, content)]
    return {"attention_passed": sum(passed), "attention_total": len(passed)} if passed else {}


def failed_attention_checks(record: ParticipantRecord, content: Content) -> list[Evidence]:
    """Return one piece of evidence for each of them that was answered wrongly or left out."""
    return [
        Evidence("attention_failed", stage.id, None if answer is None else answer.saved_at, 1, item)
        for stage, item, answer, correct in _attention_checks(record, content)
        if not correct
    ]


def _attention_checks(record: ParticipantRecord, content: Content) -> Iterator[tuple[Stage, str, Answer | None, bool]]:
    """Stage, item, answer where there is one, and whether it is right."""
    for stage in record.quiz_stages:
        bank, keys = content.bank(stage.bank), content.keys(stage.bank)
        if record.visit(stage.id) is None or not record.done_with(stage) or bank is None or keys is None:
            continue
        given = _answers(record, stage)
        for item in bank.items_of(stage.form or None):
            # Of an earlier version that came back from a dataset, items that were dropped since have no key.
            if item.type == "attention_check" and item.id in keys.by_item:
                answer = given.get(item.id)
                response = answer.response if answer is not None else None
                yield stage, item.id, answer, bool(score(item, keys[item.id], response).correct)
