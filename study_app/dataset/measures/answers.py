"""How answers were made: what was pasted into each, and how long its participant was away before giving it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from study_app.dataset.measures.activity import absences
from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.editing.clipboard import SEEN_KINDS, Pasteboard
from study_app.domain.events import Event
from study_app.domain.events.browser import AnswerEdit, AnswerLoad, AnswerSet, PasteAttempt
from study_app.domain.events.changes import utf16_length
from study_app.domain.quiz.answer_log import FORM_KINDS
from study_app.domain.quiz.confidence import item_of
from study_app.domain.quiz.items import Item
from study_app.domain.records import Visit
from study_app.domain.study.compliance import Evidence

Key = tuple[str, str]
"""Stage, and item or question."""


def item_columns(item: Item | None) -> dict[str, str | None]:
    """Return what an answer's row says of its item; nothing of a question that is none."""
    if item is None:
        return dict.fromkeys(("type", "concept", "about_task", "family"))
    return {"type": item.type, "concept": item.concept, "about_task": item.task, "family": item.family}


def answer_uses(record: ParticipantRecord) -> dict[Key, dict[str, Any]]:
    """`pasted_chars` and `away_seconds` of every answer on a form whose events are in the log."""
    shown = {event.stage for event in record.events if event.kind == "answers_shown"}
    away = away_by_answer(record)
    pasted = _pasted(record.events)
    return {
        (answer.stage, answer.item): {
            "pasted_chars": pasted.get((answer.stage, answer.item), 0),
            "away_seconds": away.get((answer.stage, answer.item), 0.0),
        }
        for answer in record.answers
        if answer.stage in shown
    }


@dataclass(frozen=True)
class Making:
    """How the answer in one field was made."""

    pasted: int
    """Characters, pasted or dropped."""
    away: float
    """Seconds."""
    began: float | None
    """When it was changed first, in seconds since 1970 by the server's clock; None where it was never changed."""


def making_of(record: ParticipantRecord) -> dict[Key, Making]:
    """Return how every answer was made on a form that a browser showed."""
    shown = {event.stage for event in record.events if event.kind == "answers_shown"}
    away, pasted = away_by_answer(record), _pasted(record.events)
    began: dict[Key, float] = {}
    known: dict[Key, None] = {}
    for moment, event in zip(record.moments, record.events, strict=True):
        if event.kind not in _MAKING:
            continue
        match event.details:
            case AnswerLoad(stage=event.stage, field=name):
                known[event.stage, name] = None
        key = _changed(event)
        if key is not None:
            known[key] = None
            began.setdefault(key, moment)
    return {key: Making(pasted.get(key, 0), away.get(key, 0.0), began.get(key)) for key in known if key[0] in shown}


def _pasted(events: Sequence[Event]) -> dict[Key, int]:
    found: dict[Key, int] = defaultdict(int)
    for event in events:
        if event.kind not in _CHANGING:
            continue
        key = _changed(event)
        match event.details:
            case AnswerEdit(how="paste" | "drop", changes=changes) if key is not None:
                found[key] += sum(utf16_length(change.insert) for change in changes)
    return found


_CHANGING = frozenset({AnswerSet.kind, AnswerEdit.kind})
"""Kinds of events that change an answer."""
_MAKING = _CHANGING | {AnswerLoad.kind}


def _changed(event: Event) -> Key | None:
    """Return the answer that an event changes."""
    if event.kind not in _CHANGING:
        return None
    match event.details:
        # A dotted name in a pattern is a value to compare with: the change must be of the stage that the event is
        # stored under.
        case AnswerSet(stage=event.stage, field=name) | AnswerEdit(stage=event.stage, field=name):
            return event.stage, item_of(name)
    return None


def away_by_answer(record: ParticipantRecord) -> dict[Key, float]:
    """Seconds away by answer: a spell belongs to the answer that is changed next, else to the one changed last."""
    found: dict[Key, float] = defaultdict(float)
    pairs = zip(record.moments, record.events, strict=True)
    changing = ((moment, _changed(event)) for moment, event in pairs if event.kind in _CHANGING)
    every = [(moment, key) for moment, key in changing if key is not None]
    for visit in _forms(record):
        start = visit.started_at.timestamp()
        changes = sorted((moment - start, key) for moment, key in every if key[0] == visit.stage)
        for spell in absences(visit, record.study, record.timeline, _until(visit, record.events)):
            after = next((key for moment, key in changes if moment >= spell.end), None)
            before = next((key for moment, key in reversed(changes) if moment <= spell.end), None)
            key = after or before
            if key is not None:
                found[key] += spell.end - spell.start
    return found


def _forms(record: ParticipantRecord) -> Iterator[Visit]:
    kinds = {stage.id: stage.kind for stage in record.study.stages}
    for visit in record.visits:
        if kinds.get(visit.stage) in FORM_KINDS:
            yield visit


def _until(visit: Visit, events: Sequence[Event]) -> datetime:
    """Return the end of a visit; of one that goes on, its last event."""
    if visit.ended_at is not None:
        return visit.ended_at
    return max((event.server_time for event in events if event.stage == visit.stage), default=visit.started_at)


# -- evidence of help from outside in quizzes --------------------------------------------------------------------------


def help_in_quizzes(record: ParticipantRecord, at: Sequence[float]) -> Iterator[Evidence]:
    """Pastes from outside into answers of quizzes, and absences while one was taken."""
    quizzes = {stage.id for stage in record.quiz_stages}
    pasteboard = Pasteboard()
    for moment, event in zip(at, record.events, strict=True):
        if event.kind not in SEEN_KINDS:
            continue
        pasteboard.feed(event.details)
        if event.stage not in quizzes:
            continue
        match event.details:
            case PasteAttempt(target="answer") as paste if pasteboard.is_foreign(paste):
                at_moment = datetime.fromtimestamp(moment, UTC)
                yield Evidence("answer_paste", event.stage, at_moment, paste.size, paste.field or "")
    for visit in record.visits:
        if visit.stage in quizzes and visit.ended_at is not None:
            for spell in absences(visit, record.study, record.timeline, visit.ended_at):
                began = visit.started_at + timedelta(seconds=spell.start)
                yield Evidence("quiz_away", visit.stage, began, (spell.end - spell.start) / 60)
