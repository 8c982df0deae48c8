"""Who takes part: latent traits, and what each person would reach with and without the treatment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from study_app.domain.study.rehearsal.section import Rehearsal, by_arm
from study_app.domain.study.study import Study, StudyArm

Amount = float | dict[str, float]
"""One number for all arms, or numbers by arm."""
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

SHORTEST = 0.04
"""Of the limit: no one is faster."""
SKILL_TO_WARMUP = -0.6
_CLOSEST = 0.999
"""Correlation beyond which a part of a measure is as good as the trait."""
WITHDRAWS, ERASES = 0.5, 0.3
"""Of those who leave: press `Leave the study`; of these: take their data along. The others fall silent."""


@dataclass(frozen=True)
class Scales:
    """What a study's outcomes are measured on."""

    quiz_max: float
    cap: float
    """Minutes for all main tasks together; 0 without main tasks."""
    expected: Rehearsal = field(default_factory=Rehearsal)
    """What the study expects of people."""
    within: float = 0.0
    """Share of the variance of the minutes that lies between the periods of one person."""


@dataclass(frozen=True)
class Effects:
    """What receiving the treatment changes, before clipping."""

    score: float = 0.0
    """Quiz points."""
    minutes: float = 0.0


@dataclass(frozen=True)
class ArmEffects:
    """The effects of each arm."""

    arms: Mapping[str, Effects]
    """Arm -> its effects; of every arm but the control."""
    second: Mapping[str, Effects] = field(default_factory=dict)
    """Second treatment -> what it adds for people who did not respond; of every one but the first."""

    def of(self, arm: StudyArm | None) -> Effects:
        """Return what acts on a person in an arm who is treated.

        In the control arm people are treated by an AI from outside: it does what the other arms do on average.
        """
        if arm is not None and arm.id in self.arms:
            return self.arms[arm.id]
        count = max(len(self.arms), 1)
        every = self.arms.values()
        return Effects(sum(each.score for each in every) / count, sum(each.minutes for each in every) / count)


def effects_of(
    study: Study, score: Amount, minutes: Amount, second_score: Amount = 0.0, second_minutes: Amount = 0.0
) -> ArmEffects:
    """Return the effects of each arm, from one number for all arms but the control or numbers by arm.

    Likewise those of second treatments, from one number for all but the first or numbers by treatment.
    """
    others = [arm.id for arm in study.arms if arm.id != study.control.id]
    again = [each.id for each in study.second_decision.treatments[1:]]
    return ArmEffects(
        {arm: Effects(by_arm(score, arm), by_arm(minutes, arm)) for arm in others},
        {name: Effects(by_arm(second_score, name), by_arm(second_minutes, name)) for name in again},
    )


@dataclass(frozen=True)
class Rates:
    """Shares of people who do not do as planned."""

    noncompliance: float = 0.0
    dropout: Amount = 0.0
    """One share, or shares by arm, which act from allocation on."""

    def least(self, arms: Iterable[str]) -> float:
        """Return the share that leaves whatever the arm."""
        return min(by_arm(self.dropout, arm) for arm in arms)


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
    leaves: float
    """Uniform on 0 to 1: they leave where it lies below the dropout of their arm."""
    leaves_at: float
    """Share of their way after which they would leave."""
    withdraws: bool
    erases: bool
    style: Style
    adoption: Adoption
    keys_a_second: float
    warmup_pace: float
    """Standard normal, high is slow."""

    def receives(self, treated: bool, assistant: bool) -> bool:
        """Return whether the effects act on this person in an arm.

        Args:
            treated: the arm is not the control arm.
            assistant: the arm offers an assistant.
        """
        if not treated:
            return self.always_ai
        return not (assistant and self.never_ai)

    def score(self, received: bool, effects: Effects, scales: Scales, more: float = 0.0) -> float:
        """Quiz points aimed at: the potential outcome, clipped to 0 and the quiz's points.

        `more`: points that a second treatment adds.
        """
        return min(max(self.base_score + effects.score * received + more, 0.0), scales.quiz_max)

    def period_points(self, scales: Scales, rng: Random) -> float:
        """Return by how many points the quiz of a period of a sequence differs from the person's level.

        A period's quiz has the mean, spread and correlation with skill that are expected of a quiz, and two of them the
        correlation expected between quizzes, but no lower one than their common skill gives them.

        Args:
            scales: of the study.
            rng: this person's and this period's own.
        """
        if not scales.quiz_max:
            return 0.0
        quiz = scales.expected.quiz
        own = (self.base_score / scales.quiz_max - quiz.mean) / quiz.sd - quiz.skill * self.skill
        apart = 1 - quiz.skill**2
        kept = max((scales.expected.quiz_to_quiz - quiz.skill**2) / apart, 0.0)
        of_period = math.sqrt(kept) * own + math.sqrt((1 - kept) * apart) * rng.gauss(0, 1)
        return scales.quiz_max * quiz.sd * (of_period - own)

    def other_score(self, baseline: bool, most: float, scales: Scales, rng: Random) -> float:
        """Points aimed at on a quiz that is not the main one: no effect acts there.

        Args:
            baseline: the quiz comes before allocation.
            most: points that can be had.
            scales: of the study.
            rng: this person's and this quiz's own.
        """
        expected = scales.expected
        quiz = expected.quiz
        main = (self.base_score / scales.quiz_max - quiz.mean) / quiz.sd if scales.quiz_max else self.skill
        level = related(main, expected.quiz_to_quiz, rng)
        other = expected.baseline_quiz if baseline else expected.later_quiz
        return most * min(max(other.mean + other.sd * level, 0.0), 1.0)

    def minutes(self, received: bool, effects: Effects, scales: Scales, shift: float = 0.0) -> float:
        """Time outcome: the potential outcome, clipped to the limit; a person who gives up counts with the limit.

        `shift`: minutes by which this period differs from the person's others.
        """
        if self.gives_up:
            return scales.cap
        minutes = self.base_minutes + shift + effects.minutes * received
        return min(max(minutes, SHORTEST * scales.cap), scales.cap)


