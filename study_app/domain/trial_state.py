"""The states of a trial's life, and the one rule about whose arms may be seen in each."""

from __future__ import annotations

from typing import Literal

State = Literal["draft", "launched", "closed", "unsealed"]
SEALED: tuple[State, ...] = ("launched", "closed")
"""States in which nothing may tell the arm of a real participant."""


def hides_arms(state: str, kind: str) -> bool:
    """Return whether the arm of such a participant is hidden: of a real one from launch until the trial is unsealed."""
    return kind == "real" and state in SEALED
