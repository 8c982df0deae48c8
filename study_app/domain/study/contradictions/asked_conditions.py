"""Conditions that hold for everyone or for no one: what they select would not be a part of the people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

from study_app.domain.conditions import Named, StageCondition
from study_app.domain.study.contradictions.kinds import Finding
from study_app.domain.study.sections import WITH_RANGE, Question, Stage
from study_app.domain.study.study import Study

MOST_NAMED = 3
"""A condition about more questions than these is not tried out with all their answers."""
MOST_ANSWERS = 101
_MOST_SUBSETS = 6
"""Options of a question with several answers, of which every choice is tried."""


def condition_problems(study: Study) -> Iterator[Finding]:
    """Yield each condition over earlier answers that all of them meet, or none."""
    asked: dict[str, tuple[Question, Stage]] = {}
    for stage in study.stages:
        yield from _of_part(f"stages.{stage.id}.when", stage.when, asked)
        for question in stage.questions:
            yield from _of_part(f"stages.{stage.id}.questions.{question.id}.when", question.when, asked)
        asked |= {question.id: (question, stage) for question in stage.asked}


def _of_part(key: str, when: str, asked: Mapping[str, tuple[Question, Stage]]) -> Iterator[Finding]:
    if not when:
        return
    condition = StageCondition(when)
    names = list(dict.fromkeys(named.question for named in condition.named))
    if len(names) > MOST_NAMED or not set(names) <= set(asked):
        return
    given = [possible(*asked[name], [n for n in condition.named if n.question == name]) for name in names]
    outcomes = {condition(dict(zip(names, values, strict=True))) for values in product(*given)}
    if outcomes == {True}:
        yield key, f"'{when}' holds whatever people answer", "remove it, or correct the value"
    if outcomes == {False}:
        yield key, f"'{when}' holds for no answer, so no one would come here", "correct the value, or remove the part"


def possible(question: Question, stage: Stage, named: list[Named]) -> list[Any]:
    """Return answers to a question that stand for all of them, None where it can go without one.

    Args:
        question: the one that is asked.
        stage: where; at the end of its limit answers can be missing.
        named: values that a condition holds against its answers.
    """
    some = not question.required or question.when or question.arms or stage.when or stage.arms
    missing = [None] if some or stage.minutes is not None else []
    return [*_answers(question, [each.value for each in named]), *missing]


def _answers(question: Question, values: list[Any]) -> list[Any]:
    options = [option.value for option in question.options]
    if question.kind == "choice":
        return [value for value in options if question.lets_in(value)]
    if question.kind == "multiple":
        sizes = range(1, len(options) + 1) if len(options) <= _MOST_SUBSETS else (1, 2, len(options))
        chosen = [list(picks) for size in sizes for picks in combinations(options, size)]
        return [picks for picks in chosen if question.lets_in(picks)]
    if question.kind in WITH_RANGE:
        return [value for value in _numbers(question, values) if question.lets_in(value)]
    texts = [value for value in values if isinstance(value, str)]
    return [*texts, f"{''.join(texts)}, and more"]


def _numbers(question: Question, values: list[Any]) -> list[int | float]:
    low, high = question.low, question.high
    held = [value for value in values if isinstance(value, int | float)]
    if question.kind == "scale" and low is not None and high is not None and high - low < MOST_ANSWERS:
        return list(range(low, high + 1))
    least = low if low is not None else min(held, default=0) - 1
    most = high if high is not None else max(held, default=0) + 1
    step = 1 if question.whole or question.kind != "number" else 0.5
    near = [value + by for value in held for by in (-step, 0, step)]
    return [least, most, *(value for value in near if least <= value <= most)]
