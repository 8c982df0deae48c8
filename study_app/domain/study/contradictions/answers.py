"""Answers that a question cannot have, cannot be scored by, or that say the opposite of what is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from study_app.domain.study.compliance import NO_OTHER_AI
from study_app.domain.study.contradictions.kinds import Finding
from study_app.domain.study.sections import WITH_RANGE, Question, Stage
from study_app.domain.study.study import Study

MISSING = "missing"
"""Level of people without an answer, where a model takes a variable's levels."""


def answer_problems(study: Study) -> Iterator[Finding]:
    """Yield what is wrong with the answers and scores of questions."""
    before = study.before_allocation if study.allocation_stage is not None else ()
    for stage in study.stages:
        for question in stage.asked:
            key = f"stages.{stage.id}.questions.{question.id}"
            found = [*_range(question), *_screening(question), *_alike(question), *_values(question)]
            if question.other_ai:
                found += _other_ai(question, stage, known_before=stage in before)
            if question.arms and stage.arms and not set(question.arms) & set(stage.arms):
                found.append(("arms", "the stage is for other arms, so no one is asked", "name an arm of the stage"))
            yield from ((f"{key}.{name}", what, remedy) for name, what, remedy in found)
        yield from _scores(stage)


def _range(question: Question) -> Iterator[Finding]:
    low, high = question.low, question.high
    if question.kind == "number" and low is not None and high is not None and low >= high:
        yield "high", f"{high} is not above low = {low}, so there are not two answers to tell apart", "widen the range"
    if question.kind not in WITH_RANGE:
        return
    for name in ("eligible", "correct"):
        value = getattr(question, name)
        for each in value if isinstance(value, tuple) else (value,):
            if each is not None and not _within(each, low, high):
                yield name, f"{each!r} is not an answer to a {question.kind} from {low} to {high}", "name an answer"


def _within(value: object, low: int | None, high: int | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def _screening(question: Question) -> Iterator[Finding]:
    if question.eligible and not question.required:
        what = "the question may be left out, and people who leave it out are turned away"
        yield "required", what, "remove required = false, or eligible"


def _alike(question: Question) -> Iterator[Finding]:
    """Options or rows that participants could not tell apart."""
    for name, parts in (("options", question.options), ("rows", question.rows)):
        for label in _twice(part.label.strip() for part in parts):
            yield name, f"two of them read '{label}', so participants cannot tell them apart", "reword one of them"


def _values(question: Question) -> Iterator[Finding]:
    """Values that a table cannot keep apart from numbers, or from people without an answer."""
    for option in question.options if question.kind in ("choice", "matrix") else ():
        if isinstance(option.value, str) and _reads_as_number(option.value):
            what = f"the value '{option.value}' is a text that reads as a number, and would be analysed as one"
            yield "options", what, "write whole numbers without quotes, or give the option a word"
        elif option.value == MISSING:
            what = f"the value '{MISSING}' is the analysis's word for people without an answer"
            yield "options", what, "give the option another word"


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _other_ai(question: Question, stage: Stage, *, known_before: bool) -> Iterator[Finding]:
    if known_before:
        what = "it is asked before allocation, and compliance is judged by what people did in the study"
        yield "other_ai", what, "ask it after the tasks, or remove other_ai"
    if question.arms or stage.arms:
        what = "only some arms are asked, and compliance is judged alike in each arm"
        yield "other_ai", what, "ask every arm, or remove other_ai"
    if question.kind in ("choice", "multiple"):
        values = [option.value for option in question.options]
        if not NO_OTHER_AI & {str(value).lower() for value in values}:
            what = f"none of the values {values} says that no other AI was used"
            yield "other_ai", what, 'give that option the value "no", "none", "never" or 0'


def _scores(stage: Stage) -> Iterator[Finding]:
    asked = {question.id: question for question in stage.asked}
    for score in stage.scores:
        key = f"stages.{stage.id}.scores.{score.id}.of"
        if not score.of:
            yield key, "the score counts no question", "name questions with a correct answer, or remove the score"
        for name in _twice(score.of):
            yield key, f"'{name}' would count twice", "name each question once"
        shown_to = {(asked[name].when, asked[name].arms) for name in score.of if name in asked}
        if len(shown_to) > 1:
            what = "its questions are not asked of the same people, so a lower score can mean fewer questions"
            yield key, what, "count questions that everyone is asked, or that have the same when and arms"


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
