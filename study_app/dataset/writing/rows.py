"""Rows of every table but participants, from what the database holds of one participant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from study_app.dataset.integrity.stored_rows import answer_row, event_row, run_row, turn_row, visit_row
from study_app.dataset.measures.answers import answer_uses, item_columns
from study_app.dataset.measures.interaction import Codes
from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.dataset.measures.turns.acting import turn_columns
from study_app.dataset.measures.turns.gate import gate_verdicts
from study_app.domain.assistants.recording import match_of
from study_app.domain.errors import InfrastructureError
from study_app.domain.quiz.items import Item
from study_app.domain.records import Turn
from study_app.domain.timing import TimeUse

Row = dict[str, Any]


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Rows that study-app cannot have written stop an export with their place, not their content.

    Raises:
        InfrastructureError: the database holds such a row.
    """
    try:
        yield
    except (ValueError, KeyError) as error:
        raise InfrastructureError(
            f"database: {what}: holds a row that cannot be read ({type(error).__name__}); something else than "
            "study-app wrote to it: study doctor checks the ledgers; restore a backup"
        ) from error


def visits(record: ParticipantRecord, use: dict[str, TimeUse]) -> Iterator[Row]:
    """Stages in the order in which they were opened."""
    for visit in record.visits:
        spent = use.get(visit.stage)
        known = {} if spent is None else {"active_seconds": spent.active, "away_seconds": spent.away}
        yield visit_row(visit) | known | {"paused_seconds": record.paused(visit)}


def events(record: ParticipantRecord) -> Iterator[Row]:
    """Return the log in the order of storing."""
    return map(event_row, record.events)


def runs(record: ParticipantRecord, classes: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """Return runs and submissions in order of their start; `classes` come from `hacks.run_columns`."""
    return (run_row(run) | dict(classes.get(run.id, {})) for run in record.runs)


def turns(
    record: ParticipantRecord, codes: Codes, replies: Mapping[str, Mapping[str, Any]], *, acts: bool = False
) -> Iterator[Row]:
    """Return turns in order of asking, with their codes and what became of each reply.

    The latter comes from `provenance.reply_uses`.
    """
    gates = gate_verdicts(record.events)
    acted = turn_columns(record.events) if acts else {}
    for turn in record.turns:
        row = _turn(turn, codes.get(turn.id)) | dict(replies.get(turn.id, {})) | gates.get(turn.id, {})
        yield row | (acted.get(turn.id, {}) if acts else {})


def _turn(turn: Turn, codes: tuple[str, ...] | None) -> Row:
    said = {"codes": None if codes is None else ";".join(codes), "persona": turn.parameters.get("persona")}
    match = match_of(turn.parameters) if turn.assistant == "recorded" else None
    return turn_row(turn) | said | {"recorded_match": match}


def answers(record: ParticipantRecord, content: Content) -> Iterator[Row]:
    """Answers in the order in which they were first given."""
    items = {stage.id: _items(content, stage.bank) for stage in record.quiz_stages}
    made = answer_uses(record)
    for answer in record.answers:
        row = answer_row(answer) | item_columns(items.get(answer.stage, {}).get(answer.item))
        yield row | made.get((answer.stage, answer.item), {})


def _items(content: Content, folder: str) -> dict[str, Item]:
    bank = content.bank(folder)
    return {} if bank is None else {item.id: item for item in bank.items}
