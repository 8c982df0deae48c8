"""Keys of stages and questions that their kind does not use: what they say would be passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from study_app.domain.study.quiz_roles import Quiz
from study_app.domain.study.sections import WITH_OPTIONS, WITH_RANGE, Question, Stage
from study_app.domain.study.study import Study

Finding = tuple[str, str, str]
"""Key, what is wrong, what to do."""
_FORMS = ("survey", "eligibility")
STAGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "body": (*_FORMS, "consent", "device", "instructions", "interview", "debrief"),
    "intro": (*_FORMS, "device", "instructions", "tasks", "quiz", "interview"),
    # Without a form a deadline would carry people past what they have to agree to.
    "minutes": (*_FORMS, "tasks", "quiz", "interview"),
    "about_minutes": (*_FORMS, "consent", "device", "instructions", "interview"),
    "packs": ("tasks",),
    "main": ("tasks",),
    "bank": ("quiz",),
    "form": ("quiz",),
    "questions": _FORMS,
    "scores": _FORMS,
    "exit": ("survey",),
}
"""Key of a stage -> the kinds that use it. Others are judged where they are at home (roles, interviews, branches)."""
QUESTION_KEYS: Mapping[str, tuple[str, ...]] = {
    "options": WITH_OPTIONS,
    "low": WITH_RANGE,
    "high": WITH_RANGE,
    "low_label": WITH_RANGE,
    "high_label": WITH_RANGE,
    "eligible": ("choice", "multiple", *WITH_RANGE),
    "correct": ("choice", *WITH_RANGE),
    "other_ai": ("choice", "multiple", *WITH_RANGE),
    "unit": ("choice", *WITH_RANGE, "text"),
}
"""Key of a question -> the kinds that use it."""


def kind_problems(study: Study) -> Iterator[Finding]:
    """Yield each key that the kind of its stage or question does not use."""
    for stage in study.stages:
        yield from _of_kind(f"stages.{stage.id}", stage, STAGE_KEYS, f"a stage of kind {stage.kind}")
        if stage.minutes is not None and stage.about_minutes is not None and stage.kind in STAGE_KEYS["about_minutes"]:
            what = f"the stage has a limit of {stage.minutes:g} minutes, so it is not used"
            yield f"stages.{stage.id}.about_minutes", what, "remove one of the two"
        for question in stage.asked:
            key = f"stages.{stage.id}.questions.{question.id}"
            yield from _of_kind(key, question, QUESTION_KEYS, f"a question of kind {question.kind}")
            if question.eligible and stage.kind != "eligibility":
                what = f"a stage of kind {stage.kind} turns no one away, so everyone goes on whatever they answer"
                yield f"{key}.eligible", what, "ask it on a stage of kind eligibility, or remove it"


def _of_kind(key: str, part: Stage | Question, kinds: Mapping[str, tuple[str, ...]], what: str) -> Iterator[Finding]:
    for name in given(part):
        if name in kinds and part.kind not in kinds[name]:
            remedy = f"remove it, or use it on {' or '.join(kinds[name])}"
            yield f"{key}.{name}", f"{what} does not use it", remedy


def given(section: BaseModel) -> list[str]:
    """Return the keys of a table that its author gave another value than the usual one."""
    fields = type(section).model_fields
    return [
        name for name, field in fields.items() if getattr(section, name) != field.get_default(call_default_factory=True)
    ]


def quiz_of_role(study: Study, role: str) -> Quiz | None:
    """Return the first quiz of a role, or None."""
    return next((quiz for quiz in study.quizzes if quiz.role == role), None)
