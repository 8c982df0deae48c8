"""The steps of an assistant that acts: calls of tools, what they are bound to, and what they do to a program.

A call that changes or runs the program is bound to the program that it was made for, by a hash over both: what was
decided for one text never happens to another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from study_app.domain.assistants.treatments import AssistantRequest
from study_app.domain.events.changes import utf16_length
from study_app.domain.events.words import Tool

LONGEST_INPUT = 64_000
"""Characters of one text of a call; a program has no more."""
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "view": (),
    "edit": ("old", "new"),
    "run": (),
    "ask": ("question",),
    "report": ("summary",),
}
"""Tool -> the texts that a call must have."""


class CallRefused(ValueError):
    """A call that cannot be carried out; the message goes back to the assistant."""


@dataclass(frozen=True)
class ToolCall:
    """One call, as the assistant makes it; nothing of it is trusted."""

    tool: str
    input: Mapping[str, Any]
    id: str = ""
    """The provider's own name for it."""
    raw: tuple[Mapping[str, Any], ...] = ()
    """The reply that holds it, as the provider wants to see it again."""


@dataclass(frozen=True)
class AgentStep:
    """A step that is over."""

    text: str
    """What the assistant said before it."""
    call: ToolCall
    result: str
    """The outcome, as it reads it."""
    failed: bool = False
    decision: str = ""
    """See `Decision`; empty where the call could not even be proposed."""


@dataclass(frozen=True)
class AgentRequest:
    """Everything that the next step may depend on."""

    asked: AssistantRequest
    """The message and what surrounds it, as it was asked."""
    program: str
    """The program as it is now."""
    steps: tuple[AgentStep, ...]
    tools: tuple[Tool, ...]


@dataclass(frozen=True)
class Replacement:
    """A change of a program: [start, end), in UTF-16 units of the text before, becomes `insert`."""

    start: int
    end: int
    insert: str
    old: str
    line: int
    """In which the replaced text begins, from 1."""

    def applied(self, text: str) -> str:
        """Return the text after it."""
        units = text.encode("utf-16-le", "surrogatepass")
        new = self.insert.encode("utf-16-le", "surrogatepass")
        return (units[: 2 * self.start] + new + units[2 * self.end :]).decode("utf-16-le", "surrogatepass")


def checked_call(call: ToolCall, tools: tuple[Tool, ...]) -> dict[str, str]:
    """Return the texts of a call.

    Raises:
        CallRefused: the tool is not among those of the treatment, or a text is missing, too long or no text.
    """
    if call.tool not in tools or call.tool not in get_args(Tool):
        raise CallRefused(f"There is no tool '{call.tool[:60]}'. The tools are: {', '.join(tools)}.")
    found = {}
    for name in _INPUTS[call.tool]:
        value = call.input.get(name)
        if not isinstance(value, str):
            raise CallRefused(f"The tool '{call.tool}' needs the text '{name}'.")
        if len(value) > LONGEST_INPUT:
            raise CallRefused(f"'{name}' is longer than {LONGEST_INPUT:,} characters.")
        # What a database refuses to store is not a character of any program.
        found[name] = value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return found


def replacement(program: str, texts: Mapping[str, str]) -> Replacement:
    """Return where a call of `edit` changes a program.

    The old text must stand in it exactly once; an empty one stands for a program that is empty.

    Raises:
        CallRefused: it does not, or the change changes nothing.
    """
    old, new = texts["old"], texts["new"].replace("\r\n", "\n").replace("\r", "\n")
    if old == new:
        raise CallRefused("The old and the new text are the same.")
    if not old:
        if program.strip():
            raise CallRefused("The program is not empty: give the text that is to be replaced.")
        return Replacement(0, utf16_length(program), new, program, 1)
    found = program.count(old)
    if found != 1:
        what = "does not stand in the program" if not found else f"stands in the program {found} times"
        raise CallRefused(f"The old text {what}; it must stand there exactly once.")
    before = program[: program.index(old)]
    start = utf16_length(before)
    return Replacement(start, start + utf16_length(old), new, old, before.count("\n") + 1)


def base_hash(program: str, tool: str, texts: Mapping[str, str]) -> str:
    """SHA-256 over a program and a call, hexadecimal: what a decision on the call is bound to."""
    canonical = json.dumps([program, tool, dict(texts)], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def program_seen(program: str) -> str:
    """Return what an agent reads of a program that it looks at."""
    return program or "(the program is empty)"


def outcome_of_decision(tool: str, decision: str, words: str | None) -> tuple[str, bool, bool]:
    """Return what an agent reads of a step that neither looks at the program nor runs it.

    Returns:
        The text, whether the step failed, and whether that is all: after a change by the participant the program
        follows.
    """
    match tool, decision:
        case _, "stale":
            return "The participant changed the program meanwhile; look at it again.", True, True
        case _, "reject":
            why = f" They say: {words}" if words else ""
            return f"The participant does not want this.{why}", True, True
        case "ask", _:
            return f"The participant answers: {words or '(nothing)'}", False, True
        case "edit", "edited":
            return "The participant changed your text first. The program is now:\n", False, False
        case "edit", _:
            return "The change was made.", False, True
    return "Done.", False, True
