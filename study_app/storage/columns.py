"""Column types that hold what participants can type and moments exactly, on every database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from study_app.domain.errors import InfrastructureError

_CHANGED = "database: a cell that must hold {} does not; something else than study-app wrote to it: restore a backup"
"""What the cell holds is not reported: it may show an arm."""
_MARK = "\ue000json:"


class AnyText(TypeDecorator[str]):
    """Text with NULs and lone surrogates, which Postgres and UTF-8 refuse: stored as JSON behind a mark."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Python to database."""
        if value is None:
            return None
        # A text that begins with the mark by itself is marked, too, so that reading back never mistakes it.
        if "\x00" in value or value.startswith(_MARK) or not _encodable(value):
            return _MARK + json.dumps(value)
        return value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        """Database to Python."""
        if isinstance(value, str) and value.startswith(_MARK):
            return str(json.loads(value[len(_MARK) :]))
        return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime as whole milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Python to database."""
        # Whole numbers compare and subtract in SQL alike on both databases; SQLite has no type for moments.
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Database to Python."""
        try:
            return None if value is None else datetime.fromtimestamp(value / 1000, UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            raise InfrastructureError(_CHANGED.format("a moment")) from None


_decode = json.JSONDecoder().raw_decode
_as_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
"""Made once: `json.dumps` with these arguments makes an encoder at each call."""


def stored_json(text: Any) -> Any:
    """Return the value of a cell that holds JSON.

    Raises:
        InfrastructureError: it does not.
    """
    try:
        value, end = _decode(text)
        if end == len(text):
            return value
    except (TypeError, ValueError, RecursionError):
        pass  # What stands wrong, `loads` says; it also takes the blanks around a value, for which it looks twice.
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise InfrastructureError(_CHANGED.format("JSON")) from None


class Json(TypeDecorator[Any]):
    """A JSON value as ASCII text, so that every database keeps every character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Python to database."""
        return _as_json(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        """Database to Python."""
        return None if value is None else stored_json(value)


class JsonAsGiven(Json):
    """A JSON value as ASCII text with the keys in the order in which they were given."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Python to database."""
        return json.dumps(value)


class SpacedJson(Json):
    """A JSON value as ASCII text with sorted keys and a space after each comma and colon."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Python to database."""
        return json.dumps(value, sort_keys=True)
