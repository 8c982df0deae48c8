"""An assistant is a versioned treatment: what it is asked, what it is told, what it may use."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AssistantRequest:
    """Everything one reply may depend on."""

    message: str
    brief: str
    """The task's brief, Markdown."""
    code: str
    """The participant's code at the moment of asking."""
    history: tuple[tuple[str, str], ...] = ()
    """(message, reply) of earlier turns in this study, oldest first."""
    task: str = ""
    """Task id."""
    pack: str = ""
    """Folder of the task pack, for an assistant that answers from its notes."""


@dataclass(frozen=True)
class TextDelta:
    """A piece of the reply."""

    text: str


@dataclass(frozen=True)
class ReplyEnd:
    """What the provider said about the finished reply."""

    model: str
    """Model id as served."""
    prompt_version: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    stop_reason: str = "end_turn"
    parameters: dict[str, object] = field(default_factory=dict)
