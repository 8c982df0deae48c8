"""Claude as an agent, against a real local HTTP server: one call a step, whatever the model or the wire does."""

from __future__ import annotations

import asyncio
import json

import pytest
from support.providers.messages_api import Answer, event, failure, serving, start, stop, words

from study_app.assistant.claude import ClaudeAssistant
from study_app.domain.assistants.acting import AgentRequest, AgentStep, ToolCall
from study_app.domain.assistants.agent_settings import TOOLS
from study_app.domain.assistants.budget import CACHE_READ, CACHE_WRITTEN, billed_input_tokens
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    ReplyBrokenOff,
    ReplyEnd,
    TextDelta,
)
from study_app.domain.errors import AssistantUnavailable
from study_app.services.participant.agent.turn import added

SPEC = AssistantSpec(
    id="agent", version="1", label="Assistant", prompt="Work in small steps.", model="claude-asked-1",
    manner="agent", agent={},
)  # fmt: skip
KEPT = {"cache_control": {"type": "ephemeral"}}
ASKED = AssistantRequest("Please fix it", "# Timer\nWrite a timer.", "import trio\n")


def call_of(name: str, arguments: str, index: int = 1, identity: str = "toolu_1") -> list[bytes]:
    block = {"type": "tool_use", "id": identity, "name": name, "input": {}}
    middle = len(arguments) // 2
    return [
        event("content_block_start", index=index, content_block=block),
        *(
            event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": part})
            for part in (arguments[:middle], arguments[middle:])
        ),
        event("content_block_stop", index=index),
    ]


def stepped(*pieces: bytes, steps: tuple[AgentStep, ...] = (), tools=TOOLS, answer: Answer | None = None):
    """What one step yielded, the error that ended it if any, and what the server saw."""

    async def scene():
        async with serving(answer or Answer(list(pieces))) as api:
            assistant = ClaudeAssistant(SPEC, api_key="sk-ant-not-a-real-key", base_url=api.url)
            found, error = [], None
            try:
                async for piece in assistant.step(AgentRequest(ASKED, "import trio\n", steps, tools)):
                    found.append(piece)
            except AssistantUnavailable as unavailable:
                error = unavailable
            return found, error, api

    return asyncio.run(scene())


def calls(found):
    return [piece for piece in found if isinstance(piece, ToolCall)]


EDIT = json.dumps({"old": "import trio", "new": "import trio\n# ü \U0001f600"})


def test_a_step_says_what_it_does_and_makes_one_call():
    found, error, _ = stepped(start(), *words("I add a line."), *call_of("edit", EDIT), *stop("tool_use", 31))
    assert error is None
    assert "".join(piece.text for piece in found if isinstance(piece, TextDelta)) == "I add a line. "
    (call,) = calls(found)
    assert (call.tool, dict(call.input), call.id) == ("edit", json.loads(EDIT), "toolu_1")
    assert isinstance(found[-1], ReplyEnd)
    assert (found[-1].stop_reason, found[-1].output_tokens) == ("tool_use", 31)


def test_only_the_tools_of_the_treatment_are_offered_one_at_a_time():
    _, _, api = stepped(start(), *stop(), tools=("view", "report"))
    (body,) = api.bodies
    assert [tool["name"] for tool in body["tools"]] == ["view", "report"]
    assert all(tool["input_schema"]["additionalProperties"] is False for tool in body["tools"])
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_the_next_step_sees_the_call_before_it_as_it_was_made_and_its_result():
    found, _, _ = stepped(start(), *words("First I look."), *call_of("view", "{}"), *stop("tool_use"))
    step = AgentStep("First I look.", calls(found)[0], "import trio\n")
    _, _, api = stepped(start(), *stop(), steps=(step,))
    asked, said, result = api.bodies[0]["messages"][-3:]
    assert asked["content"].endswith("Please fix it")
    assert [block["type"] for block in said["content"]] == ["text", "tool_use"]
    assert result["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "import trio\n", "is_error": False} | KEPT
    ]


def test_a_step_marks_what_the_provider_is_to_keep_and_counts_what_it_kept():
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 2000,
        "output_tokens": 1,
    }
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "claude-asked-1"}
    begun = event("message_start", message=message | {"stop_reason": None, "stop_sequence": None, "usage": usage})
    found, _, api = stepped(begun, *call_of("view", "{}"), *stop("tool_use"))
    (body,) = api.bodies
    assert [block.get("cache_control") for block in body["system"]] == [KEPT["cache_control"]]
    assert body["messages"][-1]["content"][-1]["cache_control"] == KEPT["cache_control"]
    end = found[-1]
    assert end.input_tokens == 2310
    assert (end.parameters[CACHE_WRITTEN], end.parameters[CACHE_READ]) == (300, 2000)
    both = added(end, end)
    assert (both.input_tokens, both.parameters[CACHE_READ]) == (4620, 4000)
    # 10 at the price, 300 at 1.25 of it, 2,000 at a tenth.
    assert billed_input_tokens(end.input_tokens, end.parameters) == pytest.approx(10 + 375 + 200)
    assert billed_input_tokens(100, {}) == 100


def test_of_several_calls_the_first_is_made_and_the_others_are_forgotten():
    both = [*call_of("view", "{}", 0, "a"), *call_of("run", "{}", 1, "b")]
    found, _, _ = stepped(start(), *both, *stop("tool_use"))
    (call,) = calls(found)
    assert call.tool == "view"
    assert [block["id"] for block in call.raw if block["type"] == "tool_use"] == ["a"]


@pytest.mark.parametrize("arguments", ['{"old": "imp', "[]", "null", "[" * 3000, '{"old": 1}', ""])
def test_arguments_that_are_no_object_are_a_call_without_texts(arguments):
    found, error, _ = stepped(start(), *call_of("edit", arguments), *stop("tool_use"))
    assert error is None
    (call,) = calls(found)
    assert "new" not in call.input


def test_a_call_that_the_length_of_the_reply_cut_off_is_not_made():
    found, _, _ = stepped(start(), *call_of("edit", EDIT), *stop("max_tokens"))
    assert calls(found) == []
    assert found[-1].stop_reason == "max_tokens"


def test_a_call_on_a_connection_that_breaks_is_not_made():
    cut = Answer([start(), *words("I change"), *call_of("edit", EDIT)], cut=True)
    found, error, _ = stepped(answer=cut)
    assert isinstance(error, ReplyBrokenOff)
    assert calls(found) == []


def test_a_provider_that_refuses_the_request_says_so():
    found, error, _ = stepped(answer=failure(400, "invalid_request_error"))
    assert found == []
    assert error is not None
