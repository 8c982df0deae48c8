"""Sliders, rankings and matrices: what is an answer, what columns they have, and orders drawn for each person."""

from __future__ import annotations

import contextlib
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from study_app.dataset.schema.participants import columns_of
from study_app.domain.drawn_order import drawn
from study_app.domain.quiz.answering import Unanswerable, answer_to, fault_of
from study_app.domain.study.study import Question

OPTIONS = [{"value": 1, "label": "No"}, {"value": 2, "label": "So so"}, {"value": 3, "label": "Yes"}]
SLIDER = Question(id="s", kind="slider", prompt="How sure?", low=0, high=100)
RANKING = Question(id="r", kind="ranking", prompt="In which order?", options=OPTIONS)
ROWS = [{"id": "clear", "label": "It was clear"}, {"id": "fast", "label": "It was fast"}]
MATRIX = Question(id="m", kind="matrix", prompt="Agree?", options=OPTIONS, rows=ROWS)


@pytest.mark.parametrize(
    ("question", "shown", "code"),
    [
        (SLIDER, None, "required"),
        (SLIDER, 101, "range"),
        (SLIDER, 1.5, "no_option"),
        (SLIDER, "50", "no_option"),
        (RANKING, [], "required"),
        (RANKING, [1, 2], "places"),
        (RANKING, [1, 2, 2], "places"),
        (RANKING, [1, 2, 4], "no_option"),
        (RANKING, [1, 2, "3"], "no_option"),
        (MATRIX, {}, "required"),
        (MATRIX, {"clear": 1}, "rows"),
        (MATRIX, {"clear": 1, "fast": 9}, "no_option"),
        (MATRIX, {"clear": 1, "other": 1}, "no_option"),
        (MATRIX, [1, 2], "no_option"),
        (MATRIX, {"clear": 1, "fast": True}, "no_option"),
    ],
)
def test_what_is_no_answer_is_named_by_its_fault(question, shown, code):
    assert fault_of(question, shown).code == code


def test_whole_answers_are_taken_and_optional_ones_may_have_gaps():
    assert answer_to(SLIDER, 40) == 40
    assert answer_to(RANKING, [3, 1, 2]) == [3, 1, 2]
    assert answer_to(MATRIX, {"fast": 3, "clear": 1}) == {"clear": 1, "fast": 3}
    optional = MATRIX.model_copy(update={"required": False})
    assert answer_to(optional, {"fast": 3}) == {"fast": 3}
    assert fault_of(optional, {}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["clear", "fast", "x"]), inner),
    max_leaves=6,
)


@given(st.sampled_from([SLIDER, RANKING, MATRIX]), JSON)
def test_whatever_a_browser_sends_is_an_answer_or_a_fault(question, shown):
    with contextlib.suppress(Unanswerable):
        answer_to(question, shown)


def test_a_matrix_has_a_column_for_each_row_and_the_others_one():
    assert [(column.name, column.type) for column in columns_of(MATRIX)] == [
        ("m_clear", "integer"),
        ("m_fast", "integer"),
    ]
    assert [column.caption for column in columns_of(MATRIX)] == ["Agree?: It was clear", "Agree?: It was fast"]
    assert [column.name for question in (SLIDER, RANKING) for column in columns_of(question)] == ["s", "r"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "matrix", "options": OPTIONS},
        {"kind": "matrix", "options": OPTIONS, "rows": [ROWS[0], ROWS[0]]},
        {"kind": "choice", "options": OPTIONS, "rows": ROWS},
        {"kind": "ranking", "options": OPTIONS[:1]},
        {"kind": "slider"},
        {"kind": "text", "shuffle": True},
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(wrong):
    with pytest.raises(ValidationError):
        Question(id="q", prompt="?", **wrong)


def test_each_order_is_as_likely_as_another_and_a_person_keeps_theirs():
    orders = Counter(drawn("abc", f"person{n}", "q") for n in range(6000))
    assert set(orders) == set(permutations("abc"))
    assert all(850 < count < 1150 for count in orders.values())
    assert drawn("abcdef", "p", "q") == drawn("abcdef", "p", "q")
    assert any(drawn("abcdef", "p", "q") != drawn("abcdef", "p", f"q{n}") for n in range(5))
