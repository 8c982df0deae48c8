"""What a recording of turns holds.

A recording is JSON Lines; each line one turn: `message`, `reply`, and optionally `task`, `model`, `prompt_version`,
`input_tokens`, `output_tokens`, `stop_reason`, `parameters` as exported with `turns`, `pieces` (how the reply was cut),
`error` (an AssistantUnavailable kind, raised after the reply's words), `retry_after`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from study_app.domain.assistants.treatments import UnavailableKind
from study_app.domain.sentences import Sentences

Match = Literal["exact", "near", "none"]
MATCHES: tuple[Match, ...] = get_args(Match)
MATCH, NEARNESS = "recorded_match", "recorded_nearness"
"""What a replayed turn says of itself among its parameters."""
NEAR = 0.4
"""Least nearness, 0 to 1, of the recorded question that answers in place of the same one."""

RECORDED = Sentences(
    "embedded.recorded",
    {"none": "I am sorry, I have no answer to that. Please ask in other words, or about one part of it at a time."},
)
"""What is said where a recording answers nothing."""


class RecordedTurn(BaseModel):
    """One line of a recording."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    message: str
    reply: str = ""
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


def question_key(message: str) -> str:
    """Return what two messages share that are the same question: their words, whatever the spaces and capitals."""
    return " ".join(message.split()).casefold()


def match_of(parameters: Mapping[str, Any]) -> Match | None:
    """Return how a recording answered a turn; None for a turn of another provider."""
    found = parameters.get(MATCH)
    return next((match for match in MATCHES if match == found), None)
