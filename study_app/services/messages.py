"""Messages that researchers show a participant above their pages."""

from __future__ import annotations

from study_app.ports import UnitOfWork


def set_message(unit: UnitOfWork, participant_id: str, text: str) -> None:
    """Show this from now on; an empty text shows nothing."""
    unit.set_meta_value(_key(participant_id), {"text": text})


def message_for(unit: UnitOfWork, participant_id: str) -> str:
    """Return what is shown to a participant; empty for nothing."""
    kept = unit.meta_value(_key(participant_id)) or {}
    return str(kept.get("text", ""))


def _key(participant_id: str) -> str:
    return f"message:{participant_id}"
