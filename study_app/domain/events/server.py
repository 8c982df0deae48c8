"""The kinds of events that only the server writes: each act and its row are one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from study_app.domain.events.details import EventDetails, described
from study_app.domain.events.words import (
    AnswerOutcome,
    Cause,
    Decision,
    EntryWay,
    Failure,
    InterviewAction,
    InterviewEnd,
    ProbeOutcome,
    QuestionSource,
    RunEnd,
    StageEnd,
    Tool,
    Verdict,
)

CLOCK_OUTAGES = frozenset({"clock_step", "reopened", "paused"})
"""Causes of an `outage` in which nothing failed that participants use: only the stage's deadline was moved."""


# -- coming and going --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Entered(EventDetails):
    """The participant comes in for the first time."""

    kind: ClassVar[str] = "entered"

    way: EntryWay = described(levels=get_args(EntryWay))


@dataclass(frozen=True, kw_only=True)
class Reentered(EventDetails):
    """The participant comes in again."""

    kind: ClassVar[str] = "reentered"

    session: str | None = described(
        "the session into which the panel's study leads by which they came; only of a follow-up study",
        default=None,
        along="session",
        holds="id",
    )


@dataclass(frozen=True, kw_only=True)
class EntryRefused(EventDetails):
    """Another person's invitation was opened in this participant's browser."""

    kind: ClassVar[str] = "entry_refused"

    foreign: str = described("fingerprint of that invitation", holds="hash")


@dataclass(frozen=True, kw_only=True)
class LanguageChosen(EventDetails):
    """The language of all pages, where the study offers several."""

    kind: ClassVar[str] = "language_chosen"

    language: str = described()
    offered: tuple[str, ...] = described()


@dataclass(frozen=True, kw_only=True)
class PageOpened(EventDetails):
    """A browser page takes the attempt over."""

    kind: ClassVar[str] = "page_opened"

    page: str = described("of whose events this begins the numbers", holds="page")
    mono_ms: float = described("the page's own clock then, in milliseconds", default=0.0, holds="private")


@dataclass(frozen=True, kw_only=True)
class PageSuperseded(EventDetails):
    """A page loses the attempt to another one."""

    kind: ClassVar[str] = "page_superseded"

    page: str = described(holds="page")
    by: str = described("the page that took over", holds="page")


@dataclass(frozen=True, kw_only=True)
class Withdrew(EventDetails):
    """The participant leaves the study."""

    kind: ClassVar[str] = "withdrew"


@dataclass(frozen=True, kw_only=True)
class DataWithdrawn(EventDetails):
    """The participant's data are erased."""

    kind: ClassVar[str] = "data_withdrawn"

    who: str = described("or the researcher who did it", levels=("participant",))


@dataclass(frozen=True, kw_only=True)
class Excluded(EventDetails):
    """A researcher excludes the participant."""

    kind: ClassVar[str] = "excluded"

    reason: str = described()
    who: str = described(holds="private")


@dataclass(frozen=True, kw_only=True)
class Finished(EventDetails):
    """The last stage is over."""

    kind: ClassVar[str] = "finished"


# -- stages ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StageOpened(EventDetails):
    """The clock of a stage starts."""

    kind: ClassVar[str] = "stage_opened"

    minutes: float | None = described("its limit")


@dataclass(frozen=True, kw_only=True)
class StageEnded(EventDetails):
    """A stage is over."""

    kind: ClassVar[str] = "stage_ended"

    ended_by: StageEnd = described(levels=get_args(StageEnd))


@dataclass(frozen=True, kw_only=True)
class StageReopened(EventDetails):
    """A researcher gives back time of a stage that its deadline had ended; with an `outage` of kind `reopened`."""

    kind: ClassVar[str] = "stage_reopened"

    minutes: float = described()


@dataclass(frozen=True, kw_only=True)
class DeadlineExtended(EventDetails):
    """A researcher adds time to a stage; it is worked in, so not among `visits.paused_seconds`."""

    kind: ClassVar[str] = "deadline_extended"

    minutes: float = described()


