"""Evidence on compliance, each piece by itself: reports of other AI, outside pastes, bursts of typing, absences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from study_app.dataset.measures.activity import absences
from study_app.dataset.measures.answers import help_in_quizzes
from study_app.dataset.measures.assistant import reports_of_other_ai
from study_app.dataset.measures.provenance import bursts
from study_app.dataset.measures.quiz import failed_attention_checks
from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.domain.editing.clipboard import SEEN_KINDS, Pasteboard
from study_app.domain.events import Event
from study_app.domain.events.browser import PasteAttempt
from study_app.domain.study.compliance import UNITS, Evidence, broken, threshold

Row = dict[str, Any]


def evidence_of(record: ParticipantRecord, content: Content) -> list[Evidence]:
    """Return everything that the plan's rule may look at, in order of time; of who withdrew their data, nothing.

    On the main tasks: absences by the study's rule, pastes and drops from outside into the editor, bursts of typing.
    In quizzes: pastes from outside into answers, and absences. Anywhere: reports of other AI, and attention checks of
    quizzes that are over.
    """
    at = record.moments
    mine = [pair for pair in zip(at, record.events, strict=True) if pair[1].stage in record.main_ids]
    found = [
        *_reported(record),
        *_pasted(record, at),
        *_typed(mine),
        *_away(record),
        *help_in_quizzes(record, at),
        *failed_attention_checks(record, content),
    ]
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda piece: (piece.at or never, piece.kind, piece.detail))


def _reported(record: ParticipantRecord) -> Iterator[Evidence]:
    for answer, said in reports_of_other_ai(record):
        if said:
            yield Evidence("other_ai_reported", answer.stage, answer.saved_at, 1, answer.item)


def _pasted(record: ParticipantRecord, at: Sequence[float]) -> Iterator[Evidence]:
    pasteboard = Pasteboard()
    for moment, event in zip(at, record.events, strict=True):
        if event.kind not in SEEN_KINDS:
            continue
        pasteboard.feed(event.details)
        if event.stage not in record.main_ids:
            continue
        match event.details:
            case PasteAttempt(target="editor", size=size) as paste if size > 0 and pasteboard.is_foreign(paste):
                yield Evidence("outside_paste", event.stage, _time(moment), size, paste.how or "paste")


def _typed(events: Sequence[tuple[float, Event]]) -> Iterator[Evidence]:
    for moment, stage, characters in bursts(events):
        yield Evidence("typing_burst", stage, _time(moment), characters)


def _away(record: ParticipantRecord) -> Iterator[Evidence]:
    for stage in record.main_stages:
        visit = record.visit(stage.id)
        if visit is None or visit.ended_at is None:
            continue
        for spell in absences(visit, record.study, record.timeline, visit.ended_at):
            began = visit.started_at + timedelta(seconds=spell.start)
            yield Evidence("away", stage.id, began, (spell.end - spell.start) / 60)


def _time(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def evidence_rows(record: ParticipantRecord, evidence: Sequence[Evidence]) -> Iterator[Row]:
    """Rows of the table `compliance`: each piece beside the plan's threshold on the sum of its kind."""
    rule = record.study.analysis.compliance
    over = broken(evidence, rule)
    for number, piece in enumerate(evidence, start=1):
        yield {
            "participant_id": record.participant.id,
            "evidence": number,
            "kind": piece.kind,
            "stage": piece.stage,
            "at": piece.at,
            "amount": piece.amount,
            "unit": UNITS[piece.kind],
            "threshold": threshold(piece.kind, rule),
            "breaks": piece.kind in over,
            "detail": piece.detail or None,
        }
