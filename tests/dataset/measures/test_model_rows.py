"""Rows on models: what was kept comes back from its row, and a round's digest covers what was asked and answered."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from study_app.dataset.measures.models import look_in, look_rows, reply_in, reply_rows, round_digest
from study_app.domain.assistants.drift import ModelReply
from study_app.domain.assistants.served_models import ModelLook

AT = "2026-01-05T09:00:00+00:00"
MODEL = "claude-sonnet-5-5"
LOOK = ModelLook(AT, "full", "claude", MODEL, MODEL, "Sonnet", "active", AT, 64_000, "thinking:off")
REPLY = ModelReply(
    round=2, occasion="weekly", treatment="full", provider="claude", declared=MODEL, model=MODEL,
    prompt_version="v1", task="sort", question=3, message="How?", reply="So.", words=1,
    code_share=0.25, leak=True, refused=False, asked_at=AT, seconds=1.5, input_tokens=0, output_tokens=7,
    stop_reason="end_turn", error="", recorded_match="exact", usd=0.01,
)  # fmt: skip
UNANSWERED = replace(
    REPLY, model="", reply="", words=0, code_share=0.0, leak=False, input_tokens=None, output_tokens=None,
    error="timeout", recorded_match="", usd=0.0,
)  # fmt: skip


@pytest.mark.parametrize("look", [LOOK, ModelLook(AT, "notes", "notes"), ModelLook(AT, "full", "claude", problem="x")])
def test_a_look_comes_back_from_its_row(look):
    (row,) = look_rows([look])
    assert look_in(row) == look
    assert (row["retires_at"] is None) == (not look.retires_at)


@pytest.mark.parametrize("reply", [REPLY, UNANSWERED])
def test_a_reply_comes_back_from_its_row(reply):
    (row,) = reply_rows([reply])
    assert reply_in(row) == reply
    assert row["error"] == (reply.error or None)


def test_a_rounds_digest_covers_questions_and_replies_in_any_order():
    other = replace(REPLY, question=4, reply="No.")
    digest = round_digest(map(asdict, (REPLY, other)))
    assert digest == round_digest(map(asdict, (other, REPLY)))
    # As the rows of a dataset have it, with missing cells for what is empty.
    assert round_digest(map(asdict, (UNANSWERED, other))) == round_digest(reply_rows((UNANSWERED, other)))
    for name in ("treatment", "task", "question", "model", "message", "reply"):
        assert round_digest([asdict(replace(REPLY, **{name: "9"})), asdict(other)]) != digest
    assert round_digest([asdict(replace(REPLY, seconds=9.0)), asdict(other)]) == digest
