"""Whatever a request says of a step is checked before anything is looked up, and a program becomes one change of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.editing.edits import apply
from study_app.domain.errors import Malformed, TooLong
from study_app.domain.events.changes import Change, utf16_length
from study_app.services.participant.agent.answering import DECISIONS, StepAnswer, _instead, check_answer

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("ab\n\U0001f600é"), max_size=30)
MAYBE = st.none() | st.text(max_size=20)


@given(st.builds(StepAnswer, st.text(max_size=9), st.sampled_from([*DECISIONS, "", "stale"]) | st.text(max_size=60),
                 MAYBE, MAYBE, MAYBE, st.none() | st.integers()))  # fmt: skip
def test_any_answer_is_sound_or_refused_in_a_sentence(answer):
    try:
        check_answer(answer)
    except (Malformed, TooLong) as error:
        said = str(error)
    else:
        said = "sound"
        assert answer.decision in DECISIONS
        assert (answer.page is None) == (answer.seq is None)
    assert said


@settings(max_examples=200)
@given(TEXTS, TEXTS, st.data())
def test_the_change_in_place_of_a_proposed_one_gives_the_program_that_was_sent(text, after, data):
    ends = sorted(utf16_length(text[: data.draw(st.integers(0, len(text)))]) for _ in range(2))
    change = _instead(Change(ends[0], ends[1], "x"), text, after)
    assert apply(text, [change]) == after
