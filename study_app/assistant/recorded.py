"""Replays recorded turns, for tests and audits: no model, no network, the same words every time.

A recording is JSON Lines; each line one turn: `message`, `reply`, and optionally `task`, `model`, `prompt_version`,
`input_tokens`, `output_tokens`, `stop_reason`, `parameters` as exported with `turns`, `pieces` (how the reply was cut),
`error` (an AssistantUnavailable kind, raised after the reply's words), `retry_after`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    ReplyBrokenOff,
    ReplyEnd,
    TextDelta,
    UnavailableKind,
)
from study_app.domain.errors import AssistantUnavailable, Problem, ProblemsFound


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


class RecordedAssistant:
    """Answers a message as the recording does: the n-th time with the n-th recorded turn, then with the last."""

    id = "recorded"

    def __init__(self, spec: AssistantSpec, recording: str, *, file: str = "recording.jsonl") -> None:
        """Read a recording.

        Args:
            spec: The treatment.
            recording: The JSON Lines text.
            file: Its name, for messages.

        Raises:
            ProblemsFound: every line that is not a recorded turn.
        """
        self._spec = spec
        self._turns: dict[str, list[RecordedTurn]] = defaultdict(list)
        for turn in _read(recording, file):
            self._turns[_key(turn.message)].append(turn)

    async def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        """Stream one recorded reply; see `ports.Assistant`.

        Raises:
            AssistantUnavailable: the recorded failure, or no such turn in the recording.
        """
        turn = self._turn(request)
        for piece in turn.pieces or re.findall(r"\S+\s*|\s+", turn.reply):
            yield TextDelta(piece)
        end = ReplyEnd(
            turn.model,
            turn.prompt_version or self._spec.prompt_version,
            turn.input_tokens,
            turn.output_tokens,
            turn.stop_reason,
            dict(turn.parameters),
        )
        if turn.error:
            raise ReplyBrokenOff(turn.error, f"recorded failure: {turn.error}", end=end, retry_after=turn.retry_after)
        yield end

    def _turn(self, request: AssistantRequest) -> RecordedTurn:
        turns = [turn for turn in self._turns.get(_key(request.message), []) if turn.task in ("", request.task)]
        if not turns:
            raise AssistantUnavailable("other", "the recording holds no reply to this message")
        before = sum(_key(message) == _key(request.message) for message, _ in request.history)
        return turns[min(before, len(turns) - 1)]


def _key(message: str) -> str:
    return " ".join(message.split()).casefold()


def _read(recording: str, file: str) -> list[RecordedTurn]:
    turns, problems = [], []
    for number, line in enumerate(recording.split("\n"), 1):
        if not line.strip():
            continue
        try:
            turns.append(RecordedTurn.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            key = f"row {number}, {where}" if where else f"row {number}"
            problems.append(Problem(file, key, first["msg"], "correct or remove the line"))
    if problems:
        raise ProblemsFound(problems)
    return turns
