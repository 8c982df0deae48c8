"""Claude's streamed calls of tools where the wire or the model goes wrong: a call that is not whole is never made."""

from __future__ import annotations

import asyncio
import json

import pytest
from assistant.test_claude_agent import ASKED, EDIT, SPEC, call_of, calls, stepped
from support.providers.messages_api import Answer, event, serving, start, stop, words

from study_app.assistant.claude import ClaudeAssistant
from study_app.domain.assistants.acting import LONGEST_INPUT, AgentRequest, CallRefused, ToolCall, checked_call
from study_app.domain.assistants.agent_settings import TOOLS
from study_app.domain.assistants.treatments import ReplyBrokenOff, ReplyEnd
from study_app.domain.errors import AssistantUnavailable

PIECES = [start(), *words("I add a line."), *call_of("edit", EDIT), *stop("tool_use", 31)]


def test_tools_are_offered_with_schemas_that_the_provider_keeps_to():
    _, _, api = stepped(start(), *stop())
    assert all(tool["strict"] is True for tool in api.bodies[0]["tools"])
    assert all(sorted(tool["input_schema"]["properties"]) == sorted(tool["input_schema"]["required"])
               for tool in api.bodies[0]["tools"])  # fmt: skip


def test_a_refusal_in_the_middle_of_a_call_makes_none():
    found, error, _ = stepped(start(), *call_of("edit", EDIT), *stop("refusal"))
    assert isinstance(error, ReplyBrokenOff)
    assert error.kind == "refused"
    assert calls(found) == []


def test_a_provider_that_is_overloaded_in_the_middle_of_a_call_makes_none_and_what_it_used_is_known():
    over = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    found, error, _ = stepped(start(), *words("I change"), *call_of("edit", EDIT)[:2], over)
    assert isinstance(error, ReplyBrokenOff)
    assert error.kind == "overloaded"
    assert error.end.input_tokens == 25
    assert calls(found) == []


async def taken(assistant: ClaudeAssistant, found: list[object]) -> None:
    async for piece in assistant.step(AgentRequest(ASKED, "import trio\n", (), TOOLS)):
        found.append(piece)


def test_a_connection_that_is_reset_after_any_piece_makes_no_call():
    async def scene():
        cuts = range(2, len(PIECES))
        async with serving(*(Answer(PIECES[:cut], cut=True) for cut in cuts)) as api:
            assistant = ClaudeAssistant(SPEC, api_key="sk-ant-not-a-real-key", base_url=api.url)
            for cut in cuts:
                found: list[object] = []
                with pytest.raises(AssistantUnavailable):
                    await taken(assistant, found)
                assert not [piece for piece in found if isinstance(piece, ToolCall | ReplyEnd)], cut

    asyncio.run(scene())


def test_arguments_that_come_letter_by_letter_are_one_call():
    block = {"type": "tool_use", "id": "t", "name": "edit", "input": {}}
    letters = [
        event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": letter})
        for letter in EDIT
    ]
    found, error, _ = stepped(start(), event("content_block_start", index=1, content_block=block), *letters, *stop())
    assert error is None
    assert dict(calls(found)[0].input) == json.loads(EDIT)


REFUSED = {
    "an unknown tool": ("shell", '{"command": "id"}'),
    "a tool of another treatment": ("ask", '{"question": "?"}'),
    "a name that is none": (None, "{}"),
    "numbers for texts": ("edit", '{"old": 1, "new": 2}'),
    "lists for texts": ("edit", '{"old": ["a"], "new": ["b"]}'),
    "null for texts": ("report", '{"summary": null}'),
    "texts that are too long": ("edit", json.dumps({"old": "a", "new": "x" * (LONGEST_INPUT + 1)})),
    "arguments beyond all bounds": ("edit", json.dumps({"old": "a", "new": "x" * 500_000})),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_call_that_does_not_fit_is_answered_with_a_sentence(name):
    tool, arguments = REFUSED[name]
    found, error, _ = stepped(start(), *call_of(tool, arguments), *stop("tool_use"))
    assert error is None
    (call,) = calls(found)
    with pytest.raises(CallRefused, match=r"\w+ .+\.$"):
        checked_call(call, ("view", "edit", "run", "report"))


@pytest.mark.parametrize("index", [-1, 7, 10**9])
def test_pieces_of_a_block_that_never_began_are_left_out(index):
    lost = event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": '{"old"'})
    found, error, _ = stepped(start(), lost, *call_of("view", "{}"), lost, *stop("tool_use"))
    assert error is None
    assert [call.tool for call in calls(found)] == ["view"]