@dataclass(frozen=True, kw_only=True)
class ParticipantPaused(EventDetails):
    """A researcher stops the participant's clock; their pages say that the study is paused."""

    kind: ClassVar[str] = "paused"


@dataclass(frozen=True, kw_only=True)
class ParticipantResumed(EventDetails):
    """The participant goes on; a timed stage has the time back, by an `outage` of kind `paused`."""

    kind: ClassVar[str] = "resumed"

    seconds: float = described("that the pause took")


@dataclass(frozen=True, kw_only=True)
class AnswerErased(EventDetails):
    """One answer is erased at the participant's request; `answered` still names its question."""

    kind: ClassVar[str] = "answer_erased"

    item: str = described("question", holds="id")


@dataclass(frozen=True, kw_only=True)
class SessionScheduled(EventDetails):
    """The next stage belongs to a later session."""

    kind: ClassVar[str] = "session_scheduled"

    opens_at: str = described("a moment, ISO 8601", holds="moment")


@dataclass(frozen=True, kw_only=True)
class SessionCompleted(EventDetails):
    """The last part of a session was handed in."""

    kind: ClassVar[str] = "session_completed"

    session: str = described("the session's id", holds="id")
    number: int = described("of the session, from 1")


@dataclass(frozen=True, kw_only=True)
class SessionMissed(EventDetails):
    """The session's window ended, or it was locked, before the participant had finished it."""

    kind: ClassVar[str] = "session_missed"

    session: str = described("the session's id", holds="id")


@dataclass(frozen=True, kw_only=True)
class OrderDrawn(EventDetails):
    """What this participant meets in an order that was drawn for them."""

    kind: ClassVar[str] = "order_drawn"

    orders: Mapping[str, Any] = described("`items`, `tasks`, and the options or rows of each question")


@dataclass(frozen=True, kw_only=True)
class Consented(EventDetails):
    """The participant agrees to take part."""

    kind: ClassVar[str] = "consented"


@dataclass(frozen=True, kw_only=True)
class Declined(EventDetails):
    """The participant does not agree to take part."""

    kind: ClassVar[str] = "declined"


@dataclass(frozen=True, kw_only=True)
class ScreenedOut(EventDetails):
    """The participant is not eligible."""

    kind: ClassVar[str] = "screened_out"

    questions: tuple[str, ...] = described("whose answers say so", holds="id")


@dataclass(frozen=True, kw_only=True)
class NoPlace(EventDetails):
    """Every place of the study was taken at consent or allocation."""

    kind: ClassVar[str] = "no_place"


@dataclass(frozen=True, kw_only=True)
class QuotaFull(EventDetails):
    """The participant's answer is one of which the study has all the participants it needs."""

    kind: ClassVar[str] = "quota_full"

    question: str = described("of the quota")


@dataclass(frozen=True, kw_only=True)
class PlaceLost(EventDetails):
    """A participant with an arm came back when others had taken the place."""

    kind: ClassVar[str] = "place_lost"


@dataclass(frozen=True, kw_only=True)
class Allocated(EventDetails):
    """The participant is allocated to an arm, which stands in the ledger."""

    kind: ClassVar[str] = "allocated"

    index: int = described("of the row in the ledger", holds="private")


@dataclass(frozen=True, kw_only=True)
class SecondDecided(EventDetails):
    """It is decided whether the participant responded; people who did not are randomised a second time."""

    kind: ClassVar[str] = "second_decision"

    responded: bool = described("by the study's rule")
    index: int | None = described("of the row in its ledger, of people who did not", default=None, holds="private")
    known: Mapping[str, Any] = described("what the rule looked at, by name", holds="private")


@dataclass(frozen=True, kw_only=True)
class AnswersHandedIn(EventDetails):
    """A form, or a page of a quiz, is handed in."""

    kind: ClassVar[str] = "answered"
    shows_activity: ClassVar[bool] = True

    items: tuple[str, ...] = described("questions or items on it", default=(), holds="id")
    page: int = described("of a quiz, from 0", default=0)
    by: StageEnd = described(levels=("participant", "deadline"), default="participant")


