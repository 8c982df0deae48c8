"""Conditions that all answers meet, or none: which answers stand for all of them, and which conditions are tried."""

from __future__ import annotations

from typing import Any

import pytest

from study_app.domain.conditions import Named
from study_app.domain.study.contradictions.asked_conditions import condition_problems, possible
from study_app.domain.study.sections import Question, Stage
from study_app.domain.study.study import Study


def question(name: str = "years", kind: str = "scale", **given: Any) -> Question:
    usual = {"low": 0, "high": 7} if kind in ("scale", "slider") else {}
    return Question.model_validate({"id": name, "kind": kind, "prompt": "?"} | usual | given)


def options(count: int) -> list[dict[str, str]]:
    return [{"value": letter, "label": letter} for letter in "abcdefgh"[:count]]


def answers(asked: Question, *held: Any, **stage: Any) -> list[Any]:
    survey = Stage.model_validate({"id": "more", "kind": "survey", "questions": [asked.model_dump()]} | stage)
    return possible(asked, survey, [Named(asked.id, value) for value in held])


def test_a_scale_of_up_to_a_hundred_and_one_steps_is_tried_with_each_of_them():
    assert answers(question(high=100), 50) == list(range(101))
    # A longer one by its ends and the answers around what it is held against.
    assert answers(question(high=101), 50) == [0, 101, 49, 50, 51]


def test_a_number_is_tried_at_its_ends_and_around_what_it_is_held_against():
    number = question(kind="number", low=0, high=10)
    assert answers(number, 4) == [0, 10, 3.5, 4, 4.5]
    assert answers(number, 10, 0) == [0, 10, 9.5, 10, 0, 0.5]
    assert answers(question(kind="number", whole=True, low=0, high=10), 4) == [0, 10, 3, 4, 5]
    assert answers(question(kind="number", whole=True), 4, 8) == [3, 9, 3, 4, 5, 7, 8, 9]
    assert answers(question(kind="number")) == [-1, 1]


def test_every_choice_of_up_to_six_options_is_tried_and_of_more_those_of_one_two_and_all():
    pair = question("uses", "multiple", options=options(2))
    assert answers(pair, "a") == [["a"], ["b"], ["a", "b"]]
    assert len(answers(question("uses", "multiple", options=options(6)), "a")) == 2**6 - 1
    assert len(answers(question("uses", "multiple", options=options(7)), "a")) == 7 + 21 + 1


def test_answers_that_keep_people_out_are_not_tried():
    assert answers(question("role", "choice", options=options(3), eligible=["b"]), "a") == ["b"]


def test_a_text_can_be_each_of_the_words_that_it_is_held_against_or_another():
    assert answers(question("why", "text"), "time", "pay") == ["time", "pay", "timepay, and more"]


@pytest.mark.parametrize(
    ("asked", "stage"),
    [
        ({"required": False}, {}),
        ({"when": "other > 2"}, {}),
        ({"arms": ["plain"]}, {}),
        ({}, {"when": "other > 2"}),
        ({}, {"arms": ["plain"]}),
        ({}, {"minutes": 3}),
    ],
)
def test_an_answer_can_be_missing_where_some_are_not_asked_or_the_time_can_run_out(asked, stage):
    assert answers(question(high=1, **asked), **stage) == [0, 1, None]
    assert answers(question(high=1)) == [0, 1]


def study(when: str, *asked: Question) -> Study:
    stages: list[dict[str, Any]] = [
        {"id": "consent", "kind": "consent"},
        {"id": "more", "kind": "survey", "questions": [each.model_dump() for each in asked]},
        {"id": "then", "kind": "survey", "when": when, "questions": [question("felt").model_dump()]},
        {"id": "instructions", "kind": "instructions"},
        {"id": "debrief", "kind": "debrief"},
    ]
    arms = [{"id": "plain", "control": True}, {"id": "other", "instructions": "Go on."}]
    return Study.model_validate(
        {
            "schema": "study/1", "id": "asked", "title": "Asked", "arms": arms, "stages": stages,
            "allocation": {"method": "simple"},
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("a >= 0", ["'a >= 0' holds whatever people answer"]),
        ("a > 7", ["'a > 7' holds for no answer, so no one would come here"]),
        ("a > 6", []),
        ("a > 7 or b > 7 or c > 7", ["'a > 7 or b > 7 or c > 7' holds for no answer, so no one would come here"]),
        # A condition over four questions is not tried with all their answers.
        ("a > 7 or b > 7 or c > 7 or d > 7", []),
        ("", []),
    ],
)
def test_a_condition_over_up_to_three_questions_is_tried_with_all_their_answers(when, said):
    found = list(condition_problems(study(when, *(question(name) for name in "abcd"))))
    assert [(key, what) for key, what, _ in found] == [("stages.then.when", each) for each in said]


def test_a_question_that_can_be_left_out_can_be_without_an_answer():
    assert list(condition_problems(study("answered(a)", question("a", required=False)))) == []
    ((key, what, _),) = condition_problems(study("answered(a)", question("a")))
    assert (key, what) == ("stages.then.when", "'answered(a)' holds whatever people answer")
