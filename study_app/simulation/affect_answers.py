"""How simulated people answer probes of affect: stated trajectories by arm, with a level of each person's."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from study_app.domain.study.rehearsal.section import ExpectedAffect, along
from study_app.domain.study.task_conditions.probes import CALM, DESPERATE, HIGH, LOW, PROBE_SECONDS
from study_app.services.participant.probing.asking import ProbeAnswer

PERSON_SHARE, MOMENT_SHARE = 0.14, 0.10
"""Standard deviations between people, and between the probes of one person, as shares of a scale's range."""
SECONDS = (4.0, 25.0)
"""In which people answer or skip."""


@dataclass(frozen=True)
class FeltResponse:
    """What a person does with one probe."""

    seconds: float
    answer: ProbeAnswer | None
    """None where it is skipped."""
    lapses: bool = False
    """The person is not there."""


@dataclass(frozen=True)
class FeltCourse:
    """How one person feels along a stage.

    Args:
        expected: of the study.
        arm: the person's; empty before allocation.
        limit: minutes of the stage.
        seed: of the person on the stage.
    """

    expected: ExpectedAffect
    arm: str
    limit: float
    seed: str

    def at(self, minute: float) -> FeltResponse:
        """Return what becomes of the probe of that minute."""
        rng = Random(f"{self.seed}:{minute}")
        drawn, seconds = rng.random(), rng.uniform(*SECONDS)
        if drawn < self.expected.lapses:
            return FeltResponse(PROBE_SECONDS, None, lapses=True)
        if drawn < self.expected.lapses + self.expected.skips:
            return FeltResponse(seconds, None)
        valence = self._value("valence", minute, LOW, HIGH, rng)
        arousal = self._value("arousal", minute, LOW, HIGH, rng)
        desperate = self._value("calm_desperate", minute, CALM, DESPERATE, rng)
        return FeltResponse(seconds, ProbeAnswer(valence, arousal, desperate))

    def _value(self, scale: str, minute: float, low: int, high: int, rng: Random) -> int:
        # Drawn from the same seed each time, and so one level for all probes of a person.
        level = Random(f"{self.seed}:{scale}").gauss(0, PERSON_SHARE * (high - low))
        mean = along(getattr(self.expected, scale), self.arm, minute / self.limit)
        found = mean + level + rng.gauss(0, MOMENT_SHARE * (high - low))
        return min(max(round(found), low), high)
