"""Which stages and questions a participant meets: those for their arm, and those whose conditions hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from study_app.domain.conditions import StageCondition
from study_app.domain.content.content_paths import name_of
from study_app.domain.drawn_order import drawn
from study_app.domain.study.sections import Question, Stage
from study_app.domain.study.study import Study


def ordered(study: Study, person: str) -> Study:
    """Return the study with the orders that are drawn for a person.

    Tasks of a stage, options and rows of a question.
    """
    stages = tuple(_ordered(stage, person) for stage in study.stages)
    return study if stages == study.stages else study.model_copy(update={"stages": stages})


def _ordered(stage: Stage, person: str) -> Stage:
    changes: dict[str, Any] = {}
    if stage.shuffle and stage.packs:
        changes["packs"] = drawn(stage.packs, person, stage.id)
    if any(question.shuffle for question in stage.questions):
        changes["questions"] = tuple(_question(question, person) for question in stage.questions)
    return stage.model_copy(update=changes) if changes else stage


def _question(question: Question, person: str) -> Question:
    if not question.shuffle:
        return question
    part = "rows" if question.rows else "options"
    return question.model_copy(update={part: drawn(getattr(question, part), person, question.id)})


def drawn_orders(stage: Stage) -> dict[str, list[Any]]:
    """Return what was drawn on a stage as the person meets it: by question, or `tasks`."""
    found: dict[str, list[Any]] = {}
    if stage.shuffle and stage.packs:
        found["tasks"] = [name_of(pack) for pack in stage.packs]
    for question in stage.asked:
        if question.shuffle:
            rows, options = [row.id for row in question.rows], [option.value for option in question.options]
            found[question.id] = list(rows) if rows else list(options)
    return found


def branches(study: Study) -> bool:
    """Return whether anything of a study is for some participants only."""
    return any(
        stage.arms or stage.when or any(question.arms or question.when for question in stage.questions)
        for stage in study.stages
    )


def met(study: Study, arm: str | None, answers: Mapping[str, Any], current: str = "") -> Study:
    """Return the study as one participant meets it, by what is known so far.

    Args:
        study: the whole of it.
        arm: the participant's arm at this moment; None before allocation, when nothing is left out by arm.
        answers: answers to earlier questions, by question.
        current: the stage where the participant is, which stays whatever its condition says.
    """
    kept = []
    for stage in study.stages:
        if stage.id != current and not _applies(stage, arm, answers):
            continue
        asked = tuple(question for question in stage.questions if _applies(question, arm, answers))
        kept.append(stage if len(asked) == len(stage.questions) else stage.model_copy(update={"questions": asked}))
    # A survey of which nothing applies has nothing to show.
    left = [stage for stage in kept if stage.id == current or not _empty(stage, study)]
    return study.model_copy(update={"stages": tuple(left)})


def _empty(stage: Stage, study: Study) -> bool:
    return stage.kind == "survey" and not stage.asked and bool(study.stage(stage.id).asked)


def _applies(part: Stage | Question, arm: str | None, answers: Mapping[str, Any]) -> bool:
    # Before the allocation a part of any arm may still come.
    if part.arms and arm is not None and arm not in part.arms:
        return False
    return not part.when or read_condition(part.when)(answers)


@lru_cache(maxsize=1000)
def read_condition(text: str) -> StageCondition:
    """Return a condition, read once."""
    return StageCondition(text)


# -- what would tell an arm --------------------------------------------------------------------------------------------


def arm_only(study: Study) -> tuple[frozenset[str], frozenset[str]]:
    """Stages and questions that only some arms can have, also by a condition over the answer to such a question."""
    stages: set[str] = set()
    questions: set[str] = set()
    for stage in study.stages:
        if stage.arms or rests_on(stage.when, questions):
            stages.add(stage.id)
        for question in stage.asked:
            if stage.id in stages or question.arms or rests_on(question.when, questions):
                questions.add(question.id)
    return frozenset(stages), frozenset(questions)


def rests_on(when: str, questions: Collection[str]) -> bool:
    """Return whether a condition asks for the answer to one of these questions."""
    return bool(when) and any(named.question in questions for named in read_condition(when).named)


def seen_at(study: Study, stage: str) -> str:
    """Return the position as it may be shown while arms are hidden: for a stage of some arms the next that all have."""
    hidden, _ = arm_only(study)
    ids = [each.id for each in study.stages]
    if stage not in hidden:
        return stage
    return next(each for each in ids[ids.index(stage) :] if each not in hidden)
