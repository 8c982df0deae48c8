"""What a simulation did, and the effect that was really there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
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
    second_treatments: dict[str, Realised] = field(default_factory=dict)
    """Second treatment -> its effect against the first one listed, among people who did not respond."""
    second_within_arms: dict[str, Realised] = field(default_factory=dict)
    """The same among those of one arm, `treatment in arm`."""
    regimes: dict[str, Realised] = field(default_factory=dict)
    """Arm/second treatment -> mean outcomes if everybody were on that regime, which two regimes differ by."""

    def to_json(self) -> dict[str, Any]:
        """As JSON; without what a study with one decision does not have."""
        absent = {name for name in ("second_treatments", "second_within_arms", "regimes") if not getattr(self, name)}
        return {name: value for name, value in asdict(self).items() if name not in absent}

    def lines(self) -> list[str]:
        """For a terminal."""
        arms = ", ".join(f"{arm} {count}" for arm, count in self.arms.items())
        statuses = ", ".join(f"{count} {status}" for status, count in self.statuses.items())
        found = [
            f"{self.participants} simulated participants in {self.seconds:.1f} s: {statuses}",
            f"Allocated: {arms}",
        ]
        found += [f"Realised effect of {arm}: {_said(effect)}" for arm, effect in self.realised.items()]
        found += [
            f"Realised effect of the second treatment {name}, of who did not respond: {_said(effect)}"
            for name, effect in (*self.second_treatments.items(), *self.second_within_arms.items())
        ]
        return found


def _said(effect: Realised) -> str:
    score = "-" if effect.score is None else f"{effect.score:+.2f} points"
    minutes = "-" if effect.minutes is None else f"{effect.minutes:+.2f} minutes"
    return f"{score}, {minutes}"