# -- tasks and programs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TaskShown(EventDetails):
    """A task comes on."""

    kind: ClassVar[str] = "task_shown"

    task: str = described(holds="id")
    index: int = described("within the stage, from 0", default=0)


@dataclass(frozen=True, kw_only=True)
class ProgramEvent(EventDetails):
    """A program that the server was handed."""

    task: str = described(holds="id")
    run_id: str = described(holds="id")
    page: str | None = described("whose editor held it", default=None, holds="page")
    seq: int | None = described("of the last event of that page that it contains", default=None)
    code_sha256: str | None = described("of the program; missing in old logs", default=None, holds="hash")
    as_edited: bool | None = described(
        "whether the server saw the page's edits give it; missing where it could not know yet", default=None
    )


@dataclass(frozen=True, kw_only=True)
class TaskSubmitted(ProgramEvent):
    """The program of a task is handed in."""

    kind: ClassVar[str] = "task_submitted"


@dataclass(frozen=True, kw_only=True)
class ReportedImpossible(EventDetails):
    """The participant says that a task cannot be done as described, and ends it with that."""

    kind: ClassVar[str] = "reported_impossible"

    task: str = described(holds="id")
    run_id: str = described("of the submission", holds="id")
    reason: str = described("in their words")


@dataclass(frozen=True, kw_only=True)
class ProbeShown(EventDetails):
    """The participant is asked how they feel; with it the deadline moves, for the clock stands still meanwhile."""

    kind: ClassVar[str] = "probe_shown"

    minute: float = described("of the stage's clock at which it was due")
    task: str = described("that was on", holds="id")
    seconds: float = described("for which it is shown at most, and by which the deadline moved")


@dataclass(frozen=True, kw_only=True)
class ProbeAnswered(EventDetails):
    """A probe is over before its time, and the deadline has the rest of that time back."""

    kind: ClassVar[str] = "probe_answered"

    minute: float = described("of the probe")
    outcome: ProbeOutcome = described(levels=get_args(ProbeOutcome))
    seconds: float = described("for which the clock stood still")
    valence: int | None = described("1 unpleasant to 9 pleasant", default=None)
    arousal: int | None = described("1 low energy to 9 high energy", default=None)
    calm_desperate: int | None = described("0 calm to 100 desperate", default=None)


@dataclass(frozen=True, kw_only=True)
class SubmissionLate(EventDetails):
    """Edits made in time that came after the deadline change what it submitted."""

    kind: ClassVar[str] = "submission_late"

    task: str = described(holds="id")
    run_id: str = described(holds="id")
    code_sha256: str | None = described(holds="hash")


@dataclass(frozen=True, kw_only=True)
class RunStarted(ProgramEvent):
    """A program is run."""

    kind: ClassVar[str] = "run_started"


@dataclass(frozen=True, kw_only=True)
class RunEnded(EventDetails):
    """A run is over."""

    kind: ClassVar[str] = "run_ended"

    run_id: str = described(holds="id")
    ended_by: str | None = described(levels=get_args(RunEnd))
    wall_seconds: float | None = described()


@dataclass(frozen=True, kw_only=True)
class FigureShown(EventDetails):
    """A figure that a run drew with matplotlib."""

    kind: ClassVar[str] = "figure_shown"

    run_id: str = described(holds="id")
    place: int = described("in the order of drawing, from 1")
    sha256: str = described(holds="hash")
    png: str = described("in base64")


@dataclass(frozen=True, kw_only=True)
class ProgramError(EventDetails):
    """A run ended with an exception."""

    kind: ClassVar[str] = "program_error"

    error_type: str | None = described("its class", key="type")
    message: str | None = described()
    line: int | None = described("of the program, from 1")
    run_id: str = described(holds="id")


