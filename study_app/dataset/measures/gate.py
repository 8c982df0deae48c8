"""Verdicts of the explain-first gate by turn, from the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from study_app.domain.events import Event

GATE_COLUMNS = ("gate", "gate_by", "gate_reason", "withheld_chars")
"""Of the table `turns`."""


def gate_verdicts(events: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """Turn -> its columns on the gate; turns without one are absent."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        turn = str(event.payload.get("turn_id"))
        if event.kind == "gate_judged":
            said = event.payload
            found[turn] = {"gate": said.get("verdict"), "gate_by": said.get("by"), "gate_reason": said.get("reason")}
        elif event.kind == "turn_ended" and "withheld_chars" in event.payload:
            found.setdefault(turn, {})["withheld_chars"] = event.payload["withheld_chars"]
    return found
