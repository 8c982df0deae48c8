"""Replayed turns."""

import asyncio
import json

import pytest

from study_app.assistant.recorded import RecordedAssistant
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyBrokenOff, ReplyEnd
from study_app.domain.errors import AssistantUnavailable, ProblemsFound

SPEC = AssistantSpec(id="old", version="1", label="A", provider="recorded", recording="turns.jsonl")
TURNS = [
    {"message": "Hi", "reply": "First.", "model": "m1", "input_tokens": 3, "output_tokens": 2},
    {"message": "hi ", "reply": "Second.", "pieces": ["Sec", "ond."], "stop_reason": "max_tokens"},
    {"message": "Only there", "reply": "Yes.", "task": "trio_users"},
    {"message": "Broken", "reply": "Half a", "error": "connection", "retry_after": 2},
]
RECORDING = "\n".join(json.dumps(turn) for turn in TURNS)


def heard(message, history=(), task=""):
    async def scene():
        assistant = RecordedAssistant(SPEC, RECORDING)
        request = AssistantRequest(message, "", "", tuple(history), task)
        return [piece async for piece in assistant.reply(request)]

    return asyncio.run(scene())


def test_a_turn_is_replayed_as_it_was_recorded():
    *pieces, end = heard("Hi")
    assert "".join(piece.text for piece in pieces) == "First."
    assert end == ReplyEnd("m1", SPEC.prompt_version, 3, 2)


def test_the_same_message_again_gets_the_next_recorded_turn_and_then_the_last():
    *pieces, end = heard("hi", [("Hi", "First.")])
    assert [piece.text for piece in pieces] == ["Sec", "ond."]
    assert end.stop_reason == "max_tokens"
    assert heard("HI", [("Hi", "a"), ("Hi", "b"), ("Hi", "c")]) == [*pieces, end]


def test_a_turn_of_one_task_answers_in_that_task_only():
    assert heard("Only there", task="trio_users")[0].text == "Yes."
    with pytest.raises(AssistantUnavailable, match="no reply to this message"):
        heard("Only there", task="trio_timer")


def test_a_recorded_failure_fails_again_after_its_words():
    with pytest.raises(ReplyBrokenOff) as caught:
        heard("Broken")
    assert (caught.value.kind, caught.value.retry_after) == ("connection", 2)


def test_every_unreadable_line_is_reported():
    with pytest.raises(ProblemsFound) as caught:
        RecordedAssistant(SPEC, '{"message": 1}\nnot json\n\n{"message": "ok"}\n', file="turns.jsonl")
    assert [problem.key for problem in caught.value.problems] == ["row 1, message", "row 2"]


def test_a_line_separator_inside_a_reply_is_no_line_of_the_recording():
    line = json.dumps({"message": "Hi", "reply": "One.\u2028Two.\u0085"}, ensure_ascii=False)

    async def scene():
        return [piece async for piece in RecordedAssistant(SPEC, line).reply(AssistantRequest("Hi", "", ""))]

    *pieces, _ = asyncio.run(scene())
    assert "".join(piece.text for piece in pieces) == "One.\u2028Two.\u0085"
