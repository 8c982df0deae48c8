"""Answers to eligibility forms and surveys, plausible for the person and always among what is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeVar

from study_app.domain.study.compliance import NO_OTHER_AI
from study_app.domain.study.rehearsal.section import ExpectedAnswer
from study_app.domain.study.sections import WITH_RANGE
from study_app.domain.study.study import OptionValue, Question, Stage
from study_app.simulation.behaviour.profiles import SimulatedPerson, related

Value = TypeVar("Value")

EXPERIENCE: Mapping[str, tuple[float, ...]] = {
    "years_coding": (0.0, 0.08, 0.37, 0.55),
    "years_python": (0.0, 0.25, 0.45, 0.30),
    "asyncio_use": (0.27, 0.48, 0.25),
    "python_weekly": (0.35, 0.65),
}
"""Shares of the ordered answers, lowest value first, near those of the published sample."""
_SKILL_LOADING = 0.6
_KNOWS = 0.9
_UNSURE = 0.5
_OPTIONAL = 0.3
"""Share of optional texts that are filled in; other optional questions are mostly answered."""
_REMARKS = (
    "The second task was fun.",
    "I would have liked more time for the tasks.",
    "Everything worked well, thank you.",
    "The quiz was harder than I had expected.",
)
_SCALES: Mapping[str, tuple[float, float]] = {
    "task_difficulty": (0.5, -0.35),
    "quiz_difficulty": (0.6, -0.35),
    "learned": (0.6, 0.1),
    "enjoyed": (0.62, 0.15),
    "load_physical": (0.15, 0.0),
    "load_performance": (0.35, -0.3),
    "load_frustration": (0.35, -0.3),
}
"""Mean as a share of the scale, and how much of the spread comes from skill."""
_SCALE_SD = 0.2


def answers(
    stage: Stage,
    person: SimulatedPerson,
    other_ai: bool,
    rng: Random,
    expected: Mapping[str, ExpectedAnswer] | None = None,
) -> dict[str, Any]:
    """Answers to every question of a stage.

    Args:
        stage: a survey or the eligibility form.
        person: whose.
        other_ai: whether they used an AI from outside, which they admit.
        rng: the person's.
        expected: what the study says of some questions.
    """
    said = expected or {}
    return {question.id: _answer(question, person, other_ai, rng, said.get(question.id)) for question in stage.asked}


def _answer(
    question: Question, person: SimulatedPerson, other_ai: bool, rng: Random, expected: ExpectedAnswer | None
) -> Any:
    if not question.required and rng.random() > (_OPTIONAL if question.kind == "text" else 0.95):
        return None
    if expected is not None:
        return _expected(question, expected, person, rng)
    if question.other_ai and question.kind in ("choice", "multiple", *WITH_RANGE):
        return _about_other_ai(question, other_ai, rng)
    if question.kind == "choice":
        return _choice(question, person, rng)
    if question.kind == "multiple":
        values = [option.value for option in question.options if question.lets_in([option.value])]
        return [value for value in values if rng.random() < 1 / len(values)] or [rng.choice(values)]
    if question.kind == "text":
        return rng.choice(_REMARKS)
    if question.kind == "matrix":
        return {row.id: rng.choice([option.value for option in question.options]) for row in question.rows}
    if question.kind == "ranking":
        return rng.sample([option.value for option in question.options], len(question.options))
    return _number(question, person, rng)


def _expected(question: Question, expected: ExpectedAnswer, person: SimulatedPerson, rng: Random) -> Any:
    """Return an answer as the study expects it."""
    level = related(person.skill, expected.skill, rng)
    if expected.mean is None:
        values = [option.value for option in question.options]
        return _at_place(values, [expected.share_of(value) for value in values], _normal(level))
    value = expected.mean + (expected.sd or 0.0) * level
    low, high = (bound if bound is not None else value for bound in (question.low, question.high))
    return round(min(max(value, low), high))


def _choice(question: Question, person: SimulatedPerson, rng: Random) -> OptionValue:
    values = [option.value for option in question.options]
    if question.correct is not None:
        return _concept(question.correct, values, person, rng)
    allowed = [value for value in values if value in question.eligible] if question.eligible else values
    ordered = sorted(value for value in allowed if isinstance(value, int))
    if len(ordered) == len(allowed) and question.id in EXPERIENCE:
        return _ordered(ordered, EXPERIENCE[question.id], person, rng)
    return rng.choice(allowed)


def _about_other_ai(question: Question, used: bool, rng: Random) -> Any:
    """Return what a person says of other AI, in the way in which the dataset reads it."""
    if question.kind in WITH_RANGE:
        low = question.low or 0
        return (question.high if question.high is not None else low + 1) if used else low
    values = [option.value for option in question.options]
    no = [value for value in values if str(value).lower() in NO_OTHER_AI]
    yes = [value for value in values if str(value).lower() not in NO_OTHER_AI]
    said = (yes or values)[0] if used else rng.choice(no or values)
    return [said] if question.kind == "multiple" else said


def _concept(correct: OptionValue, values: list[OptionValue], person: SimulatedPerson, rng: Random) -> OptionValue:
    if rng.random() < 1 / (1 + math.exp(-(_KNOWS + 0.9 * person.skill))):
        return correct
    unsure = [value for value in values if value == "unsure"]
    wrong = [value for value in values if value != correct and value not in unsure]
    return unsure[0] if unsure and (not wrong or rng.random() < _UNSURE) else rng.choice(wrong)


def _ordered(values: list[int], shares: tuple[float, ...], person: SimulatedPerson, rng: Random) -> int:
    """Return the value at the person's place in the distribution; skilled people stand higher."""
    place = _normal(related(person.skill, _SKILL_LOADING, rng))
    return _at_place(values, shares[-len(values) :], place)


def _at_place(values: Sequence[Value], shares: Sequence[float], place: float) -> Value:
    """Return the value that holds a place from 0 to 1 in the distribution of ordered values."""
    below = 0.0
    for value, share in zip(values, shares, strict=False):
        below += share / sum(shares)
        if place <= below:
            return value
    return values[-1]


def _number(question: Question, person: SimulatedPerson, rng: Random) -> int:
    low = question.low if question.low is not None else 0
    high = question.high if question.high is not None else low + 100
    mean, loading = _SCALES.get(question.id, (0.55, 0.0))
    # Of variance 1 whatever the share of skill in it, so that the scale's spread is the stated one.
    spread = loading * person.skill + math.sqrt(1 - loading**2) * rng.gauss(0, 1)
    return round(low + (high - low) * min(max(mean + _SCALE_SD * spread, 0.0), 1.0))


def _normal(value: float) -> float:
    """Return the standard normal distribution function."""
    return (1 + math.erf(value / math.sqrt(2))) / 2
