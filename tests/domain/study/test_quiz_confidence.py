"""What a study asks about a quiz beside its items: where it may stand, and which question judges a quiz."""

from __future__ import annotations

from typing import Any

import pytest

from study_app.domain.study.quiz_confidence import (
    confidence_columns,
    confidence_problems,
    judged_share,
    judgement_question,
)
from study_app.domain.study.sections import Question, Stage


def question(name: str = "expected", **given: Any) -> Question:
    usual = {"id": name, "kind": "scale", "prompt": "?", "low": 0, "high": 10}
    return Question.model_validate({key: value for key, value in (usual | given).items() if value is not None})


def survey(name: str, *asked: Question, **given: Any) -> Stage:
    stage = {"id": name, "kind": "survey", "questions": [each.model_dump() for each in asked]}
    return Stage.model_validate(stage | given)


def quiz(name: str = "quiz", **given: Any) -> Stage:
    return Stage.model_validate({"id": name, "kind": "quiz", "bank": "banks/trio", "minutes": 5} | given)


BEFORE = survey("before", question("other"), question())


@pytest.mark.parametrize(
    ("stages", "keys"),
    [
        ([BEFORE, quiz()], []),
        ([BEFORE, quiz(confidence=True, judgement="expected")], []),
        ([survey("before", question(), confidence=True)], ["stages.before.confidence: only a quiz has it"]),
        (
            [BEFORE, survey("after", question("more"), judgement="expected")],
            ["stages.after.judgement: only a quiz has it"],
        ),
        ([quiz(judgement="expected")], ["stages.quiz.judgement: 'expected' is not a question of a stage before"]),
        ([quiz(judgement="expected"), BEFORE], ["stages.quiz.judgement: 'expected' is not a question of a stage"]),
        ([BEFORE, quiz(judgement="another")], ["stages.quiz.judgement: 'another' is not a question"]),
        (
            [survey("before", question(kind="text", low=None, high=None)), quiz(judgement="expected")],
            ["stages.quiz.judgement: 'expected' is of kind text"],
        ),
        (
            [survey("before", question(kind="number", high=None)), quiz(judgement="expected")],
            ["stages.quiz.judgement: 'expected' is of kind number"],
        ),
        (
            [survey("before", question(kind="number", low=None)), quiz(judgement="expected")],
            ["stages.quiz.judgement: 'expected' is of kind number"],
        ),
        # Each quiz by itself.
        ([BEFORE, quiz("first", judgement="expected"), quiz("second", judgement="another")],
         ["stages.second.judgement: 'another' is not"]),
    ],
)  # fmt: skip
def test_confidence_and_a_judgement_stand_at_a_quiz_that_a_question_with_two_ends_comes_before(stages, keys):
    found = list(confidence_problems(stages))
    assert len(found) == len(keys)
    assert all(problem.startswith(key) for problem, key in zip(found, keys, strict=True))


def test_the_question_that_judges_a_quiz_is_one_before_it():
    judged = quiz(judgement="expected")
    assert judgement_question([BEFORE, judged], judged) == BEFORE.questions[1]
    assert judgement_question([judged, BEFORE], judged) is None


@pytest.mark.parametrize(
    ("low", "high", "answer", "share"),
    [
        (0, 10, 0, 0.0),
        (0, 10, 10, 1.0),
        (0, 10, 2.5, 0.25),
        (2, 6, 3, 0.25),
        (2, 6, 1, -0.25),
        (0, None, 3, None),
        (None, 10, 3, None),
        (0, 10, "3", None),
        (0, 10, None, None),
    ],
)
def test_a_judgement_is_the_share_of_the_way_from_the_low_to_the_high_end(low, high, answer, share):
    assert judged_share(question(kind="number", low=low, high=high), answer) == share


def test_a_quiz_has_columns_of_what_it_asks():
    assert confidence_columns(quiz()) == ()
    assert confidence_columns(quiz(confidence=True)) == ("confidence", "overconfidence", "brier", "gamma")
    assert confidence_columns(quiz(judgement="expected")) == ("judgement", "judgement_error")
    assert len(confidence_columns(quiz(confidence=True, judgement="expected"))) == 6
