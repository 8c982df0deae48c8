"""Which replies are given to people who guess the persona that wrote them."""

from __future__ import annotations

import pytest

from study_app.domain.assistants.drift import ModelReply
from study_app.domain.assistants.persona_checks.guessing import guessable, object_of, persona_of


def reply(round_: int, treatment: str, text: str = "One.", error: str = "") -> ModelReply:
    return ModelReply(
        round=round_, occasion="probe", treatment=treatment, provider="notes", declared="", model="",
        prompt_version="v1", task="sort", question=1, message="How?", reply=text, words=1, code_share=0.0, leak=False,
        refused=False, asked_at="2026-01-05T09:00:00+00:00", seconds=1.0, error=error,
    )  # fmt: skip


FIRST = [reply(1, "full+warm"), reply(1, "full+curt")]


@pytest.mark.parametrize(
    ("more", "rounds"),
    [
        ([], {1}),
        ([reply(2, "full+warm"), reply(2, "full+curt")], {2}),
        # A lone voice differs from none.
        ([reply(2, "full+warm")], {1}),
        ([reply(2, "full+warm"), reply(2, "hints+warm")], {1}),
        ([reply(2, "full+warm"), reply(2, "full")], {1}),
        ([reply(2, "full+warm"), reply(2, "full+curt", "")], {1}),
        ([reply(2, "full+warm"), reply(2, "full+curt", error="timeout")], {1}),
    ],
)
def test_guessed_is_the_newest_round_in_which_two_personas_answered(more, rounds):
    assert {each.round for each in guessable([*FIRST, *more])} == rounds


def test_without_a_round_of_two_personas_nothing_is_guessed():
    assert guessable([reply(1, "full+warm"), reply(2, "full+curt")]) == []
    assert guessable([reply(1, "full+warm")]) == []
    assert guessable([]) == []


def test_only_replies_with_a_persona_are_guessed_and_each_has_a_name_of_its_own():
    found = guessable([*FIRST, reply(1, "full")])
    assert [persona_of(each.treatment) for each in found] == ["warm", "curt"]
    assert len({object_of(each) for each in found}) == 2
