"""What is wrong with stages and questions that are for some participants only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from study_app.domain.conditions import Named, StageCondition
from study_app.domain.study.sections import Question, Stage

if TYPE_CHECKING:
    from study_app.domain.study.study import Study

BRANCHING = ("survey", "instructions")
"""Kinds of stages that may be for some participants only: outcomes are taken from everybody."""


def branch_problems(study: Study) -> Iterator[str]:
    """Yield each problem as `key: what; remedy`."""
    arms = {arm.id for arm in study.arms}
    first = study.allocation_stage
    earlier: dict[str, Question] = {}
    allocated = False
    for stage in study.stages:
        key = f"stages.{stage.id}"
        yield from _stage_problems(stage, key, first)
        allocated = allocated or stage is first
        yield from _part_problems(stage, key, arms, allocated, earlier)
        for question in stage.questions:
            yield from _part_problems(question, f"{key}.questions.{question.id}", arms, allocated, earlier)
            if (question.when or stage.when) and question.id in study.allocation.variables:
                yield (
                    f"{key}.questions.{question.id}.when: the allocation uses this question, and not everybody would "
                    "be asked; ask everybody"
                )
        # Only now: questions of one stage stand on one page, where none can depend on another's answer.
        earlier |= {question.id: question for question in stage.asked}


def _stage_problems(stage: Stage, key: str, first: Stage | None) -> Iterator[str]:
    if not stage.arms and not stage.when:
        return
    name = "arms" if stage.arms else "when"
    if stage.kind not in BRANCHING:
        kinds = " or ".join(BRANCHING)
        yield f"{key}.{name}: a stage of kind {stage.kind} is for everybody; use it on a stage of kind {kinds}"
    elif stage is first:
        yield f"{key}.{name}: people are allocated on the way into this stage, so everybody comes here; leave it out"


def _part_problems(
    part: Stage | Question, key: str, arms: set[str], allocated: bool, earlier: Mapping[str, Question]
) -> Iterator[str]:
    for name in part.arms:
        if name not in arms:
            yield f"{key}.arms: '{name}' is not an arm of the study; use one of: {', '.join(sorted(arms))}"
    if part.arms and not allocated:
        yield f"{key}.arms: there is no arm before the allocation; move it behind the first stage that differs by arm"
    if not part.when:
        return
    try:
        condition = StageCondition(part.when)
    except ValueError as problem:
        yield f"{key}.when: {problem}; write a comparison such as years >= 2 or role in ['dev', 'sci']"
        return
    for named in condition.named:
        question = earlier.get(named.question)
        if question is None:
            yield f"{key}.when: '{named.question}' is not a question of an earlier stage; name one that is"
        elif named.value is not None:
            yield from value_problems(named, question, f"{key}.when")


def value_problems(named: Named, question: Question, key: str) -> Iterator[str]:
    """Yield what is wrong with a value that a condition holds against the answers to a question."""
    values = [option.value for option in question.options]
    by_size = named.ordered and all(isinstance(value, int) for value in values) and not isinstance(named.value, str)
    if (question.kind == "multiple") != named.holds:
        form = f"VALUE in {named.question}" if question.kind == "multiple" else f"{named.question} == VALUE"
        yield f"{key}: '{named.question}' is of kind {question.kind}; write {form}"
    elif question.kind in ("matrix", "ranking"):
        yield f"{key}: '{named.question}' is of kind {question.kind}, which has no single answer; name another"
    elif values and not by_size and not any(type(v) is type(named.value) and v == named.value for v in values):
        yield f"{key}: {named.value!r} is not an answer to '{named.question}'; use one of {values}"
    elif not values and (question.kind == "text") != isinstance(named.value, str):
        what = "a text" if question.kind == "text" else "a number"
        yield f"{key}: '{named.question}' is answered by {what}; compare it with one"