@dataclass(frozen=True, kw_only=True)
class EditsUnapplied(EventDetails):
    """Edits of a page do not count from here on."""

    kind: ClassVar[str] = "edits_unapplied"

    page: str = described(holds="page")
    task: str = described(holds="id")
    why: str = described(levels=("late", "mismatch", "superseded"))


# -- the assistant -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TurnStarted(EventDetails):
    """A message reaches the assistant."""

    kind: ClassVar[str] = "turn_started"

    turn_id: str = described(holds="id")
    task: str = described(holds="id")
    model: str | None = described("that the treatment names", default=None)
    page: str | None = described("whose editor held the program sent along", default=None, along="page", holds="page")
    seq: int | None = described("of the last event of that page that it contains", default=None, along="page")
    code_sha256: str | None = described("of that program", default=None, along="page", holds="hash")
    as_edited: bool | None = described("as of `run_started`", default=None, along="page")


@dataclass(frozen=True, kw_only=True)
class TurnEnded(EventDetails):
    """A reply is over."""

    kind: ClassVar[str] = "turn_ended"

    turn_id: str = described(holds="id")
    error: str | None = described("why the provider failed", levels=get_args(Failure))
    stopped: bool = described("by the participant")
    withheld_chars: int | None = described("of code that a gate kept out of it", default=None, along="withheld_chars")
    autonomous_seconds: float | None = described(
        "that an agent worked without waiting for the participant", default=None, along="autonomous_seconds"
    )


@dataclass(frozen=True, kw_only=True)
class AgentProposed(EventDetails):
    """An agent calls a tool: what it wants to do, before anybody sees it."""

    kind: ClassVar[str] = "agent_proposed"

    action_id: str = described(holds="id")
    turn_id: str = described(holds="id")
    task: str = described(holds="id")
    step: int = described("of the turn, from 1")
    tool: str = described(levels=get_args(Tool))
    input: Mapping[str, Any] = described("texts of the call: `old` and `new`, `question` or `summary`")
    base_sha256: str = described("over the program and the call", holds="hash")
    waits: bool = described("for the participant")
    start: int | None = described("of the text that a change replaces, in UTF-16 units", default=None, along="start")
    end: int | None = described("of that text", default=None, along="start")
    length: int | None = described("of the program, in UTF-16 units", default=None, along="start")
    line: int | None = described("in which that text begins, from 1", default=None, along="start")
    model: str | None = described("that served the step", default=None)
    input_tokens: int | None = described("of the step", default=None)
    output_tokens: int | None = described("of the step", default=None)
    said_chars: int | None = described("of the reply, between the step before and this one", default=None)
    without_asking: bool | None = described(
        "whether the participant had switched asking off, with their treatment",
        default=None,
        along="without_asking",
    )


@dataclass(frozen=True, kw_only=True)
class AgentDecided(EventDetails):
    """What becomes of a call; of several about one call the last counts."""

    kind: ClassVar[str] = "agent_decided"

    action_id: str = described(holds="id")
    decision: str = described(levels=get_args(Decision))
    seconds: float = described("since it was proposed")
    words: str | None = described("why it was rejected, or the answer", default=None, along="words")
    applied_chars: int | None = described("that a change inserted", default=None, along="applied_chars")


@dataclass(frozen=True, kw_only=True)
class AgentActed(EventDetails):
    """What a call came to, as the agent reads it."""

    kind: ClassVar[str] = "agent_acted"

    action_id: str = described(holds="id")
    result: str = described()
    failed: bool = described()
    run_id: str | None = described("of a run by the agent", default=None, along="run_id", holds="id")


@dataclass(frozen=True, kw_only=True)
class GateJudged(EventDetails):
    """A message is judged by the explain-first gate."""

    kind: ClassVar[str] = "gate_judged"

    turn_id: str = described(holds="id")
    task: str = described(holds="id")
    verdict: str = described(levels=get_args(Verdict))
    by: str = described("empty where the gate was open already", levels=("rules", "claude"))
    reason: str = described()
    version: str = described("of the rules and of the question to the model")
    model: str | None = described("that judged, or was asked in vain before the rules did", default=None, along="model")
    input_tokens: int | None = described("of that model", default=None, along="model")
    output_tokens: int | None = described("of that model", default=None, along="model")


