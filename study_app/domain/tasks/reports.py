"""The border between a child process and the platform: any bytes in, domain types or one typed error out.

A child runs a participant's program, so whatever it reports may have been written by that program. Nothing it sends is
used before it has passed through here: sizes, numbers, texts and nesting are bounded, and what does not fit is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from study_app.domain.tasks.sentences import sentence
from study_app.domain.tasks.values import Opaque, decode

REPORT_BYTES = 64_000
"""Bytes of a report that are read, unless the reference solution's own is larger."""
LONGEST_NAME, LONGEST_MESSAGE, LONGEST_LINE = 100, 2000, 2000
_MOST_LINES = 5000
_HIGHEST_LINE_NUMBER = 1_000_000
_LONGEST_SECONDS = 1e6
_MOST_NAMES = 200


class ReportError(ValueError):
    """What a child sent is not a report; the message says why."""


@dataclass(frozen=True)
class ReportedError:
    """The exception that ended a program, as it reports it."""

    type: str
    message: str
    line: int | None
    """In the participant's file, from 1."""


@dataclass(frozen=True)
class ReportedCall:
    """What a graded call did, as the child reports it."""

    nonce: str
    value: Any = None
    lines: tuple[tuple[float, str], ...] | None = None
    """Virtual seconds and text of each printed line; None in real time."""
    seconds: float | None = None
    longest_step: float = 0.0
    blocked_seconds: float = 0.0
    threads: int = 0
    clock_reads: int = 0
    error: str | None = None
    raised: ReportedError | None = None
    """The exception that the call let out; of one call of a series."""
    used: frozenset[str] = frozenset()
    """Of the names asked about, those that were called."""
    imports: tuple[str, ...] = ()
    """Modules that the program's text imports; from a child that only reads it."""
    valid: bool = True
    """Whether the text is valid Python; from such a child."""


@dataclass(frozen=True)
class ChildReport:
    """A whole report."""

    error: ReportedError | None = None
    call: Mapping[str, Any] | None = None
    """The part about a graded call, still JSON; `parse_call` reads it."""
    size: int = 0
    raw: Mapping[str, Any] = field(default_factory=dict)


def parse_report(data: bytes, cap: int = REPORT_BYTES) -> ChildReport:
    """Read a child's report.

    Args:
        data: what came through its pipe.
        cap: the most bytes that are read.

    Raises:
        ReportError: it is too long, or not a report.
    """
    if len(data) > cap:
        raise ReportError(sentence("too_large", limit=cap // 1000))
    try:
        report = json.loads(data)
    except (ValueError, RecursionError, MemoryError):
        raise ReportError("the report is not JSON") from None
    if not isinstance(report, dict):
        raise ReportError("the report is not a JSON object")
    call = report.get("observation")
    return ChildReport(_error(report.get("error")), call if isinstance(call, dict) else None, len(data), report)


def parse_call(call: Mapping[str, Any]) -> ReportedCall:
    """Read the part of a report that is about a graded call.

    Raises:
        ReportError: it is not such a part.
    """
    nonce = call.get("nonce")
    if not isinstance(nonce, str):
        raise ReportError("the report names no call")
    return ReportedCall(
        nonce=nonce[:LONGEST_NAME],
        value=_decoded(call.get("value")),
        lines=_lines(call.get("lines")),
        seconds=_seconds(call.get("seconds")),
        longest_step=_seconds(call.get("longest_step")) or 0.0,
        blocked_seconds=_seconds(call.get("blocked_seconds")) or 0.0,
        threads=_count(call.get("threads")),
        clock_reads=_count(call.get("clock_reads")),
        error=_bounded_text(call.get("error"), LONGEST_NAME),
        raised=_error(call.get("raised")),
        used=frozenset(_names(call.get("used"))),
        imports=_names(call.get("imports")),
        valid=call.get("valid") is not False,
    )


def parse_series(call: Mapping[str, Any], most: int) -> tuple[ReportedCall, ...] | None:
    """Read the part of a report that is about a series of calls; None where it is about something else.

    Args:
        call: the part.
        most: how many calls were asked for; the report may end before the last.

    Raises:
        ReportError: it is not such a part.
    """
    series = call.get("series")
    if series is None:
        return None
    if not isinstance(series, list) or len(series) > most or not all(isinstance(one, dict) for one in series):
        raise ReportError("the report of a series of calls is not a list of them")
    return tuple(parse_call(one) for one in series)


def _error(value: Any) -> ReportedError | None:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return None
    line = value.get("line")
    # A program can raise SyntaxError with any number as its line.
    valid = isinstance(line, int) and not isinstance(line, bool) and 1 <= line <= _HIGHEST_LINE_NUMBER
    message = _bounded_text(value.get("message"), LONGEST_MESSAGE)
    return ReportedError(value["type"][:LONGEST_NAME], message or "", line if valid else None)


def _decoded(encoded: Any) -> Any:
    try:
        return decode(encoded)
    except (RecursionError, MemoryError):
        return Opaque("too deep")


def _lines(rows: Any) -> tuple[tuple[float, str], ...] | None:
    if not isinstance(rows, list):
        return None
    lines = []
    for row in rows[:_MOST_LINES]:
        if not isinstance(row, list) or len(row) != 2:
            raise ReportError("the report's lines are not pairs of a moment and a text")
        moment, text = _seconds(row[0]), _bounded_text(row[1], LONGEST_LINE)
        if moment is None or text is None:
            raise ReportError("the report's lines are not pairs of a moment and a text")
        lines.append((moment, text))
    return tuple(lines)


def _seconds(value: Any) -> float | None:
    """Return a duration within bounds; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    # Comparing before converting: an integer may be beyond every float.
    return float(min(max(value, -_LONGEST_SECONDS), _LONGEST_SECONDS))


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(value, 0), 1_000_000)


def _bounded_text(value: Any, longest: int) -> str | None:
    return value[:longest] if isinstance(value, str) else None


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(name[:LONGEST_NAME] for name in value[:_MOST_NAMES] if isinstance(name, str))
