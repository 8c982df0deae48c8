"""Who takes part: latent traits, and what each person would reach with and without the treatment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Literal

Style = Literal["delegation", "progressive", "iterative", "conceptual", "hybrid", "generate_then_ask"]
Adoption = Literal["paste", "retype", "both", "own"]

STYLES: tuple[tuple[Style, int], ...] = (
    ("delegation", 4),
    ("progressive", 4),
    ("iterative", 4),
    ("conceptual", 7),
    ("hybrid", 3),
    ("generate_then_ask", 2),
)
"""Ways of using an assistant and their published group sizes (Shen & Tamkin, arXiv 2601.20245, six patterns)."""
ADOPTIONS: tuple[tuple[Adoption, int], ...] = (("paste", 9), ("retype", 9), ("both", 4), ("own", 4))
"""How replies come into the editor, and the published group sizes."""

SCORE_MEAN, SCORE_SD = 0.62, 0.19
"""Of the quiz's points, as a share, without an effect; the standard deviation is near the published 5.6 of 27."""
FADING = 0.08
"""Share of the points that is lower on quizzes after the main one."""
MINUTES_MEAN, MINUTES_SD = 0.66, 0.20
"""Of the tasks' limit."""
SHORTEST = 0.04
"""Of the limit: no one is faster."""
BASELINE_MEAN, BASELINE_SD = 0.35, 0.17
"""Of the points of a quiz before allocation, as a share."""
CLUSTER_ICC = 0.15
"""Intraclass correlation of quiz points in simulated clusters, as in trials of classes."""
QUIZ_TO_QUIZ = 0.6
"""Correlation of a person's level on another quiz with that on the main one, without an effect."""
SKILL_TO_SCORE, SKILL_TO_TIME, SKILL_TO_WARMUP = 0.55, -0.45, -0.6
GIVES_UP = 0.03
"""Share of people who submit a program that fails, whatever the arm."""
WITHDRAWS, ERASES = 0.5, 0.3
"""Of those who leave: press `Leave the study`; of these: take their data along. The others fall silent."""


@dataclass(frozen=True)
class Scales:
    """What a study's outcomes are measured on."""

    quiz_max: float
    cap: float
    """Minutes for all main tasks together; 0 without main tasks."""


@dataclass(frozen=True)
class Effects:
    """What receiving the treatment changes, before clipping."""

    score: float = 0.0
    """Quiz points."""
    minutes: float = 0.0


@dataclass(frozen=True)
class Rates:
    """Shares of people who do not do as planned."""

    noncompliance: float = 0.0
    dropout: float = 0.0


@dataclass(frozen=True)
class SimulatedPerson:
    """One simulated participant's fixed traits; chance within the way comes from their own generator."""

    number: int
    skill: float
    """Standard normal; background answers, warm-up and outcomes depend on it."""
    base_score: float
    """Quiz points without treatment, before clipping."""
    base_minutes: float
    """Task minutes without treatment, before clipping."""
    gives_up: bool
    always_ai: bool
    """Uses another AI where the arm offers none."""
    never_ai: bool
    """Leaves the arm's assistant alone."""
    leaves_at: float | None
    """Share of their way after which they leave; None: they stay."""
    withdraws: bool
    erases: bool
    style: Style
    adoption: Adoption
    keys_a_second: float
    warmup_pace: float
    """Standard normal, high is slow."""

    def receives(self, treated: bool, assistant: bool) -> bool:
        """Whether the effects act on this person in an arm.

        Args:
            treated: the arm is not the control arm.
            assistant: the arm offers an assistant.
        """
        if not treated:
            return self.always_ai
        return not (assistant and self.never_ai)

    def score(self, received: bool, effects: Effects, scales: Scales) -> float:
        """Quiz points aimed at: the potential outcome, clipped to 0 and the quiz's points."""
        return min(max(self.base_score + effects.score * received, 0.0), scales.quiz_max)

    def other_score(self, baseline: bool, most: float, scales: Scales, rng: Random) -> float:
        """Points aimed at on a quiz that is not the main one: no effect acts there.

        Args:
            baseline: the quiz comes before allocation.
            most: points that can be had.
            scales: of the study.
            rng: this person's and this quiz's own.
        """
        main = (self.base_score / scales.quiz_max - SCORE_MEAN) / SCORE_SD if scales.quiz_max else self.skill
        level = _related(main, QUIZ_TO_QUIZ, rng)
        mean, spread = (BASELINE_MEAN, BASELINE_SD) if baseline else (SCORE_MEAN - FADING, SCORE_SD)
        return most * min(max(mean + spread * level, 0.0), 1.0)

    def minutes(self, received: bool, effects: Effects, scales: Scales) -> float:
        """Time outcome: the potential outcome, clipped to the limit; a person who gives up counts with the limit."""
        if self.gives_up:
            return scales.cap
        return min(max(self.base_minutes + effects.minutes * received, SHORTEST * scales.cap), scales.cap)


def draw_person(
    number: int, rng: Random, scales: Scales, rates: Rates, cluster: float | None = None
) -> SimulatedPerson:
    """Return a person's traits.

    In a cluster trial the person shares `CLUSTER_ICC` of the variance of the quiz with their cluster, whose level
    (standard normal) is given.

    With noncompliance of at most a half no one is both: an always-taker would use AI in either arm, a never-taker in
    none, and no one does the opposite of what they are asked in both.
    """
    skill = rng.gauss(0, 1)
    score = _related(skill, SKILL_TO_SCORE, rng)
    if cluster is not None:
        score = math.sqrt(CLUSTER_ICC) * cluster + math.sqrt(1 - CLUSTER_ICC) * score
    pace = _related(skill, SKILL_TO_TIME, rng)
    compliance = rng.random()
    leaves, moment = rng.random() < rates.dropout, rng.uniform(0.02, 0.97)
    return SimulatedPerson(
        number=number,
        skill=skill,
        base_score=scales.quiz_max * (SCORE_MEAN + SCORE_SD * score),
        base_minutes=scales.cap * (MINUTES_MEAN + MINUTES_SD * pace),
        gives_up=rng.random() < GIVES_UP,
        always_ai=compliance < rates.noncompliance,
        never_ai=compliance >= 1 - rates.noncompliance,
        leaves_at=moment if leaves else None,
        withdraws=rng.random() < WITHDRAWS,
        erases=rng.random() < ERASES,
        style=_weighted(STYLES, rng),
        adoption=_weighted(ADOPTIONS, rng),
        keys_a_second=min(8.0, max(1.8, rng.gauss(4.2, 1.1))),
        warmup_pace=_related(skill, SKILL_TO_WARMUP, rng),
    )


def _related(trait: float, correlation: float, rng: Random) -> float:
    """Return standard normal with this correlation to a trait."""
    return correlation * trait + math.sqrt(1 - correlation**2) * rng.gauss(0, 1)


def _weighted(options: tuple[tuple[str, int], ...], rng: Random):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return rng.choices([name for name, _ in options], [weight for _, weight in options])[0]
