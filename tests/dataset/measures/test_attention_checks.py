"""Attention checks of the opened quizzes: those of the form that was shown, passed, failed or left out."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.measures.quiz import failed_attention_checks, quizzes
from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.quiz.items import ChoiceOption, Item
from study_app.domain.quiz.keys import ChoiceKey, Keys
from study_app.domain.records import Answer, Participant, Visit
from study_app.domain.study.study import Study

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def item(name: str, **given: Any) -> Item:
    options = tuple(ChoiceOption(id=letter, text=letter) for letter in "abc")
    usual = {"type": "attention_check", "kind": "single_choice", "points": 0}
    return Item(id=name, concept="c", prompt="?", options=options, **usual | given)


FORMS = {
    "long": (item("look"), item("read"), item("point", type="conceptual", points=2)),
    "short": (item("read"), item("point", type="conceptual", points=2)),
}
KEYS = Keys("bank", {name: ChoiceKey(correct=("a",)) for name in ("look", "read", "point")}, {})
CONTENT: Any = SimpleNamespace(
    bank=lambda _: SimpleNamespace(items_of=lambda form: FORMS[form or "long"]), keys=lambda _: KEYS
)


def record(form: str, given: dict[str, str], *, ended: bool = True, visited: bool = True) -> ParticipantRecord:
    stages = [
        {"id": "consent", "kind": "consent"},
        {"id": "quiz", "kind": "quiz", "bank": "quizzes/one", "form": form, "minutes": 10},
        {"id": "debrief", "kind": "debrief"},
    ]
    arms = [{"id": "plain", "control": True}]
    raw = {"schema": "study/1", "id": "q", "title": "Q", "arms": arms, "allocation": {"method": "simple"}}
    person = Participant("p1", "real", "hash", "in_progress", "quiz", 0, START, START)
    visits = [Visit("p1", "quiz", START, ended_at=START if ended else None)] if visited else []
    answers = [Answer("p1", "quiz", name, pick, bank="one", points=2.0) for name, pick in given.items()]
    usual: dict[str, Any] = {"runs": [], "turns": [], "events": [], "ratings": {}}
    study = Study.model_validate(raw | {"stages": stages})
    return ParticipantRecord(
        participant=person, status="in_progress", study=study, visits=visits, answers=answers, **usual
    )


def passed(*given: Any, **more: Any) -> tuple[int, int] | None:
    row = quizzes(record(*given, **more), CONTENT)
    return (row["attention_passed"], row["attention_total"]) if "attention_total" in row else None


@pytest.mark.parametrize(
    ("form", "given", "found"),
    [
        ("", {"look": "a", "read": "a"}, (2, 2)),
        ("long", {"look": "a", "read": "b"}, (1, 2)),
        ("long", {}, (0, 2)),
        # Of the short form only its own check was shown.
        ("short", {"read": "a"}, (1, 1)),
        ("short", {"read": "c"}, (0, 1)),
    ],
)
def test_checks_of_the_form_that_was_shown_count(form, given, found):
    assert passed(form, given) == found


def test_a_quiz_that_was_never_opened_or_goes_on_has_none():
    assert passed("long", {"look": "a"}, ended=False) is None
    assert passed("long", {}, visited=False) is None


def test_each_check_that_was_failed_or_left_out_is_evidence():
    found = failed_attention_checks(record("long", {"look": "b"}), CONTENT)
    assert [(each.kind, each.detail) for each in found] == [("attention_failed", "look"), ("attention_failed", "read")]
    assert failed_attention_checks(record("long", {"look": "a", "read": "a"}), CONTENT) == []
