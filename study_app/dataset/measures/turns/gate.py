"""Verdicts of the explain-first gate by turn, from the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from study_app.domain.events import Event
from study_app.domain.events.server import GateJudged, TurnEnded

GATE_COLUMNS = (
    "gate", "gate_by", "gate_reason", "withheld_chars", "gate_model", "gate_input_tokens", "gate_output_tokens",
)  # fmt: skip
"""Of the table `turns`."""


def verdict_columns(judged: GateJudged) -> dict[str, Any]:
    """Return what a verdict says in the columns of its turn."""
    used = {"gate_input_tokens": judged.input_tokens, "gate_output_tokens": judged.output_tokens}
    said = {"gate": judged.verdict, "gate_by": judged.by, "gate_reason": judged.reason}
    return said | {"gate_model": judged.model} | used


_KINDS = frozenset({GateJudged.kind, TurnEnded.kind})


def gate_verdicts(events: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """Turn -> its columns on the gate; turns without one are absent."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.kind not in _KINDS:
            continue
        match event.details:
            case GateJudged(turn_id=turn) as judged:
                found[turn] = verdict_columns(judged)
            case TurnEnded(turn_id=turn, withheld_chars=int(withheld)):
                found.setdefault(turn, {})["withheld_chars"] = withheld
    return found
