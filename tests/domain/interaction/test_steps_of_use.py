"""Steps of use and messages, as the coder and the patterns read them."""

from __future__ import annotations

import pytest

from study_app.domain.interaction.message import SessionMessage
from study_app.domain.interaction.rules import code_message
from study_app.domain.interaction.steps import of_turn


def test_a_turn_begins_when_it_is_composed_and_ends_with_its_reply_in_milliseconds():
    steps = of_turn("t1", 50_000.0, "one", ("generation",), 4.0, 7.0)
    assert [(step.action, step.at) for step in steps] == [
        ("compose", 43_000.0),
        ("query", 50_000.0),
        ("reply", 54_000.0),
    ]
    assert [step.action for step in of_turn("t1", 50_000.0, "one", (), None, None)] == ["query"]


@pytest.mark.parametrize(
    ("text", "bare"), [("ok, yes please", True), ("yes, write the timer", False), ("x = 1", False)]
)
def test_a_message_is_bare_where_it_says_nothing_but_fillers(text, bare):
    assert SessionMessage(text).bare is bare


@pytest.mark.parametrize("label", ["generation", "explanation"])
def test_a_bare_yes_goes_on_with_code_where_code_was_asked_for_and_else_with_talk(label):
    assert code_message(SessionMessage("yes please", (label,))).labels == (label,)
