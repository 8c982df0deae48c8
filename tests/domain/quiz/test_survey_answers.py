"""What a survey question takes, at its limits."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from study_app.domain.quiz.answering import answer_to, fault_of
from study_app.domain.study.sections import Question


def question(**given):
    return Question.model_validate({"id": "q", "prompt": "?", **given})


def test_an_open_answer_may_have_ten_thousand_characters_and_no_more():
    asked = question(kind="text")
    assert answer_to(asked, "x" * 10_000) == "x" * 10_000
    fault = fault_of(asked, "x" * 10_001)
    assert fault is not None
    assert (fault.code, fault.values) == ("too_long", {"limit": 10_000})


@pytest.mark.parametrize("kind", ["scale", "slider"])
def test_a_scale_has_two_points_at_least_and_takes_both_ends(kind):
    asked = question(kind=kind, low=1, high=2)
    assert [answer_to(asked, value) for value in (1, 2)] == [1, 2]
    assert all(fault_of(asked, value) is not None for value in (0, 3))
    with pytest.raises(ValidationError, match="low below high"):
        question(kind=kind, low=2, high=2)
