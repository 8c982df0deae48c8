"""Rows of every table but participants, from what the database holds of one participant."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from study_app.domain.dataset import compact_json
from study_app.domain.errors import InfrastructureError
from study_app.domain.events import Event
from study_app.domain.items import Item
from study_app.domain.participant import Answer, RunRecord, Turn
from study_app.domain.timing import TimeUse
from study_app.services.measures import Content, Dossier
from study_app.services.measures_styles import Codes
from study_app.services.measures_tasks import program_error

Row = dict[str, Any]


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Rows that only somebody else than study-app can have written stop an export with their place, not their content.

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


def visits(dossier: Dossier, use: dict[str, TimeUse]) -> Iterator[Row]:
    """Stages in the order in which they were opened."""
    for visit in dossier.visits:
        spent = use.get(visit.stage)
        known = {} if spent is None else {"active_seconds": spent.active, "away_seconds": spent.away}
        yield asdict(visit) | known


def events(dossier: Dossier) -> Iterator[Row]:
    """The log in the order of storing."""
    return (_event(event) for event in dossier.events)


def _event(event: Event) -> Row:
    milliseconds = event.client_time_ms
    return {
        "participant_id": event.participant_id,
        "event_id": event.event_id,
        "page": event.page,
        "seq": event.seq,
        "kind": event.kind,
        "stage": event.stage,
        "server_time": event.server_time,
        "client_time": None if milliseconds is None else _moment(milliseconds),
        "payload": compact_json(event.payload),
        "mono_ms": event.mono_ms,
    }


def _moment(milliseconds: float) -> datetime | None:
    """A browser's clock may say anything."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


_VERDICT = ("name", "visible", "passed")


def runs(dossier: Dossier) -> Iterator[Row]:
    """Runs and submissions in order of their start."""
    return (_run(run) for run in dossier.runs)


def _run(run: RunRecord) -> Row:
    row = asdict(run) | {"run_id": run.id, "error_type": program_error(run)}
    return row | {"checks": compact_json([{key: c[key] for key in _VERDICT} for c in json.loads(run.checks)])}


def turns(dossier: Dossier, codes: Codes, replies: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """Turns in order of asking, with their codes and what became of each reply (`measures_origin.reply_uses`)."""
    return (_turn(turn, codes.get(turn.id)) | dict(replies.get(turn.id, {})) for turn in dossier.turns)


def _turn(turn: Turn, codes: tuple[str, ...] | None) -> Row:
    row = asdict(turn) | {"turn_id": turn.id, "codes": None if codes is None else ";".join(codes)}
    return row | {"parameters": compact_json(json.loads(turn.parameters))}


def answers(dossier: Dossier, content: Content) -> Iterator[Row]:
    """Answers in the order in which they were first given."""
    items = {stage.id: _items(content, stage.bank) for stage in dossier.quiz_stages}
    for answer in dossier.answers:
        yield _answer(answer, items.get(answer.stage, {}).get(answer.item))


def _items(content: Content, folder: str) -> dict[str, Item]:
    bank = content.bank(folder)
    return {} if bank is None else {item.id: item for item in bank.items}


def _answer(answer: Answer, item: Item | None) -> Row:
    known = {} if item is None else {"type": item.type, "concept": item.concept}
    return asdict(answer) | known | {"response": json.loads(answer.response)}
