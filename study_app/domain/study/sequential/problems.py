"""What is wrong with a second randomisation, and with which designs it does not go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from study_app.domain.conditions import Named, StageCondition
from study_app.domain.study.branches import value_problems
from study_app.domain.study.sections import Question, Stage

if TYPE_CHECKING:
    from study_app.domain.study.study import Study

KEY = "second_decision"
_KNOWN = ("points", "score")
"""Ends of the columns of a quiz that a response rule may name."""


def second_decision_problems(study: Study) -> list[str]:
    """Return each problem as `key: what; remedy`."""
    second = study.second_decision
    if not second:
        return []
    lacking = [name for name in ("stage", "responds") if not getattr(second, name)]
    lacking += [] if len(second.treatments) > 1 else ["treatments"]
    if lacking:
        needs = {
            "stage": "no stage is named; name the stage on the way into which it is decided",
            "responds": "there is no rule; write who has responded, such as halfway_points >= 3",
            "treatments": f"found {len(second.treatments)}; name at least two treatments to randomise among",
        }
        return [f"{KEY}.{name}: {needs[name]}" for name in lacking]
    return [*_designs(study), *_treatments(study), *_place(study)] or [*_rule(study), *_outcomes(study)]


def _designs(study: Study) -> Iterator[str]:
    """Designs that a second randomisation does not go with."""
    method = study.allocation.method
    if len(study.arms) < 2:
        yield f"{KEY}: with one arm there is no first randomisation to follow; add an arm"
    if method == "sequence":
        yield f"{KEY}: a crossover gives everybody every arm in turn; remove [second_decision], or choose a method"
    if method == "cluster":
        yield (
            f"{KEY}: people of a cluster share an arm, and this would divide them again; remove [second_decision], or "
            "allocate people"
        )
    if study.arms_from.factors:
        yield f"{KEY}: arms made from factors have one treatment throughout; write [[arms]], or remove it"
    if study.varied_tasks:
        yield f"{KEY}: impossible variants belong to one arm throughout; remove the variants, or [second_decision]"


def _treatments(study: Study) -> Iterator[str]:
    second = study.second_decision
    ids = [each.id for each in second.treatments]
    for twice in sorted({each for each in ids if ids.count(each) > 1}):
        yield f"{KEY}.treatments: '{twice}' is declared twice; give each treatment a different id"
    for treatment in second.treatments:
        if treatment.assistant and treatment.assistant not in study.assistants:
            known = ", ".join(sorted(study.assistants)) or "none"
            yield (
                f"{KEY}.treatments.{treatment.id}.assistant: '{treatment.assistant}' is not declared; add "
                f"[assistants.{treatment.assistant}] or use one of: {known}"
            )
    met = [treatment.model_dump(exclude={"id", "label", "weight"}) for treatment in second.treatments]
    if len(ids) > 1 and all(each == met[0] for each in met):
        yield f"{KEY}.treatments: they do not differ; give one of them an assistant, instructions or a pledge"
    total = sum(treatment.weight for treatment in second.treatments)
    for size in second.block_sizes:
        if second.method == "simple":
            yield f"{KEY}.block_sizes: method 'simple' does not use it; remove it, or choose permuted_blocks"
            return
        if size % total:
            yield f"{KEY}.block_sizes: {size} is not a multiple of {total}, the sum of the weights; use {2 * total}"


def _place(study: Study) -> Iterator[str]:
    second, key = study.second_decision, f"{KEY}.stage"
    stages = {stage.id: stage for stage in study.stages}
    stage = stages.get(second.stage)
    if stage is None:
        yield f"{key}: '{second.stage}' is not a stage; use one of: {', '.join(stages)}"
        return
    first = study.allocation_stage
    if first is None or study.stages.index(stage) <= study.stages.index(first):
        yield f"{key}: '{stage.id}' is not after the first allocation; name a later stage"
    if stage.kind not in ("tasks", "instructions"):
        yield f"{key}: a stage of kind {stage.kind} is the same for every treatment; name one of tasks or instructions"
    elif stage.kind == "tasks" and not stage.assistant:
        yield f"{key}: '{stage.id}' offers no assistant, so the treatments do not differ; say assistant = true there"
    if stage.arms or stage.when:
        yield f"{key}: '{stage.id}' is for some participants only, and everybody is decided on; leave out arms and when"
    helped = [each for each in study.stages[study.stages.index(stage) :] if each.kind == "tasks" and each.assistant]
    if not helped and any(each.assistant is not None for each in second.treatments):
        yield f"{key}: no stage from '{stage.id}' on offers an assistant; say assistant = true on a stage of tasks"


def _rule(study: Study) -> Iterator[str]:
    second, key = study.second_decision, f"{KEY}.responds"
    try:
        condition = StageCondition(second.responds)
    except ValueError as problem:
        yield f"{key}: {problem}; write a comparison such as halfway_points >= 3"
        return
    questions, totals = _known_before(study)
    for named in condition.named:
        if named.question in totals:
            yield from _of_points(named, key)
        elif named.question in questions:
            if named.value is not None:
                yield from value_problems(named, questions[named.question], key)
        else:
            known = ", ".join([*totals, *questions]) or "nothing yet; add a quiz before it"
            yield f"{key}: '{named.question}' is not known before '{second.stage}'; use one of: {known}"


def _of_points(named: Named, key: str) -> Iterator[str]:
    if named.holds or isinstance(named.value, str):
        yield f"{key}: '{named.question}' is a number; compare it with one, such as {named.question} >= 3"


def _known_before(study: Study) -> tuple[Mapping[str, Question], list[str]]:
    """Questions, and totals of quizzes, of the stages before the decision that everybody comes to."""
    before: tuple[Stage, ...] = study.stages[: study.stages.index(study.stage(study.second_decision.stage))]
    asked = {
        question.id: question
        for stage in before
        if not (stage.arms or stage.when)
        for question in stage.asked
        if not (question.arms or question.when)
    }
    return asked, [f"{stage.id}_{end}" for stage in before if stage.kind == "quiz" for end in _KNOWN]


def _outcomes(study: Study) -> Iterator[str]:
    """Outcomes that are measured before the decision cannot be effects of what follows it."""
    at, main = study.stages.index(study.stage(study.second_decision.stage)), study.main_quiz
    if main is not None and study.stages.index(main) < at:
        yield (
            f'stages.{main.id}.role: the main quiz comes before the second decision; say role = "other" here, and '
            "measure the outcome after it"
        )
