"""The texts of a study that participants read, by dotted key, and the study with them in another language.

A key names a text by ids, never by its place: `stages.consent.body`, `questions.years.prompt`,
`questions.years.options.2`. The keys stand below `[content]` in `texts/<language>.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from study_app.domain.study.sections import Question, Stage
from study_app.domain.study.sequential.sections import SecondDecision
from study_app.domain.study.study import Study

PLACEHOLDER = re.compile(r"\{(\w+)\}")

_ARM = ("instructions", "pledge")
_STAGE = ("title", "body", "intro")
_QUESTION = ("prompt", "low_label", "high_label", "unit")
_CONSENT = ("pay", "pay_when_leaving", "risks")
_STUDY = ("title", "researchers", "ethics", "contact")
NAMES = frozenset({"study.researchers", "study.ethics", "study.contact"})
"""Keys that need no translation: names and numbers are the same in every language."""


def placeholders(text: str) -> list[str]:
    """Names in braces, sorted; a translation has the same."""
    return sorted(set(PLACEHOLDER.findall(text)))


def study_texts(study: Study) -> dict[str, str]:
    """Dotted key -> text, of every text of the study file that participants read; empty ones are left out."""
    return {key: text for key, text in _study_texts(study) if text.strip()}


def _study_texts(study: Study) -> Iterator[tuple[str, str]]:
    yield from _fields("study", study, _STUDY)
    yield from _fields("consent", study.consent, _CONSENT)
    yield "data.shared", study.data.shared
    for arm in study.arms:
        yield from _fields(f"arms.{arm.id}", arm, _ARM)
    for treatment in study.second_decision.treatments:
        yield from _fields(f"second_decision.{treatment.id}", treatment, _ARM)
    for stage in study.stages:
        yield from _fields(f"stages.{stage.id}", stage, _STAGE)
        for question in stage.questions:
            yield from _question_texts(question)


def _question_texts(question: Question) -> Iterator[tuple[str, str]]:
    key = f"questions.{question.id}"
    yield from _fields(key, question, _QUESTION)
    for option in question.options:
        yield f"{key}.options.{option.value}", option.label
    for row in question.rows:
        yield f"{key}.rows.{row.id}", row.label


def _fields(key: str, holder: Any, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in names:
        yield f"{key}.{name}", getattr(holder, name)


# -- the study in another language -----------------------------------------------------------------------------------


def in_language(study: Study, language: str) -> Study:
    """Return the study as participants of a language meet it.

    What was not translated stays in the study's own language.
    """
    if not language or language == study.language:
        return study
    say = sayer(study.translations.get(language, {}))
    changes: dict[str, Any] = _said(study, "study", _STUDY, say) | {
        "language": language,
        "consent": study.consent.model_copy(update=_said(study.consent, "consent", _CONSENT, say)),
        "data": study.data.model_copy(update={"shared": say("data.shared", study.data.shared)}),
        "arms": tuple(arm.model_copy(update=_said(arm, f"arms.{arm.id}", _ARM, say)) for arm in study.arms),
        "second_decision": _second_decision(study.second_decision, say),
        "stages": tuple(_stage(stage, say) for stage in study.stages),
    }
    return study.model_copy(update=changes)


def _second_decision(second: SecondDecision, say: Say) -> SecondDecision:
    treatments = (
        each.model_copy(update=_said(each, f"second_decision.{each.id}", _ARM, say)) for each in second.treatments
    )
    return second.model_copy(update={"treatments": tuple(treatments)})


Say = Callable[[str, str], str]
"""(dotted key, text) -> the text in the participant's language."""


def sayer(texts: Mapping[str, str]) -> Say:
    """Look a text up; an empty translation counts as none."""
    return lambda key, text: texts.get(key) or text


def _said(holder: Any, key: str, names: tuple[str, ...], say: Say) -> dict[str, Any]:
    return {name: say(f"{key}.{name}", getattr(holder, name)) for name in names}


def _stage(stage: Stage, say: Say) -> Stage:
    questions = tuple(_question(question, say) for question in stage.questions)
    return stage.model_copy(update=_said(stage, f"stages.{stage.id}", _STAGE, say) | {"questions": questions})


def _question(question: Question, say: Say) -> Question:
    key = f"questions.{question.id}"
    options = tuple(
        option.model_copy(update={"label": say(f"{key}.options.{option.value}", option.label)})
        for option in question.options
    )
    rows = tuple(row.model_copy(update={"label": say(f"{key}.rows.{row.id}", row.label)}) for row in question.rows)
    return question.model_copy(update=_said(question, key, _QUESTION, say) | {"options": options, "rows": rows})
