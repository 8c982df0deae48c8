"""Claude as an agent: the tools as the API wants them, and reading a call out of a streamed reply."""

from __future__ import annotations

import json
from typing import Any

from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.events.words import Tool

_MOST_ARGUMENT = 400_000
"""Characters of a call's arguments; `domain.assistants.acting` bounds each text."""
_TEXT = {"type": "string"}
_KEPT = {"cache_control": {"type": "ephemeral"}}
_DESCRIBED: dict[Tool, tuple[str, dict[str, str]]] = {
    "view": ("Read the whole program as it is now.", {}),
    "edit": (
        "Replace one piece of the program. `old` must stand in the program exactly once, with its whitespace; leave it "
        "empty only where the program is empty.",
        {"old": "the text to replace", "new": "the text that takes its place"},
    ),
    "run": ("Run the program and its visible examples; the result says what it prints and which examples fail.", {}),
    "ask": ("Ask the person one question, where the task or their message leaves open what they want.",
            {"question": "the question"}),
    "report": ("End your work: say in one or two sentences what you did and what is left.", {"summary": "the report"}),
}  # fmt: skip


def acting_body(body: dict[str, Any], request: AgentRequest) -> dict[str, Any]:
    """Return the body of a request for the next step: the conversation, the steps so far, the tools.

    Args:
        body: of a request for a reply to the message.
        request: the step.
    """
    messages = list(body["messages"])
    for step in request.steps:
        messages.append({"role": "assistant", "content": [dict(block) for block in step.call.raw]})
        result = {"type": "tool_result", "tool_use_id": step.call.id, "content": step.result, "is_error": step.failed}
        messages.append({"role": "user", "content": [result]})
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    # Each step sends all before it again: the provider keeps it up to here, and bills little for reading it.
    system = [{"type": "text", "text": body["system"], **_KEPT}]
    messages[-1] = {**messages[-1], "content": _kept(messages[-1]["content"])}
    return {
        **body,
        "system": system,
        "messages": messages,
        "tools": [_described(tool) for tool in request.tools],
        "tool_choice": choice,
    }


def _kept(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the content of a message, whose last block is marked to be kept by the provider."""
    *before, last = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [*before, {**last, **_KEPT}]


def _described(tool: Tool) -> dict[str, Any]:
    words, texts = _DESCRIBED[tool]
    properties = {name: {**_TEXT, "description": said} for name, said in texts.items()}
    schema = {"type": "object", "properties": properties, "required": list(texts), "additionalProperties": False}
    # Strict: the provider keeps a call to its schema, so that hardly a step is lost to one without its texts.
    return {"name": tool, "description": words, "input_schema": schema, "strict": True}


class StreamedBlocks:
    """The blocks of a reply as they come, kept as the API wants to see them again."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._arguments: dict[int, str] = {}

    def take(self, event: Any) -> None:
        """Take the next event of the stream; events of other kinds say nothing of blocks."""
        if event.type == "content_block_start":
            self._begin(event.index, event.content_block)
        elif event.type == "content_block_delta" and event.index in self._blocks:
            self._add(event.index, event.delta)

    def _begin(self, index: int, block: Any) -> None:
        match block.type:
            case "text":
                self._blocks[index] = {"type": "text", "text": ""}
            case "thinking":
                self._blocks[index] = {"type": "thinking", "thinking": "", "signature": ""}
            case "redacted_thinking":
                self._blocks[index] = {"type": "redacted_thinking", "data": str(block.data)}
            case "tool_use":
                self._blocks[index] = {"type": "tool_use", "id": str(block.id), "name": str(block.name), "input": {}}
                self._arguments[index] = ""

    def _add(self, index: int, delta: Any) -> None:
        block = self._blocks[index]
        match delta.type:
            case "text_delta" if block["type"] == "text":
                block["text"] += str(delta.text)
            case "thinking_delta" if block["type"] == "thinking":
                block["thinking"] += str(delta.thinking)
            case "signature_delta" if block["type"] == "thinking":
                block["signature"] += str(delta.signature)
            case "input_json_delta" if index in self._arguments:
                self._arguments[index] = (self._arguments[index] + str(delta.partial_json))[:_MOST_ARGUMENT]

    def call(self) -> ToolCall | None:
        """Return the call that the reply holds, None without one; of several, which are not allowed, the first."""
        for index, arguments in self._arguments.items():
            block = self._blocks[index]
            block["input"] = _object(arguments)
            kept = [each for at, each in sorted(self._blocks.items()) if at <= index and not _is_empty(each)]
            return ToolCall(block["name"], block["input"], block["id"], tuple(kept))
        return None


def _is_empty(block: dict[str, Any]) -> bool:
    """Return whether the API would refuse to read the block again."""
    return block["type"] == "text" and not block["text"].strip()


def _object(arguments: str) -> dict[str, Any]:
    """Return the arguments; none where they are not a JSON object; the check of the call says so."""
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