@dataclass(frozen=True, kw_only=True)
class InterviewAsked(EventDetails):
    """A question of an interview, before anybody sees it."""

    kind: ClassVar[str] = "interview_asked"

    interview_id: str = described(holds="id")
    turn_id: str = described(holds="id")
    number: int = described("of the interview, from 1")
    topic: str = described("of the plan", holds="id")
    action: str = described(levels=get_args(InterviewAction))
    question: str = described()
    by: str = described("who chose it", levels=get_args(QuestionSource))
    plan: str = described(holds="id")
    plan_version: str = described("as its author named it")
    language: str = described()
    model: str | None = described("that was asked", default=None, along="model")
    prompt_version: str | None = described("of plan and instructions", default=None, along="model")
    input_tokens: int | None = described("of all attempts", default=None, along="model")
    output_tokens: int | None = described("of all attempts", default=None, along="model")
    stop_reason: str | None = described("of the last reply", default=None, along="model")
    request_id: str | None = described("of the last reply, the provider's", default=None, along="model")
    rule_broken: tuple[str, ...] | None = described(
        "by the model's steps before this question", default=None, along="rule_broken"
    )
    error: str | None = described("why the provider gave no step", default=None, along="error")


@dataclass(frozen=True, kw_only=True)
class InterviewAnswered(EventDetails):
    """A question of an interview is answered, or left; of several about one question the last counts."""

    kind: ClassVar[str] = "interview_answered"

    turn_id: str = described(holds="id")
    outcome: str = described(levels=get_args(AnswerOutcome))
    answer: str | None = described(default=None, along="answer")


@dataclass(frozen=True, kw_only=True)
class InterviewClosed(EventDetails):
    """No further question comes."""

    kind: ClassVar[str] = "interview_closed"

    interview_id: str = described(holds="id")
    ended_by: str = described(levels=get_args(InterviewEnd), holds="private")
    summary: str | None = described("that the participant is shown", default=None, along="summary")
    summary_by: str | None = described(levels=("model", "rule"), default=None, along="summary")
    model: str | None = described("that wrote it", default=None, along="model")
    input_tokens: int | None = described("of all attempts", default=None, along="model")
    output_tokens: int | None = described("of all attempts", default=None, along="model")
    rule_broken: tuple[str, ...] | None = described("by a model's summary", default=None, along="rule_broken")


@dataclass(frozen=True, kw_only=True)
class InterviewRated(EventDetails):
    """The participant rates the summary; of several the last counts."""

    kind: ClassVar[str] = "interview_rated"

    interview_id: str = described(holds="id")
    rating: int | None = described("from 1 not at all to 4 very well", default=None)
    missing: str | None = described("what is missing, in the participant's words", default=None)


@dataclass(frozen=True, kw_only=True)
class TurnRefused(EventDetails):
    """A message is not taken."""

    kind: ClassVar[str] = "turn_refused"

    reason: str = described()


@dataclass(frozen=True, kw_only=True)
class Outage(EventDetails):
    """Something failed that the participant used, or a deadline was moved for a clock that was."""

    kind: ClassVar[str] = "outage"

    turn_id: str | None = described("of a reply that failed", default=None, along="turn_id", holds="id")
    run_id: str | None = described("of a run that failed", default=None, along="run_id", holds="id")
    ended_by: str | None = described("of a run", levels=get_args(RunEnd), default=None, along="run_id")
    wall_seconds: float | None = described("of a run", default=None, along="run_id")
    cause: str | None = described(
        levels=(*get_args(Cause), *get_args(Failure)), key="kind", default=None, along="cause"
    )
    seconds: float | None = described("by which the deadline moved", default=None, along="seconds")
