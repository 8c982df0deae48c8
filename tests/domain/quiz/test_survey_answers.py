"""What a survey question takes, at its limits."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.hostile.hostile_values import anything

from study_app.domain.quiz.answering import answer_to, fault_of
from study_app.domain.quiz.confidence import confidence_in
from study_app.domain.study.sections import Question

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from("ab")
JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("rsx"), inner, max_size=3)
)


def question(**keys):
    return Question.model_validate({"id": "q", "prompt": "?", **keys})


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


def test_a_number_that_no_answer_fits_is_refused():
    assert answer_to(question(kind="number", low=16, high=16), "16") == 16
    with pytest.raises(ValidationError, match="low = 160 above high = 99, so there is no answer; correct one"):
        question(kind="number", low=160, high=99)


ASKED = [
    question(kind="text"),
    question(kind="number", low=0, high=60, whole=True, unit="years"),
    question(kind="number"),
    question(kind="scale", low=1, high=7),
    question(kind="slider", low=0, high=100),
    question(kind="choice", options=[{"value": 1, "label": "one"}, {"value": "b", "label": "b"}]),
    question(kind="multiple", options=[{"value": "a", "label": "a"}, {"value": "b", "label": "b"}]),
    question(kind="ranking", options=[{"value": "a", "label": "a"}, {"value": "b", "label": "b"}]),
    question(
        kind="matrix",
        rows=[{"id": "r", "label": "r"}, {"id": "s", "label": "s"}],
        options=[{"value": 1, "label": "one"}, {"value": 2, "label": "two"}],
    ),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.kind}{asked.unit}")
@given(st.integers(0, 2**32), JSON)
@example(0, 10**400)
@example(0, -(10**400))
@example(0, [10**400])
@example(0, {"r": 10**400})
@example(0, "9" * 400)
def test_anything_in_a_field_is_an_answer_that_can_be_kept_or_has_a_fault(asked, seed, value):
    for shown in (value, anything(Random(seed))):
        fault = fault_of(asked, shown)
        assert fault is None or fault.code
        if fault is None:
            kept = json.dumps(answer_to(asked, shown), allow_nan=False)
            assert answer_to(asked, json.loads(kept)) == json.loads(kept)
        assert confidence_in(shown) is None or 0 <= confidence_in(shown) <= 1
