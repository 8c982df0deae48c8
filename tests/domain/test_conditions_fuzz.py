"""Any text as a condition: one that answers true or false for any answers, or one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.conditions import DEEPEST, StageCondition

TOKENS = [*"and or not in answered ( ) [ ] , == != < >= a b 2 -1.5 'x' \"y\" é =".split(), "9" * 400, "\n"]
NAMES = st.sampled_from(["a", "b", "answered", "c"])
ONE = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.booleans()
SOME = st.lists(ONE, max_size=3) | st.dictionaries(st.text(max_size=2), ONE, max_size=2)
ANSWERS = st.dictionaries(NAMES, ONE | SOME)
JOINTS = st.lists(st.sampled_from([" and ", " or ", " and not "]), min_size=5)
PARTS = st.sampled_from(["a == 2", "a in [1, 'x']", "'x' in b", "answered(a)", "a < 3", "b >= 'x'"])


def read(text: str) -> StageCondition | None:
    try:
        return StageCondition(text)
    except ValueError as error:
        said = str(error)
    assert said
    return None


@settings(max_examples=150)
@given(st.text(max_size=60) | st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join), ANSWERS)
def test_any_text_is_a_condition_or_one_sentence(text, answers):
    condition = read(text)
    assert condition is None or condition(answers) in (True, False)


@settings(max_examples=100)
@given(st.lists(PARTS, min_size=1, max_size=6), JOINTS, ANSWERS)
def test_what_the_grammar_makes_is_read_and_answers_for_any_answers(parts, joints, answers):
    text = parts[0] + "".join(joint + part for joint, part in zip(joints, parts[1:], strict=False))
    assert StageCondition(text)(answers) in (True, False)


def test_depth_and_length_have_an_end():
    assert read("(" * 10_000) is None
    assert read("a == 1 and " * 500 + "a == 1") is None


@pytest.mark.parametrize(
    ("before", "after", "most"), [("(", ")", 20), ("not ", "", 20), ("(not ", ")", 10), ("not (", ")", 10)]
)
def test_parentheses_and_negations_may_lie_within_each_other_up_to_a_depth_of_twenty(before, after, most):
    assert DEEPEST == 20
    # An even number of negations is none.
    assert StageCondition(before * most + "years > 2" + after * most)({"years": 3})
    with pytest.raises(ValueError, match="nested too deeply"):
        StageCondition(before * (most + 1) + "years > 2" + after * (most + 1))
    # What stands side by side is not deeper.
    assert StageCondition(" and ".join(f"{before}{before}a > 2{after}{after}" for _ in range(20)))({"a": 3})
