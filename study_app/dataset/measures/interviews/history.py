"""Interviews as the log has them: each question with its answer, and how each ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from study_app.domain.events import Event
from study_app.domain.events.server import (
    InterviewAnswered,
    InterviewAsked,
    InterviewClosed,
    InterviewRated,
    StageReopened,
)
from study_app.domain.interviews.machine import Exchange

KINDS = frozenset(
    each.kind for each in (InterviewAsked, InterviewAnswered, InterviewClosed, InterviewRated, StageReopened)
)


@dataclass
class AskedQuestion:
    """One question, and what became of it; of several answers the last counts."""

    asked: InterviewAsked
    asked_at: datetime
    answered: InterviewAnswered | None = None
    answered_at: datetime | None = None
    reopened: bool = False
    """Whether it waits for an answer again that a deadline had cut off; until then that one is kept."""
    reopened_at: datetime | None = None

    @property
    def answer(self) -> str:
        """What was answered; empty without one."""
        return (self.answered.answer or "") if self.answered is not None else ""

    @property
    def outcome(self) -> str:
        """See `AnswerOutcome`; empty while it waits."""
        return self.answered.outcome if self.answered is not None else ""

    def exchange(self) -> Exchange:
        """Return it as the rules see it."""
        said = self.asked
        if self.reopened:
            return Exchange(said.topic, said.action, said.question)  # type: ignore[arg-type]
        return Exchange(said.topic, said.action, said.question, self.outcome, self.answer)  # type: ignore[arg-type]


@dataclass
class Held:
    """One interview."""

    id: str
    stage: str
    started_at: datetime
    questions: list[AskedQuestion] = field(default_factory=list)
    closed: InterviewClosed | None = None
    closed_at: datetime | None = None
    earlier_closing: InterviewClosed | None = None
    """By a deadline, before the stage was reopened; None again once the interview has gone on."""
    earlier_closed_at: datetime | None = None
    rated: InterviewRated | None = None

    @property
    def first(self) -> InterviewAsked:
        """The first question, which names plan and language."""
        return self.questions[0].asked

    @property
    def ending(self) -> InterviewClosed | None:
        """How it ended: reopened and not gone on with, as it had ended before."""
        return self.closed or self.earlier_closing

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, as `ending` has it."""
        return self.closed_at or self.earlier_closed_at


def interviews_of(events: Iterable[Event]) -> list[Held]:
    """Return a participant's interviews in the order in which they began."""
    found: dict[str, Held] = {}
    turns: dict[str, AskedQuestion] = {}
    for event in events:
        # By kind first: nearly all events of a log are edits.
        if event.kind not in KINDS:
            continue
        match event.details:
            case InterviewAsked(interview_id=name, turn_id=turn) as asked if turn not in turns:
                held = found.setdefault(name, Held(name, event.stage, event.server_time))
                turns[turn] = AskedQuestion(asked, event.server_time)
                held.questions.append(turns[turn])
            case InterviewAnswered(turn_id=turn) as answered if turn in turns:
                turns[turn].answered, turns[turn].answered_at = answered, event.server_time
                turns[turn].reopened = False
                _go_on(found[turns[turn].asked.interview_id])
            case InterviewClosed(interview_id=name) as closed if name in found and found[name].closed is None:
                found[name].closed, found[name].closed_at = closed, event.server_time
                _go_on(found[name])
            case InterviewRated(interview_id=name) as rated if name in found:
                found[name].rated = rated
            case StageReopened():
                _reopen([held for held in found.values() if held.stage == event.stage], event.server_time)
    return list(found.values())


def _go_on(held: Held) -> None:
    held.earlier_closing, held.earlier_closed_at = None, None


def _reopen(interviews: Iterable[Held], at: datetime) -> None:
    """Let interviews go on that a deadline closed, with the question that it cut off."""
    for held in interviews:
        if held.closed is not None and held.closed.ended_by == "deadline":
            # Kept: of versions that left it closed, and of people who did not come back, nothing follows in the log.
            held.earlier_closing, held.earlier_closed_at = held.closed, held.closed_at
            held.closed, held.closed_at = None, None
        last = held.questions[-1]
        if last.outcome == "deadline":
            last.reopened, last.reopened_at = True, at
