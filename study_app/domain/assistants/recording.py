"""What a recording of turns holds, and which turns of a trial go into one.

A recording is JSON Lines; each line one turn: `message`, `reply`, and optionally `task`, `model`, `prompt_version`,
`input_tokens`, `output_tokens`, `stop_reason`, `parameters` as exported with `turns`, `pieces` (how the reply was cut),
`error` (an AssistantUnavailable kind, raised after the reply's words), `retry_after`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from study_app.domain.assistants.treatments import UnavailableKind
from study_app.domain.records import Turn
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


def left_out_because(turn: Turn) -> str | None:
    """Return why a turn is not recorded, or None: what did not end as a whole reply cannot stand for one."""
    if match_of(turn.parameters) == "none":
        return "answered by no recording"
    if turn.error is not None:
        return "failed"
    if turn.stopped_by_participant:
        return "stopped"
    return None if turn.complete and turn.reply.strip() else "without a whole reply"


def recorded_lines(turns: Iterable[Turn], cleaned: Callable[[Turn], tuple[str, str]]) -> list[str]:
    """Return the lines of a recording, in an order that tells nothing about who asked when.

    Args:
        turns: each person's in order of asking, of those that `left_out_because` finds nothing against.
        cleaned: turn -> its message and reply without identities.
    """
    asked: Counter[tuple[str, str, str]] = Counter()
    found = []
    for turn in turns:
        message, reply = cleaned(turn)
        key = (turn.participant_id, turn.task, question_key(message))
        found.append((key[1:], asked[key], _line(turn, message, reply)))
        asked[key] += 1
    # A question asked again is answered by later lines, so everybody's first asking comes before any second.
    return [line for _, _, line in sorted(found)]


def _line(turn: Turn, message: str, reply: str) -> str:
    # A persona can be that of one arm; a turn that is replayed names the one of its own treatment.
    parameters = {name: value for name, value in turn.parameters.items() if name not in (MATCH, NEARNESS, "persona")}
    return RecordedTurn(
        message=message,
        reply=reply,
        task=turn.task,
        model=turn.model,
        prompt_version=turn.prompt_version,
        input_tokens=turn.input_tokens,
        output_tokens=turn.output_tokens,
        stop_reason=turn.stop_reason or "end_turn",
        parameters=parameters,
    ).model_dump_json(exclude_defaults=True)
