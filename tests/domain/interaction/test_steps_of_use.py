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
    ("text", "bare"),
    [("ok, yes please", True), ("yes, write the timer", False), ("x = 1", False), ("```\nx\n```", False)],
)
def test_a_message_is_bare_where_it_says_nothing_but_fillers(text, bare):
    assert SessionMessage(text).bare is bare


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("write the timer\nand test it", ("write the timer", "test it")),
        ("write the timer. It must stop!", ("write the timer.", "it must stop!")),
        # What follows a line that ends in a colon was pasted, and a list after own words.
        ("write this:\nthe timer ticks", ("write this:",)),
        ("write the timer\n- it ticks\nthanks", ("write the timer", "thanks")),
        ("- it ticks\nthanks", ("- it ticks", "thanks")),
        ("why does it fail\nx = 1\n  more of it\n  is it right?", ("why does it fail", "is it right?")),
        ("x = 1\nwhy", ("why",)),
        ('it fails\nTraceback (most recent call last):\n  File "a.py", line 1\nwhy', ("it fails",)),
        # A fence keeps out what does not look like code, too, and to the end where it is not closed.
        ("what does it print?\n```\n$ 3 ticks\n```\nthanks", ("what does it print?", "thanks")),
        ("fix ```x = 1\ny = 2``` for me", ("fix", "for me")),
        ("fix it\n```\nhow so", ("fix it",)),
        ("ok, please write it", ("write it",)),
    ],
)
def test_own_words_are_told_from_what_was_pasted_line_by_line(text, sentences):
    assert SessionMessage(text).sentences == sentences


@pytest.mark.parametrize("label", ["generation", "explanation"])
def test_a_bare_yes_goes_on_with_code_where_code_was_asked_for_and_else_with_talk(label):
    assert code_message(SessionMessage("yes please", (label,))).labels == (label,)
