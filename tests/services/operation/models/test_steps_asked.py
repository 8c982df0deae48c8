"""What is kept of a question to an interviewer's model: its time, its tokens and its price."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.trials.interview_study import plan_text

from study_app.domain.assistants.drift import RoundFacts
from study_app.domain.errors import AssistantUnavailable
from study_app.domain.interviews.plan import read_plan
from study_app.domain.interviews.requests import InterviewReply, ModelStep
from study_app.services.operation.models import steps

PRICED = 'model = "m"\nprice = { input_usd = 1_000_000, output_usd = 1_000_000 }\n'
"""A dollar a token, so that the price is the count."""


def question():
    """Return the question about an answer of 13 characters."""
    plan = read_plan(PRICED + plan_text(mode="probing", minutes=9, max_turns=9, probes=1, must="true"), "talk.toml")
    return next(steps.follow_ups([plan]))


def served(**said):
    return InterviewReply(ModelStep("probe", "", "What came next?"), model="m-1", **said)


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (served(input_tokens=30, output_tokens=9), {"words": 3, "usd": 39, "refused": False, "error": ""}),
        (served(), {"words": 3, "usd": 5 + 8, "refused": False, "error": ""}),
        (InterviewReply(stop_reason="refusal"), {"words": 0, "usd": 5, "refused": True, "error": ""}),
        (AssistantUnavailable("overloaded", "later"), {"words": 0, "usd": 0, "refused": False, "error": "overloaded"}),
    ],
    ids=["counted", "estimated", "declined", "failed"],
)
def test_a_question_to_an_interviewer_keeps_what_it_took_and_what_it_cost(monkeypatch, reply, kept):
    ticks = iter([100.0, 102.5004])
    monkeypatch.setattr(steps, "monotonic", lambda: next(ticks))

    def step(_):
        if isinstance(reply, Exception):
            raise reply
        return reply

    found = steps.followed_up(question(), SimpleNamespace(step=step), RoundFacts(2, "weekly", "2026-03-02"))
    assert {name: getattr(found, name) for name in kept} == kept
    assert (found.seconds, found.round, found.occasion, found.asked_at) == (2.5, 2, "weekly", "2026-03-02")
