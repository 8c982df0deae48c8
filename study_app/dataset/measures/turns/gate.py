"""Verdicts of the explain-first gate by turn, from the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from study_app.domain.events import Event
from study_app.domain.events.server import GateJudged, TurnEnded

GATE_COLUMNS = ("gate", "gate_by", "gate_reason", "withheld_chars")
"""Of the table `turns`."""


_KINDS = frozenset({GateJudged.kind, TurnEnded.kind})


def gate_verdicts(events: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """Turn -> its columns on the gate; turns without one are absent."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.kind not in _KINDS:
            continue
        match event.details:
            case GateJudged(turn_id=turn) as judged:
                found[turn] = {"gate": judged.verdict, "gate_by": judged.by, "gate_reason": judged.reason}
            case TurnEnded(turn_id=turn, withheld_chars=int(withheld)):
                found.setdefault(turn, {})["withheld_chars"] = withheld
    return found
