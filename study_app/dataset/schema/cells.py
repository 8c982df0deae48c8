"""Cells: from values to text and back, the same in both directions.

Missing is an empty cell. A text cell that a spreadsheet would take for a formula gets one `'` before it, and so does a
text that begins with `'`, so that taking one away always gives the text back.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from study_app.dataset.schema.columns import Column, ColumnType

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
GUARD_NOTE = (
    "Missing is an empty cell. In text cells one ' stands before a leading = + - @ TAB CR or ', so that spreadsheets "
    "do not run them; take it away to have the text. NUL and lone surrogates, which UTF-8 tables cannot hold, are "
    "U+FFFD."
)
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def guard(value: str) -> str:
    """Return the text as a spreadsheet will not run it."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def unguard(cell: str) -> str:
    """Return the text that `guard` was given."""
    return cell[1:] if cell.startswith("'") else cell


def writable(value: str) -> str:
    """Return the text with U+FFFD for what a UTF-8 table cannot hold: NUL and lone surrogates."""
    return _UNWRITABLE.sub("\ufffd", value)


def timestamp(moment: datetime) -> str:
    """ISO 8601, UTC, milliseconds, Z."""
    there = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{there.isoformat(timespec='milliseconds')[:-6]}Z"


_as_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode
"""Made once: `json.dumps` with these arguments makes an encoder at each call."""


def compact_json(value: Any) -> str:
    """JSON in ASCII with sorted keys and no spaces: every character survives every reader."""
    return _as_json(value)


def cell(column: Column, value: Any) -> str:
    """Return the cell of a value; None is missing.

    Text that is already a cell of JSON passes as it is.
    """
    return "" if value is None else CELL_OF[column.type](value)


def _json_cell(value: Any) -> str:
    return value if isinstance(value, str) else compact_json(value)


def _time_cell(value: Any) -> str:
    return timestamp(value) if isinstance(value, datetime) else str(value)


def _boolean_cell(value: Any) -> str:
    return str(int(value))


def _text_cell(value: Any) -> str:
    text = value if type(value) is str else plain_text(value)
    return _short_text_cell(text) if len(text) <= _SHORT else guard(writable(text))


_SHORT = 40
"""Characters of ids and names, which stand in many rows."""


@lru_cache(maxsize=10_000)
def _short_text_cell(text: str) -> str:
    return guard(writable(text))


def plain_text(value: Any) -> str:
    """Return a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else compact_json(value)


def number_text(value: float) -> str:
    """Return a number in the shortest form that gives it back exactly; whole numbers without a point."""
    if type(value) is int:
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


CELL_OF: Mapping[ColumnType, Callable[[Any], str]] = {
    "text": _text_cell,
    "integer": number_text,
    "number": number_text,
    "boolean": _boolean_cell,
    "time": _time_cell,
    "json": _json_cell,
}
"""How the cell of a value that is not missing is written, by the type of its column."""


def value(column: Column, cell_text: str) -> Any:
    """Return the value of a cell; None where it is empty.

    Raises:
        ValueError: the cell does not hold what the column holds.
    """
    if cell_text == "":
        return None
    if column.type == "json":
        return parsed_json(cell_text)
    if column.type == "time":
        return moment(cell_text)
    if column.type == "boolean":
        if cell_text not in ("0", "1"):
            raise ValueError(cell_text)
        return int(cell_text)
    if column.type == "integer":
        return _integer(cell_text)
    if column.type == "number":
        return _finite(cell_text)
    return unguard(cell_text)


def _integer(cell_text: str) -> int:
    """Return a whole number that a database can hold."""
    number = int(cell_text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{cell_text[:20]}... is out of range")
    return number


def parsed_json(text: str) -> Any:
    """JSON, however deeply nested.

    Raises:
        ValueError: it is none, or nested deeper than can be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def moment(cell_text: str) -> datetime:
    """Return the moment that a cell names.

    Raises:
        ValueError: it names none, or has no time zone.
    """
    parsed = datetime.fromisoformat(cell_text)
    if parsed.tzinfo is None:
        raise ValueError(f"{cell_text} has no time zone")
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{cell_text} is out of range") from None


def _finite(cell_text: str) -> float:
    parsed = float(cell_text)
    if not math.isfinite(parsed):
        raise ValueError(cell_text)
    return parsed


def code_sha256(code: str) -> str:
    """SHA-256 of a program as a dataset holds it."""
    return hashlib.sha256(writable(code).encode()).hexdigest()
