"""Rows of the tables on models, from looks and replies as they were kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from study_app.domain.assistants.drift import ModelReply
from study_app.domain.assistants.served_models import ModelLook

_OF_DIGEST = ("treatment", "task", "question", "model", "message", "reply")


def look_rows(looks: Iterable[ModelLook]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `model_looks`."""
    for each in looks:
        yield _filled(asdict(each), "looked_at", "retires_at")


def reply_rows(replies: Iterable[ModelReply]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `model_replies`."""
    for each in replies:
        yield _filled(asdict(each), "asked_at")


def round_digest(replies: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 over what was asked and answered in a round, whatever the order."""
    cells_of = ([each[name] for name in _OF_DIGEST] for each in replies)
    lines = sorted("\x1f".join("" if cell is None else str(cell) for cell in cells) for cells in cells_of)
    return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()


def look_in(values: Mapping[str, Any]) -> ModelLook:
    """Return a look from its row."""
    given: dict[str, Any] = {each.name: _text(values.get(each.name)) for each in fields(ModelLook)}
    return ModelLook(**given | {"max_tokens": values.get("max_tokens")})


def reply_in(values: Mapping[str, Any]) -> ModelReply:
    """Return a reply from its row."""
    given: dict[str, Any] = {each.name: _text(values.get(each.name)) for each in fields(ModelReply)}
    given |= {name: values.get(name) for name in ("input_tokens", "output_tokens")}
    given |= {name: int(values.get(name) or 0) for name in ("round", "question", "words")}
    given |= {name: bool(values.get(name)) for name in ("leak", "refused")}
    given |= {name: float(values.get(name) or 0.0) for name in ("code_share", "seconds", "usd")}
    return ModelReply(**given)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)


def _filled(row: dict[str, Any], *moments: str) -> dict[str, Any]:
    """Return a row with missing cells where nothing is known, and moments as such."""
    found = {name: None if value == "" else value for name, value in row.items()}
    return found | {name: datetime.fromisoformat(str(row[name])) for name in moments if row[name]}
