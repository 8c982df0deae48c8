"""A recording in the place of a model that acts: what the model began, the recording does not go on with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from study_app.assistant.replaying.recorded import RecordedAssistant
from study_app.assistant.replaying.standing_in import ReplaceableModel
from study_app.domain.assistants.acting import AgentRequest, AgentStep, ToolCall
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyEnd, TextDelta
from study_app.domain.errors import ModelNotServed

SPEC = AssistantSpec(id="agent", version="1", label="A", provider="recorded", recording="turns.jsonl")
STEPS = [{"tool": "view"}, {"tool": "report", "input": {"summary": "Done"}}]
RECORDING = json.dumps({"message": "Help", "reply": "", "steps": STEPS})
TOOLS = ("view", "edit", "run", "ask", "report")


class Model:
    """Takes one step, and is served no more from then on."""

    def __init__(self) -> None:
        self.asked = 0

    async def step(self, request: AgentRequest) -> AsyncGenerator[TextDelta | ToolCall | ReplyEnd]:
        self.asked += 1
        if self.asked > 1:
            raise ModelNotServed("gone")
        yield ToolCall("view", {}, "toolu_01")


def taken(assistant: ReplaceableModel, *steps: AgentStep) -> ToolCall:
    async def scene() -> ToolCall:
        request = AgentRequest(AssistantRequest("Help", "", ""), "x = 1\n", steps, TOOLS)
        return next(piece for piece in [each async for each in assistant.step(request)] if isinstance(piece, ToolCall))

    return asyncio.run(scene())


def test_a_turn_that_the_model_began_fails_and_those_after_it_take_recorded_steps():
    model = Model()
    assistant = ReplaceableModel(model, RecordedAssistant(SPEC, RECORDING), lambda: True)  # type: ignore[arg-type]
    begun = AgentStep("", taken(assistant), "x = 1\n", failed=False)
    # Meanwhile another person's question finds the model gone, in this server.
    first = taken(assistant)
    assert first.id == "0"
    with pytest.raises(ModelNotServed):
        taken(assistant, begun)
    assert taken(assistant, AgentStep("", first, "x = 1\n", failed=False)).tool == "report"
