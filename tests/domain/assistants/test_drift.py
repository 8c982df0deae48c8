"""Drift of a treatment: which differences between two rounds of questions count, and which rounds are compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from study_app.domain.assistants.drift import (
    Compared,
    ModelReply,
    compared,
    helped_alike,
    rounds_compared,
    served_otherwise,
)

REPLY = ModelReply(
    round=1, occasion="launch", treatment="full", provider="claude", declared="claude-sonnet-5-5",
    model="claude-sonnet-5-5", prompt_version="v1", task="sort", question=1, message="How?", reply="one two three",
    words=3, code_share=0.0, leak=False, refused=False, asked_at="2026-01-05T09:00:00+00:00", seconds=1.0,
)  # fmt: skip
MEANS = {"words": 100.0, "code_share": 0.5, "leak": 0.0, "refused": 0.0}
ALIKE = Compared(
    treatment="full", first=1, round=2, pairs=4, before=MEANS, now=MEANS, exact=1.0, near=0.0,
    served_before=("claude-sonnet-5-5",), served_now=("claude-sonnet-5-5",), failed=0,
)  # fmt: skip


def asked(round_: int, question: int = 1, **changed: Any) -> ModelReply:
    return replace(REPLY, round=round_, question=question, **changed)


@pytest.mark.parametrize(
    ("measure", "value", "said"),
    [
        ("words", 120.0, []),
        ("words", 80.0, []),
        ("words", 121.0, ["words 121, at first 100"]),
        ("words", 79.0, ["words 79, at first 100"]),
        ("code_share", 0.6, []),
        ("code_share", 0.4, []),
        ("code_share", 0.61, ["code share 0.61, at first 0.5"]),
        ("leak", 0.25, ["leak 0.25, at first 0"]),
    ],
)
def test_words_may_differ_by_a_fifth_of_the_first_and_shares_by_a_tenth(measure, value, said):
    assert replace(ALIKE, now=ALIKE.now | {measure: value}).drifts == said


def test_a_model_that_served_nothing_at_first_is_another_and_an_unnamed_first_one_is_not_compared():
    assert replace(ALIKE, served_now=("claude-haiku-5-5",)).another_model
    assert replace(ALIKE, served_now=("claude-sonnet-5-5", "claude-haiku-5-5")).another_model
    assert not replace(ALIKE, served_before=("claude-sonnet-5-5", "claude-haiku-5-5")).another_model
    assert not replace(ALIKE, served_before=()).another_model


def test_only_questions_that_both_rounds_answered_are_compared():
    first = [asked(1, 1), asked(1, 2, reply="a b c d e"), asked(1, 3, error="timeout"), asked(1, 4)]
    later = [asked(2, 1), asked(2, 2, reply="a b c d f", words=5), asked(2, 3), asked(2, 4, error="timeout")]
    found = compared(first, later)
    assert found is not None
    assert (found.first, found.round, found.pairs, found.failed) == (1, 2, 2, 1)
    # One reply is word for word the same, the other has four of five words in common; each counts once.
    assert (found.exact, found.near) == (0.5, 0.5)
    assert (found.before["words"], found.now["words"]) == (3.0, 4.0)
    assert compared([asked(1, 1)], [asked(2, 2)]) is None


def test_each_later_round_is_held_against_the_launch_and_under_a_new_prompt_against_its_first():
    probe, launch = asked(1, occasion="probe"), asked(2)
    weekly, close = asked(3, occasion="weekly"), asked(4, occasion="close")
    changed = [asked(5, occasion="weekly", prompt_version="v2"), asked(6, occasion="close", prompt_version="v2")]
    found = rounds_compared([close, weekly, launch, probe, *changed])
    assert [(each.first, each.round) for each in found] == [(2, 3), (2, 4), (5, 6)]


def test_treatments_that_act_are_compared_apart_and_interviewers_not_at_all():
    replies = [
        asked(1, treatment="agent"),
        asked(1, 2, treatment="agent", stop_reason="tool_use"),
        asked(1, treatment="full"),
        asked(1, treatment="interview exit"),
    ]
    assert helped_alike(replies) == [["full"], ["agent"]]


def test_a_round_without_an_answer_is_none_to_compare_with():
    silent = [asked(1, 1, error="timeout"), asked(1, 2, error="timeout")]
    first = [asked(2, 1, occasion="weekly"), asked(2, 2, occasion="weekly", error="timeout")]
    later = [asked(3, 1, occasion="weekly", model="claude-haiku-5-5")]
    (found,) = rounds_compared([*silent, *first, *later])
    assert (found.first, found.round, found.another_model) == (2, 3, True)
    assert rounds_compared(silent) == []


def test_a_reply_of_another_model_than_the_declared_one_is_named_and_a_dated_snapshot_of_it_is_not():
    replies = [
        asked(1, 1),
        asked(1, 2, model="claude-sonnet-5-5-20260101"),
        asked(1, 3, model="", error="timeout"),
        asked(1, 4, model="claude-haiku-5-5", recorded_match="exact", declared=""),
    ]
    assert served_otherwise(replies) == {}
    other = [asked(1, 5, model="claude-haiku-5-5"), asked(1, 6, model="claude-haiku-5-5")]
    assert served_otherwise([*replies, *other]) == {"full": "served by claude-haiku-5-5, declared is claude-sonnet-5-5"}
