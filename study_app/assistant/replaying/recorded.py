"""Replays recorded turns: no model, no network, the same words every time."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from study_app.assistant.replaying.near import NearQuestions
from study_app.assistant.replaying.steps import following, left_out
from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.recording import (
    LEFT_OUT,
    MATCH,
    NEARNESS,
    OF_ITSELF,
    RECORDED,
    Match,
    RecordedTurn,
    fault_of,
    question_key,
)
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    ReplyBrokenOff,
    ReplyEnd,
    TextDelta,
)
from study_app.domain.errors import Problem, ProblemsFound


@dataclass(frozen=True)
class _Found:
    """The recorded turn that answers, and how it was found."""

    turn: RecordedTurn
    match: Match
    nearness: float | None = None

    def parameters(self) -> dict[str, object]:
        near = {} if self.nearness is None else {NEARNESS: round(self.nearness, 3)}
        recorded = {name: value for name, value in self.turn.parameters.items() if name not in OF_ITSELF}
        return {**recorded, MATCH: self.match, **near}


class RecordedAssistant:
    """Answers a message as the recording does: the n-th time with the n-th recorded turn, then with the last.

    A message that was not recorded gets the turns of the nearest that was, else a sentence that there is no answer.
    """

    id = "recorded"

    def __init__(
        self,
        spec: AssistantSpec,
        recording: str,
        *,
        file: str = "recording.jsonl",
        texts: Callable[[str], Mapping[str, str]] | None = None,
    ) -> None:
        """Read a recording.

        Args:
            spec: The treatment.
            recording: The JSON Lines text.
            file: Its name, for messages.
            texts: Language -> the texts' table `embedded`; None: English only.

        Raises:
            ProblemsFound: every line that is not a recorded turn.
        """
        self._spec = spec
        self._texts = texts
        self._turns: dict[str, list[RecordedTurn]] = defaultdict(list)
        for _, turn in _read(recording, file):
            self._turns[question_key(turn.message)].append(turn)
        self._questions = list(self._turns)
        self._near = NearQuestions(self._questions)

    async def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        """Stream one recorded reply; see `ports.Assistant`.

        Raises:
            AssistantUnavailable: the recorded failure.
        """
        # A search goes over every recorded question: not on the loop that serves everybody.
        found = await asyncio.to_thread(self._found, request)
        turn = found.turn
        for piece in turn.pieces or _words(turn.whole):
            yield TextDelta(piece)
        end = ReplyEnd(
            turn.model,
            turn.prompt_version or self._spec.prompt_version,
            turn.input_tokens,
            turn.output_tokens,
            turn.stop_reason,
            found.parameters(),
        )
        if turn.error:
            raise ReplyBrokenOff(turn.error, f"recorded failure: {turn.error}", end=end, retry_after=turn.retry_after)
        yield end

    async def step(self, request: AgentRequest) -> AsyncGenerator[TextDelta | ToolCall | ReplyEnd]:
        """Stream the next recorded step that fits the program; see `ports.ActingAssistant`.

        Raises:
            AssistantUnavailable: the recorded failure, after the recorded steps.
        """
        found = await asyncio.to_thread(self._found, request.asked)
        turn = found.turn
        place = following(turn, request)
        said = {**found.parameters(), LEFT_OUT: left_out(request, len(turn.steps) if place is None else place)}
        version = turn.prompt_version or self._spec.prompt_version
        if place is not None:
            step = turn.steps[place]
            for piece in _words(step.text):
                yield TextDelta(piece)
            yield ToolCall(step.tool, step.input, str(place))
            yield ReplyEnd(turn.model, version, step.input_tokens, step.output_tokens, "tool_use", said)
            return
        for piece in _words(turn.reply):
            yield TextDelta(piece)
        tokens = (
            _rest(turn.input_tokens, (step.input_tokens for step in turn.steps)),
            _rest(turn.output_tokens, (step.output_tokens for step in turn.steps)),
        )
        end = ReplyEnd(turn.model, version, *tokens, turn.stop_reason, said)
        if turn.error:
            raise ReplyBrokenOff(turn.error, f"recorded failure: {turn.error}", end=end, retry_after=turn.retry_after)
        yield end

    def match(self, request: AssistantRequest) -> Match:
        """Return how it would answer."""
        return self._found(request).match

    def answers_on(self, task: str) -> int:
        """Return how many recorded turns with an answer may be given on a task."""
        listed = (turn for question in self._questions for turn in self._of(question, task))
        return sum(not turn.error and bool(turn.whole.strip() or turn.steps) for turn in listed)

    @property
    def has_steps(self) -> bool:
        """Whether a recorded turn is one of an assistant that acts."""
        return any(turn.steps for turns in self._turns.values() for turn in turns)

    def _found(self, request: AssistantRequest) -> _Found:
        if turns := self._of(question_key(request.message), request.task):
            return _Found(_nth(turns, request), "exact")
        near = self._near.nearest(request.message, lambda place: bool(self._of(self._questions[place], request.task)))
        if near is None:
            # No model answers, so none is named as the one that served the reply.
            return _Found(RecordedTurn(message=request.message, reply=self._no_answer(request), model=""), "none")
        place, nearness = near
        return _Found(_nth(self._of(self._questions[place], request.task), request), "near", nearness)

    def _of(self, question: str, task: str) -> list[RecordedTurn]:
        """Return the turns that may answer on a task."""
        return [turn for turn in self._turns.get(question, []) if turn.task in ("", task)]

    def _no_answer(self, request: AssistantRequest) -> str:
        english = RECORDED("none")
        texts = self._texts(request.language) if self._texts is not None else {}
        return texts.get("recorded.none", english)


def _words(text: str) -> list[str]:
    """Return the text in the pieces in which it is streamed."""
    return re.findall(r"\S+\s*|\s+", text)


def _rest(whole: int | None, parts: Iterable[int | None]) -> int | None:
    """Return what a turn used after its steps; None where it is not known."""
    known = [part for part in parts if part is not None]
    return None if whole is None else max(0, whole - sum(known))


def _nth(turns: list[RecordedTurn], request: AssistantRequest) -> RecordedTurn:
    before = sum(question_key(message) == question_key(request.message) for message, _ in request.history)
    return turns[min(before, len(turns) - 1)]


def turn_problems(recording: str, file: str) -> list[Problem]:
    """Return each line that can be read and yet cannot have been meant so: a study is checked for them, not kept off.

    Args:
        recording: The JSON Lines text.
        file: Its name, for messages.
    """
    found = ((number, fault_of(turn)) for number, turn in _read(recording, file))
    return [Problem(file, f"row {number}", what, "correct or remove the line") for number, what in found if what]


def _read(recording: str, file: str) -> list[tuple[int, RecordedTurn]]:
    turns, problems = [], []
    for number, line in enumerate(recording.split("\n"), 1):
        if not line.strip():
            continue
        try:
            turns.append((number, RecordedTurn.model_validate_json(line)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            key = f"row {number}, {where}" if where else f"row {number}"
            problems.append(Problem(file, key, first["msg"], "correct or remove the line"))
    if problems:
        raise ProblemsFound(problems)
    return turns
