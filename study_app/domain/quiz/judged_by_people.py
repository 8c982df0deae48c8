"""Which answers a person has to judge, by what, and how the question is introduced to graders."""

from __future__ import annotations

from study_app.domain.quiz.answer_ratings import WHOLE
from study_app.domain.quiz.items import Bank, Item
from study_app.domain.quiz.keys import AnyKey, ChoiceKey, CodeKey
from study_app.domain.quiz.scoring import score


def source_of(bank: Bank, item: Item, form: str) -> str:
    """Return where a question comes from, for graders: bank and version, the form where it has a title, the concept."""
    shown = bank.form(form or None).title
    parts = [f"{bank.title}, version {bank.version}", shown, bank.concepts[item.concept]]
    return " · ".join(part for part in parts if part)


def needs_person(item: Item, key: AnyKey, response: object) -> bool:
    """Whether a person has to judge: an answered item with a rubric only, or a text that no accepted answer matches."""
    if isinstance(key, ChoiceKey) or not isinstance(response, str) or not response.strip():
        return False
    if isinstance(key, CodeKey):
        return not key.checks
    return score(item, key, response).needs_review or not key.accept


def criteria(item: Item, key: AnyKey) -> tuple[tuple[str, str, float], ...]:
    """Return what is rated: the rubric, or the answer as a whole."""
    rubric = () if isinstance(key, ChoiceKey) else key.rubric
    if rubric:
        return tuple((criterion.id, criterion.text, criterion.points) for criterion in rubric)
    return ((WHOLE, "What the answer is worth as a whole", item.points),)


def steps_to(most: float) -> list[float]:
    """Return the points that a person may give: in halves up to the most, which may be any number."""
    halves = [index / 2 for index in range(int(most * 2) + 1)]
    return halves if halves[-1] == most else [*halves, most]
