"""The rows of `interviews` and `interview_turns`, and the columns of participants that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from study_app.dataset.measures.answers import Making, making_of
from study_app.dataset.measures.interviews.history import AskedQuestion, Held, interviews_of
from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.events.server import InterviewAsked
from study_app.domain.interviews.quality import Said, quality_of
from study_app.domain.interviews.wording import word_count
from study_app.domain.study.interviewing.placement import SHARED

Row = dict[str, Any]


def turn_field(number: int) -> str:
    """Return the name of the field in which the answer to a question is written; the number is from 1."""
    return f"turn_{number}"


def interview_rows(record: ParticipantRecord, topics: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of `interviews`; `topics` are those that have a column."""
    making = making_of(record)
    for held in interviews_of(record.events):
        yield _interview(record, held, making) | _quality(held, topics)


def _interview(record: ParticipantRecord, held: Held, making: Mapping[tuple[str, str], Making]) -> Row:
    closed, rated = held.ending, held.rated
    visit = record.visit(held.stage)
    return {
        "interview_id": held.id,
        "participant_id": record.participant.id,
        "stage": held.stage,
        "plan": held.first.plan,
        "plan_version": held.first.plan_version,
        "language": held.first.language,
        "started_at": held.started_at,
        "ended_at": held.ended_at or (visit.ended_at if visit is not None else None),
        "ended_by": closed.ended_by if closed is not None else None,
        "turns": len(held.questions),
        "words": sum(word_count(question.answer) for question in held.questions),
        "skipped": sum(question.outcome == "skipped" for question in held.questions),
        "summary": closed.summary if closed is not None else None,
        "summary_by": closed.summary_by if closed is not None else None,
        "summary_rating": rated.rating if rated is not None else None,
        "missing": rated.missing if rated is not None else None,
        "pasted_chars": _pasted(held, making),
        "shared": shares(record, held.stage),
    }


def _pasted(held: Held, making: Mapping[tuple[str, str], Making]) -> int | None:
    """Return characters pasted into all answers; None where no browser showed any."""
    found = [making.get((held.stage, turn_field(question.asked.number))) for question in held.questions]
    known = [each.pasted for each in found if each is not None]
    return sum(known) if known else None


def shares(record: ParticipantRecord, stage: str) -> bool | None:
    """Return whether a participant lets the words of an interview leave; None where the study does not ask."""
    asked = next((each.sharing for each in record.study.stages if each.id == stage), "")
    given = next((each.response for each in record.answers if not each.bank and each.item == asked), None)
    return None if not asked else given == SHARED


def _quality(held: Held, topics: tuple[str, ...]) -> Row:
    return {
        f"quality_{topic}": quality_of(
            [Said(each.outcome, each.answer) for each in held.questions if each.asked.topic == topic],
            held.first.language,
        )
        for topic in topics
    }


def turn_rows(record: ParticipantRecord) -> Iterator[Row]:
    """Yield the rows of `interview_turns`."""
    making = making_of(record)
    for held in interviews_of(record.events):
        for question in held.questions:
            key = (held.stage, turn_field(question.asked.number))
            yield _turn(record, question) | _made(question, making.get(key))


def _turn(record: ParticipantRecord, question: AskedQuestion) -> Row:
    said = question.asked
    answered = question.answer.strip() != ""
    return {
        "turn_id": said.turn_id,
        "interview_id": said.interview_id,
        "participant_id": record.participant.id,
        "number": said.number,
        "topic": said.topic,
        "action": said.action,
        "question": said.question,
        "answer": question.answer if answered else None,
        "outcome": question.outcome or None,
        "asked_at": question.asked_at,
        "answered_at": question.answered_at,
        "words": word_count(question.answer) if answered else None,
        "asked_by": said.by,
        **_model(said),
    }


def _model(said: InterviewAsked) -> Row:
    return {
        "model": said.model,
        "prompt_version": said.prompt_version,
        "input_tokens": said.input_tokens,
        "output_tokens": said.output_tokens,
        "stop_reason": said.stop_reason,
        "rule_broken": ";".join(said.rule_broken) if said.rule_broken else None,
        "error": said.error,
    }


def _made(question: AskedQuestion, making: Making | None) -> Row:
    if making is None or question.answered_at is None:
        return {}
    began = making.began
    return {
        "pasted_chars": making.pasted,
        "away_seconds": making.away,
        "composing_seconds": None if began is None else max(0.0, round(question.answered_at.timestamp() - began, 3)),
    }


def interview_columns(record: ParticipantRecord) -> Row:
    """Return the columns of a participant; empty for those who began none."""
    held = interviews_of(record.events)
    if not held:
        return {}
    questions = [question for each in held for question in each.questions]
    return {
        "interview_turns": len(questions),
        "interview_words": sum(word_count(question.answer) for question in questions),
    }
