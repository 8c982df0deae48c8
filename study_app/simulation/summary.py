"""What a simulation did, and the effect that was really there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Realised:
    """An arm's effect among the participants of a simulation: the mean of individual differences, after clipping."""

    score: float | None
    """Points of the main quiz, treated minus control, as the items allow; None without one."""
    minutes: float | None
    """Time outcome, treated minus control; None without main tasks."""


@dataclass(frozen=True)
class SimulationSummary:
    """What a simulation did."""

    participants: int
    seed: int
    arms: dict[str, int]
    """Allocated, by arm."""
    statuses: dict[str, int]
    realised: dict[str, Realised]
    """By arm, the control arm left out."""
    seconds: float
    """That the simulation took."""

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For a terminal."""
        arms = ", ".join(f"{arm} {count}" for arm, count in self.arms.items())
        statuses = ", ".join(f"{count} {status}" for status, count in self.statuses.items())
        found = [
            f"{self.participants} simulated participants in {self.seconds:.1f} s: {statuses}",
            f"Allocated: {arms}",
        ]
        for arm, effect in self.realised.items():
            score = "-" if effect.score is None else f"{effect.score:+.2f} points"
            minutes = "-" if effect.minutes is None else f"{effect.minutes:+.2f} minutes"
            found.append(f"Realised effect of {arm}: {score}, {minutes}")
        return found
