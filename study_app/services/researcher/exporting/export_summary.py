"""What an export holds, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study_app.domain.trial_state import State


@dataclass(frozen=True)
class ExportSummary:
    """What an export holds."""

    path: Path
    state: State
    rows: Mapping[str, int]
    """By table."""
    masked: bool
    """Whether anything is withheld."""
    turn_seconds: Mapping[str, float | int | None]
    """n, median, p90, p99 and p99_9 of the time to the end of a reply; empty while masked."""
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """For people."""
        parts = ", ".join(f"{count} {table}" for table, count in self.rows.items())
        found = [f"{self.path}: {parts}"]
        if self.masked:
            found.append(f"the study is {self.state}: what could tell arms is withheld, see README.md there")
        if self.turn_seconds.get("n"):
            names = {"median": "median", "p90": "90%", "p99": "99%", "p99_9": "99.9%"}
            times = ", ".join(f"{names[key]} {self.turn_seconds[key]:.2f} s" for key in names)
            found.append(f"replies took: {times}")
        return [*found, *(f"warning: {warning}" for warning in self.warnings)]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "path": str(self.path),
            "state": self.state,
            "rows": dict(self.rows),
            "masked": self.masked,
            "turn_seconds": dict(self.turn_seconds),
            "warnings": list(self.warnings),
        }
