"""Quotas by answer: of people with a given answer to a screening question no more than so many are let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from study_app.domain.study.sections import Question, Stage

if TYPE_CHECKING:
    from study_app.domain.study.study import Study


def asked_before(study: Study) -> list[tuple[Stage, Question]]:
    """Return the questions that quotas can count: asked before anybody is allocated."""
    end = study.allocation_stage
    stages: Sequence[Stage] = study.stages if end is None else study.stages[: study.stages.index(end)]
    return [(stage, question) for stage in stages for question in stage.asked]


def answers_of(question: Question) -> list[Any]:
    """Return the answers that a quota can count; empty for kinds that cannot have one."""
    if question.kind == "scale" and question.low is not None and question.high is not None:
        return list(range(question.low, question.high + 1))
    return [option.value for option in question.options] if question.kind in ("choice", "multiple") else []


def quota_problems(study: Study) -> Iterator[str]:
    """Yield what is wrong with the study's quotas."""
    asked = {question.id: question for _, question in asked_before(study)}
    seen: set[tuple[str, Any]] = set()
    for number, quota in enumerate(study.recruitment.quotas, start=1):
        key = f"recruitment.quotas.{number}"
        question = asked.get(quota.question)
        if question is None:
            yield f"{key}.question: '{quota.question}' is not asked before the allocation; name one of {_names(asked)}"
            continue
        values = answers_of(question)
        if quota.answer not in values:
            known = ", ".join(map(repr, values)) or f"none: a question of the kind {question.kind} cannot have a quota"
            yield f"{key}.answer: {quota.answer!r} is not an answer to '{quota.question}'; its answers are {known}"
        if question.eligible and quota.answer not in question.eligible:
            yield f"{key}.answer: people with {quota.answer!r} are not eligible anyway; leave the quota out"
        if (quota.question, quota.answer) in seen:
            yield f"{key}: there is another quota for this answer; keep one"
        seen.add((quota.question, quota.answer))
        if quota.limit(study.recruitment.target_n) < 1:
            yield f"{key}.share: it leaves no place at target_n = {study.recruitment.target_n}; give a larger share"


def _names(asked: dict[str, Question]) -> str:
    return ", ".join(asked) or "(no question is)"
