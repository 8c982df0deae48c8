"""What a page of an interview hands in: the answer to its question, or the rating of the summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study_app.dataset.measures.interviews.rows import turn_field
from study_app.domain.errors import NotAllowed
from study_app.domain.events.server import InterviewAnswered, InterviewClosed, InterviewRated
from study_app.domain.events.words import AnswerOutcome
from study_app.domain.interviews.distress import may_show_distress, shows_distress
from study_app.domain.interviews.machine import DISTRESS_POSSIBLE, DISTRESS_SEEN
from study_app.domain.quiz.answering import LONGEST_TEXT, is_blank
from study_app.domain.records import AuditEntry, EndedBy
from study_app.domain.sentences import REFUSALS
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.interviewing.state import (
    HIGHEST_RATING,
    MISSING,
    RATING,
    Interview,
    interview_at,
)
from study_app.services.position import AtStage


def keep_page(
    context: StudyContext, unit: UnitOfWork, place: AtStage, shown: Mapping[str, Any], by: EndedBy
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Keep what stands on the page; return its fields, and those of them that were left blank.

    A second time, after late events, anew.

    Raises:
        NotAllowed: the next question is not there yet.
    """
    interview = interview_at(context, unit, place)
    step = place.participant.step
    if interview.question(step) is None:
        if by == "participant" and not interview.closed:
            # Handed in before the next question is there: no page of ours does so.
            raise NotAllowed(REFUSALS("not_open"))
        return _rating(unit, place, interview, shown, by)
    name = turn_field(step + 1)
    given = _words(shown.get(name))
    keep_answer(unit, place, interview, "deadline" if by == "deadline" else "answered", given)
    if by == "deadline":
        _close_at_deadline(unit, place, interview, given)
    return (name,), frozenset() if given else frozenset({name})


def keep_answer(unit: UnitOfWork, place: AtStage, interview: Interview, outcome: AnswerOutcome, given: str) -> None:
    """Record what became of the question on the participant's page."""
    question = interview.question(place.participant.step)
    if question is not None:
        kept = InterviewAnswered(turn_id=question.asked.turn_id, outcome=outcome, answer=given or None)
        unit.record(place.participant.id, place.stage.id, place.now, kept)
        words = interview.standing.distress_words
        if not shows_distress(given, words) and may_show_distress(given):
            note_possible_distress(unit, place, question.asked.turn_id)


def _rating(
    unit: UnitOfWork, place: AtStage, interview: Interview, shown: Mapping[str, Any], by: EndedBy
) -> tuple[tuple[str, ...], frozenset[str]]:
    held = interview.held
    if held is None:
        return (), frozenset()
    if held.closed is None:
        _close_at_deadline(unit, place, interview, "")
        return (), frozenset()
    if not interview.shows_summary():
        return (), frozenset()
    rating, missing = shown.get(RATING), _words(shown.get(MISSING))
    valid = isinstance(rating, int) and not isinstance(rating, bool) and 1 <= rating <= HIGHEST_RATING
    if valid or missing:
        rated = InterviewRated(interview_id=held.id, rating=rating if valid else None, missing=missing or None)
        unit.record(place.participant.id, place.stage.id, place.now, rated)
    blank = {name for name, value in ((RATING, rating if valid else None), (MISSING, missing)) if is_blank(value)}
    return (RATING, MISSING), frozenset(blank)


def _words(value: Any) -> str:
    return value.strip()[:LONGEST_TEXT] if isinstance(value, str) else ""


def _close_at_deadline(unit: UnitOfWork, place: AtStage, interview: Interview, given: str) -> None:
    held = interview.held
    if held is None or held.closed is not None:
        return
    ended_by = "distress" if shows_distress(given, interview.standing.distress_words) else "deadline"
    closed = InterviewClosed(interview_id=held.id, ended_by=ended_by)
    unit.record(place.participant.id, place.stage.id, place.now, closed)
    if ended_by == "distress":
        note_distress(unit, place)


def note_distress(unit: UnitOfWork, place: AtStage) -> None:
    """Tell researchers that a participant may need help: on the console's audit page, and as an alert."""
    who = place.participant
    if who.kind != "simulated":
        unit.add_audit(AuditEntry(place.now, "platform", DISTRESS_SEEN, "", {"participant_id": who.id}))


def note_possible_distress(unit: UnitOfWork, place: AtStage, turn_id: str) -> None:
    """Ask researchers to read an answer whose words may be of distress; the interview goes on.

    Once for each question: what arrives late hands its answer in again.
    """
    who, noted = place.participant, {"participant_id": place.participant.id, "turn_id": turn_id}
    if who.kind != "simulated" and all(entry.detail != noted for entry in unit.audit_of([DISTRESS_POSSIBLE])):
        unit.add_audit(AuditEntry(place.now, "platform", DISTRESS_POSSIBLE, "", noted))
