"""Who runs programs, answers participants and pays them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.gate import Judged
from study_app.domain.assistants.treatments import AssistantRequest, ReplyEnd, TextDelta
from study_app.domain.interaction.tone import CodedTone, TextForTone
from study_app.domain.interviews.requests import InterviewReply, InterviewRequest
from study_app.domain.tasks.programs import Isolation, OutputLine, Program, RunResult
from study_app.domain.themes.answers import AnswerToCode, CodedReply
from study_app.domain.themes.codebook import Codebook


class Sandbox(Protocol):
    """Runs strangers' programs."""

    def isolation(self) -> Isolation:
        """Return the isolation observed by canaries when the sandbox started; never raises."""
        ...

    def run(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        """Run one program to its end; blocking, safe to call from many threads.

        `on_line` is called in the caller's process as lines arrive. `cancelled` is polled (about every 50 ms); once
        true, the run is killed and ends with `ended_by="cancelled"`.

        Raises:
            SandboxUnavailable: isolation is off, or the fork server cannot be restarted. Never the program's fault:
                whatever the program does, however it ends, is a RunResult.
        """
        ...

    def close(self) -> None:
        """End the fork server and every run; idempotent."""
        ...


class Assistant(Protocol):
    """Answers participants."""

    @property
    def id(self) -> str:
        """`claude`, `notes` or `recorded`; exported with every turn."""
        ...

    def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        """Stream one reply: TextDelta pieces, then exactly one ReplyEnd.

        Raises:
            AssistantUnavailable: the provider failed, before or during the reply; what was yielded so far stands.
        """
        ...


@runtime_checkable
class ReplaceableAssistant(Protocol):
    """An assistant by a model, in whose place a recording answers once the provider serves the model no more."""

    @property
    def stand_in(self) -> Assistant:
        """What answers then."""
        ...


@runtime_checkable
class ActingAssistant(Protocol):
    """An assistant that can act: change a program, run it, ask."""

    def step(self, request: AgentRequest) -> AsyncGenerator[TextDelta | ToolCall | ReplyEnd]:
        """Stream one step: TextDelta pieces, at most one ToolCall, then exactly one ReplyEnd.

        Without a ToolCall the turn is over.

        Raises:
            AssistantUnavailable: the provider failed, before or during the step.
        """
        ...


@runtime_checkable
class ExplanationJudge(Protocol):
    """An assistant that can judge whether a message explains the participant's idea; where none can, rules judge."""

    async def judge(self, request: AssistantRequest) -> Judged:
        """Judge the message of a request.

        Raises:
            AssistantUnavailable: there is no verdict.
        """
        ...


class Interviewer(Protocol):
    """A model that chooses the questions of interviews; where none is there, rules choose."""

    def step(self, request: InterviewRequest) -> InterviewReply:
        """Return what the model wants to do next; blocking.

        Raises:
            AssistantUnavailable: there is no answer.
        """
        ...

    def summarise(self, request: InterviewRequest) -> InterviewReply:
        """Return the model's summary of an interview; blocking.

        Raises:
            AssistantUnavailable: there is no answer.
        """
        ...


@dataclass(frozen=True)
class PanelSubmission:
    """What a panel knows of one person's part in one study."""

    id: str
    participant: str
    status: str


class Panel(Protocol):
    """A panel that participants come from, and are paid by.

    Raises, in each: PanelRefusal, PanelUnanswered, InfrastructureError where it cannot be reached at all.
    """

    def submissions(self, study: str) -> Iterator[PanelSubmission]:
        """Yield every submission of a study there."""
        ...

    def approve(self, submissions: Sequence[str]) -> None:
        """Approve submissions by their ids; a second time it changes nothing."""
        ...

    def prepare_bonuses(self, study: str, amounts: Sequence[tuple[str, float]]) -> str:
        """Set up bonuses by participant; return the id by which they are paid."""
        ...

    def pay_bonuses(self, prepared: str) -> None:
        """Pay what was set up; a second call pays a second time."""
        ...

    def message(self, study: str, people: Sequence[str], text: str) -> None:
        """Write to participants of a study."""
        ...

    def add_to_group(self, group: str, people: Sequence[str]) -> None:
        """Add participants to a group."""
        ...


class BatchProvider(Protocol):
    """Codes many texts at a time and later.

    Raises, in each: UserError where the key is not accepted, AssistantUnavailable where the provider does not answer.
    """

    def find(self, requests: int, since: datetime) -> str | None:
        """Return the batch of so many requests that was sent since a moment; None where there is none."""
        ...

    def sent_since(self, moment: datetime) -> list[str]:
        """Return the batches that were sent since a moment, by all who have the key."""
        ...

    def ended(self, batch: str) -> bool | None:
        """Return whether all replies of a batch are there; None where the provider does not have it any more."""
        ...


class ToneCoder(BatchProvider, Protocol):
    """A model that codes the tone of texts."""

    def submit(self, texts: Sequence[TextForTone]) -> str:
        """Send texts; returns the id of the batch."""
        ...

    def replies(self, batch: str) -> Iterator[CodedTone]:
        """Yield the replies of a batch that has ended."""
        ...


class InterviewCoder(BatchProvider, Protocol):
    """A model that codes answers by a codebook."""

    def submit(self, book: Codebook, asked: Sequence[AnswerToCode]) -> str:
        """Send answers; returns the id of the batch."""
        ...

    def replies(self, batch: str, book: Codebook) -> Iterator[CodedReply]:
        """Yield the replies of a batch that has ended."""
        ...
