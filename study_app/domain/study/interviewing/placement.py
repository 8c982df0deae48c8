"""What is wrong with where a study has an interview, and with a plan for that study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from study_app.domain.interviews.plan import InterviewPlan
from study_app.domain.study.sections import Stage

if TYPE_CHECKING:
    from study_app.domain.study.study import Study

CODED = ("theme_", "quality_", "interview_")
"""Beginnings of columns that come from an interview."""
SHARED = "yes"
"""The answer to the question named by `sharing` by which people let their words leave."""


def interview_problems(study: Study) -> Iterator[str]:
    """Yield each problem of the study file as `key: what; remedy`."""
    for stage in study.stages:
        key = f"stages.{stage.id}"
        if stage.kind == "interview":
            yield from _placed(study, stage, key)
            yield from _sharing(study, stage, key)
            continue
        for name in ("plan", "sharing"):
            if getattr(stage, name):
                yield f"{key}.{name}: only an interview has it, found kind '{stage.kind}'; remove it"
    if any(stage.kind == "interview" for stage in study.stages):
        yield from _primary(study)


def _placed(study: Study, stage: Stage, key: str) -> Iterator[str]:
    """Yield each outcome after an interview: talking about the work changes later answers."""
    place = study.stages.index(stage)
    first = study.allocation_stage
    if first is not None and place < study.stages.index(first):
        yield f"{key}: the interview comes before the allocation; move it behind the last outcome"
    outcomes = stages_with_outcomes(study)
    for later in study.stages[place + 1 :]:
        if later.id in outcomes:
            yield (
                f"{key}: the interview comes before '{later.id}', which gives an outcome, and could change it; move "
                "the interview behind it"
            )


def stages_with_outcomes(study: Study) -> frozenset[str]:
    """Return the stages that an interview has to stand behind: tasks, quizzes, and surveys that the plan names."""
    named = _outcome_columns(study)
    return frozenset(
        stage.id
        for stage in study.stages
        if stage.kind in ("tasks", "quiz")
        or named & ({question.id for question in stage.asked} | {score.id for score in stage.scores})
    )


def _outcome_columns(study: Study) -> set[str]:
    return {outcome.name for outcome in (*study.analysis.outcomes, *study.analysis.secondary)}


def _sharing(study: Study, stage: Stage, key: str) -> Iterator[str]:
    if not stage.sharing:
        return
    before = study.stages[: study.stages.index(stage)]
    question = next((q for each in before for q in each.asked if q.id == stage.sharing), None)
    if question is None or SHARED not in [option.value for option in question.options] or question.kind != "choice":
        yield (
            f"{key}.sharing: '{stage.sharing}' is not a choice of an earlier stage with the option \"{SHARED}\"; name "
            "one that is"
        )


def _primary(study: Study) -> Iterator[str]:
    columns = {outcome.id: outcome.name for outcome in (*study.analysis.outcomes, *study.analysis.secondary)}
    for name in study.analysis.primary:
        if columns.get(name, name).startswith(CODED):
            yield (
                f"analysis.primary: '{name}' comes from an interview, whose codes are judgements made after the trial; "
                "make it secondary"
            )


def plan_problems(plan: InterviewPlan, study: Study, stage: Stage) -> Iterator[tuple[str, str, str]]:
    """Yield each problem of a plan in this study: key, what, remedy."""
    for language in study.offered:
        if language not in plan.languages:
            yield (
                "languages",
                f"the study is offered in '{language}', the plan is not",
                "word each question in it, and add it to languages",
            )
    if plan.know_arm and len(study.arms) > 1:
        yield (
            "know_arm",
            "a model that knows the arm can ask differently by arm, and the interview has to be the same in each",
            "set it to false",
        )
    if stage.minutes is not None and plan.minutes > stage.minutes:
        what = f"{plan.minutes:g} minutes are more than the {stage.minutes:g} of the stage '{stage.id}'"
        yield "minutes", what, "lower them, or give the stage more"


def topics_of(plans: Iterable[InterviewPlan]) -> tuple[str, ...]:
    """Return the ids of the topics and closing questions of plans, each once, in the order of the plans' ids."""
    return tuple(dict.fromkeys(name for plan in sorted(plans, key=lambda each: each.id) for name in plan.known))