@dataclass(frozen=True)
class ClusterLevels:
    """What the people of one cluster share, each standard normal."""

    points: float = 0.0
    pace: float = 0.0


def draw_person(
    number: int, rng: Random, scales: Scales, rates: Rates, cluster: ClusterLevels | None = None
) -> SimulatedPerson:
    """Return a person's traits.

    In a cluster trial the person shares the expected parts of the variance of the quiz (`icc`) and of the minutes
    (`minutes_icc`) with their cluster, whose levels are given.

    With noncompliance of at most a half no one is both: an always-taker would use AI in either arm, a never-taker in
    none, and no one does the opposite of what they are asked in both.
    """
    expected = scales.expected
    skill = rng.gauss(0, 1)
    levels = cluster or ClusterLevels()
    shared = expected.icc if cluster is not None else 0.0
    # Variances of the two parts sum to 1, so the quiz keeps its standard deviation whatever the ICC is.
    score = math.sqrt(shared) * levels.points + _part(skill, expected.quiz.skill, 1 - shared, rng)
    shared = expected.minutes_icc * (1 - scales.within) if cluster is not None else 0.0
    pace = math.sqrt(shared) * levels.pace + _part(skill, expected.minutes.skill, 1 - scales.within - shared, rng)
    # One number decides both, so that with up to a half no one is both, and there are no defiers: the monotonicity on
    # which the complier average effect rests (Angrist, Imbens and Rubin 1996).
    compliance = rng.random()
    # Drawn for everybody, also where no one drops out: another rate changes who leaves and no other trait.
    leaves, moment = rng.random(), rng.uniform(0.02, 0.97)
    return SimulatedPerson(
        number=number,
        skill=skill,
        base_score=scales.quiz_max * (expected.quiz.mean + expected.quiz.sd * score),
        base_minutes=scales.cap * (expected.minutes.mean + expected.minutes.sd * pace),
        gives_up=rng.random() < expected.gives_up,
        always_ai=compliance < rates.noncompliance,
        never_ai=compliance >= 1 - rates.noncompliance,
        leaves=leaves,
        leaves_at=moment,
        withdraws=rng.random() < WITHDRAWS,
        erases=rng.random() < ERASES,
        style=_weighted(STYLES, rng),
        adoption=_weighted(ADOPTIONS, rng),
        keys_a_second=min(8.0, max(1.8, rng.gauss(4.2, 1.1))),
        warmup_pace=related(skill, SKILL_TO_WARMUP, rng),
    )


def _part(trait: float, correlation: float, share: float, rng: Random) -> float:
    """Return the person's own part of a standard normal measure that has this correlation to a trait.

    The rest, which hangs on no trait, is added by others; so this part has to go with the trait the more closely.
    """
    own = min(max(correlation / math.sqrt(share), -_CLOSEST), _CLOSEST)
    return math.sqrt(share) * related(trait, own, rng)


def related(trait: float, correlation: float, rng: Random) -> float:
    """Return a standard normal number with this correlation to a trait."""
    return correlation * trait + math.sqrt(1 - correlation**2) * rng.gauss(0, 1)


def _weighted(options: tuple[tuple[str, int], ...], rng: Random):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return rng.choices([name for name, _ in options], [weight for _, weight in options])[0]
