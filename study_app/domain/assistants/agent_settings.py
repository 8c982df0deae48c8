"""What a treatment says of an assistant that acts: its tools, who approves what, and how far a turn may go."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from study_app.domain.events.words import Tool
from study_app.domain.file_tables import FileTable

Approval = Literal["each", "edits", "none", "participant"]
"""Who decides on a step: the participant on every change and run, on changes only, on nothing, or as they choose."""

TOOLS: tuple[Tool, ...] = get_args(Tool)
_DECIDED: dict[Approval, frozenset[str]] = {
    "each": frozenset({"ask", "edit", "run"}),
    "edits": frozenset({"ask", "edit"}),
    "none": frozenset({"ask"}),
    "participant": frozenset({"ask", "edit", "run"}),
}
"""Approval -> the tools whose calls wait for the participant; under `participant` until they switch asking off.

A question waits for its answer in any case."""


class AgentSettings(FileTable):
    """The table `[agent]` of a treatment with `manner = "agent"`."""

    tools: tuple[Tool, ...] = TOOLS
    """What it may do; the server holds every call against this list, whatever the model asks for."""
    approval: Approval = "each"
    steps_per_turn: int = Field(default=12, ge=1, le=50)
    """Calls of tools that one message can lead to."""
    seconds_per_turn: float = Field(default=300.0, ge=5, le=3600)
    """Seconds that it works on one message; what it waits for the participant does not count."""

    @field_validator("tools")
    @classmethod
    def _some_once(cls, tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
        if not tools:
            raise ValueError("at least one tool")
        if len(set(tools)) < len(tools):
            raise ValueError("each tool once")
        return tools

    @property
    def decides(self) -> bool:
        """Whether there is a tool whose calls `approval` is about."""
        return self.approval == "none" or bool((_DECIDED[self.approval] - {"ask"}) & set(self.tools))

    def waits(self, tool: str, *, without_asking: bool = False) -> bool:
        """Return whether a call of a tool waits for the participant.

        Args:
            tool: which.
            without_asking: the participant has switched asking off, which counts under `participant` only.
        """
        free = self.approval == "participant" and without_asking and tool != "ask"
        return tool in _DECIDED[self.approval] and not free
