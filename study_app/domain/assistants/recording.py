"""What a recording of turns holds.

A recording is JSON Lines; each line one turn: `message`, `reply`, and optionally `task`, `model`, `prompt_version`,
`input_tokens`, `output_tokens`, `stop_reason`, `parameters` as exported with `turns`, `pieces` (how the reply was cut),
`error` (an AssistantUnavailable kind, raised after the reply's words), `retry_after`. A turn of one that acts has
`steps`, and its `reply` is what was said after the last of them.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from study_app.domain.assistants.treatments import UnavailableKind
from study_app.domain.events.words import Tool
from study_app.domain.sentences import Sentences

Match = Literal["exact", "near", "none"]
MATCHES: tuple[Match, ...] = get_args(Match)
MATCH, NEARNESS, LEFT_OUT = "recorded_match", "recorded_nearness", "recorded_steps_left_out"
"""What a replayed turn says of itself among its parameters; the last only of an assistant that acts."""
OF_ITSELF = (MATCH, NEARNESS, LEFT_OUT, "persona")
"""Parameters of a recorded turn that are not said again: a replayed turn has its own."""
NEAR = 0.4
"""Least nearness, 0 to 1, of the recorded question that answers in place of the same one."""

RECORDED = Sentences(
    "embedded.recorded",
    {"none": "I am sorry, I have no answer to that. Please ask in other words, or about one part of it at a time."},
)
"""What is said where a recording answers nothing."""


class RecordedStep(BaseModel):
    """One step of an assistant that acts: what it said, and the call that it made."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    text: str = ""
    tool: Tool
    input: dict[str, str] = Field(default_factory=dict)
    input_tokens: int | None = Field(None, ge=0, lt=2**31)
    output_tokens: int | None = Field(None, ge=0, lt=2**31)


class RecordedTurn(BaseModel):
    """One line of a recording."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    message: str
    reply: str = ""
    steps: tuple[RecordedStep, ...] = ()
    task: str = ""
    """Empty: of any task."""
    model: str = "recorded"
    prompt_version: str = ""
    input_tokens: int | None = Field(None, ge=0, lt=2**31)
    output_tokens: int | None = Field(None, ge=0, lt=2**31)
    stop_reason: str = "end_turn"
    parameters: dict[str, object] = Field(default_factory=dict)
    pieces: tuple[str, ...] = ()
    error: UnavailableKind | None = None
    retry_after: float | None = Field(None, ge=0)

    @property
    def whole(self) -> str:
        """Everything that was said, where nothing can be done."""
        if not self.steps:
            return self.reply
        return "\n\n".join(text.strip() for text in (*(step.text for step in self.steps), self.reply) if text.strip())


def fault_of(turn: RecordedTurn) -> str | None:
    """Return what is wrong with a turn that can be read and yet cannot have been meant so, such as a lost reply."""
    if not (turn.reply.strip() or turn.steps or turn.error):
        return "has no reply, no steps and no error"
    if turn.pieces and not turn.steps and "".join(turn.pieces) != turn.reply:
        return "its pieces put together are not its reply"
    try:
        json.dumps(turn.parameters, allow_nan=False)
    except ValueError:
        return "its parameters hold NaN or Infinity, which JSON has not"
    return None


def question_key(message: str) -> str:
    """Return what messages share that are the same question: their words, whatever spaces, capitals and code points."""
    return " ".join(alike(message).split())


def alike(message: str) -> str:
    """Return a message without what typing and copying change: capitals, composed and decomposed letters, ligatures."""
    # Normalised again afterwards, because folding can take composed letters apart (Unicode, section 3.13).
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", message).casefold())


def match_of(parameters: Mapping[str, Any]) -> Match | None:
    """Return how a recording answered a turn; None for a turn of another provider."""
    found = parameters.get(MATCH)
    return next((match for match in MATCHES if match == found), None)
