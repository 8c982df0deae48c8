"""A participant and their way through the stages, as the database holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from study_app.domain.allocation.options import DECISION_MARK
from study_app.domain.events import BrowserEvent
from study_app.domain.events.words import StageEnd

Kind = Literal["real", "preview", "simulated"]
NO_PLACE = "no place was free"
"""Why a participant is excluded who consented when every place of the study was taken."""
Status = Literal["in_progress", "screened_out", "declined", "withdrawn", "abandoned", "completed", "excluded"]
PlaceStatus = Literal["held", "used", "refused"]
EndedBy = StageEnd
RunKind = Literal["run", "submission", "agent"]

END = "end"
"""The stage of everybody whose way is over, however it ended."""


@dataclass(frozen=True)
class Participant:
    """One person, or one simulated or preview stand-in."""

    id: str
    """Random, stable, the only identity in the dataset."""
    kind: Kind
    """Which ledger they belong to."""
    study_hash: str
    """The protocol version they started with and keep."""
    status: Status
    stage: str
    """Id of the current stage, or `end`."""
    step: int
    """Task or page within the stage, from 0."""
    enrolled_at: datetime
    last_seen_at: datetime
    arm: str | None = None
    stratum: str | None = None
    allocation_index: int | None = None
    allocated_at: datetime | None = None
    finished_at: datetime | None = None
    opens_at: datetime | None = None
    """Before this moment the current stage (of a later session) is not open yet."""
    page: str | None = None
    """The browser page that owns the attempt; the newest one takes over."""
    label: str | None = None
    link: str | None = None
    prolific_pid: str | None = None
    prolific_study: str | None = None
    prolific_session: str | None = None
    exclusion_reason: str | None = None
    data_withdrawn: bool = False
    place: PlaceStatus | None = None
    """Of the study's places: held from consent on, used by the allocation, or refused because none was free."""
    place_until: datetime | None = None
    """A held place is free for others after this moment."""
    language: str = ""
    """Chosen at the entry; empty for the study's own."""
    paused_at: datetime | None = None
    """Since when researchers have stopped the participant's clock; None while they go on."""
    responded: bool | None = None
    """Whether they responded to the first treatment; None before a second randomisation, and without one."""
    second_treatment: str | None = None
    """Of the second randomisation; None for people who responded."""
    second_index: int | None = None
    """Place in its ledger."""

    @property
    def over(self) -> bool:
        """Whether nothing more can happen."""
        return self.stage == END

    @property
    def allocated(self) -> str | None:
        """Everything that they were allocated to, as `Study.arm` reads it; None before the allocation."""
        both = self.arm is not None and self.second_treatment is not None
        return f"{self.arm}{DECISION_MARK}{self.second_treatment}" if both else self.arm


@dataclass(frozen=True)
class Visit:
    """One participant's stay on one stage; there is never a second."""

    participant_id: str
    stage: str
    started_at: datetime
    deadline_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None


WorkKind = Literal["reply", "run", "submission", "grading"]


@dataclass(frozen=True)
class Replica:
    """One of the servers that serve a study."""

    name: str
    machine: str
    """Where it runs; processes of one machine can see whether another has ended."""
    process: int
    began_at: datetime
    beat_at: datetime
    """Its last sign of life, by its own clock."""
    taken: Mapping[str, Mapping[str, float]] | None = None
    """Kind of limit -> who asks much -> what they took of it at this server; see `study_app.web.admission.limits`."""


@dataclass(frozen=True)
class InProgress:
    """What a server does for a participant just now: one of each kind at a time, whichever server it is."""

    participant_id: str
    kind: WorkKind
    work: str
    """Id of the turn, run or submission."""
    replica: str
    stop: bool = False
    """The participant, by way of another server, wants it to end."""


@dataclass(frozen=True)
class Document:
    """The text of one task as the server knows it from the edits."""

    participant_id: str
    task: str
    text: str
    source: Literal["starter", "saved"]


@dataclass(frozen=True)
class Turn:
    """One message to the assistant and its reply."""

    id: str
    participant_id: str
    task: str
    assistant: str
    treatment: str
    model: str
    prompt_version: str
    message: str
    reply: str
    code: str
    asked_at: datetime
    first_token_seconds: float | None = None
    total_seconds: float | None = None
    composing_seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    stop_reason: str | None = None
    stopped_by_participant: bool = False
    error: str | None = None
    complete: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What the provider was asked with."""


@dataclass(frozen=True)
class RunRecord:
    """One run or submission of a participant's program."""

    id: str
    participant_id: str
    task: str
    stage: str
    kind: RunKind
    """`agent`: a run that the participant's agent made."""
    code: str
    started_at: datetime
    page: str | None = None
    seq: int | None = None
    """The last edit of that page that the code contains."""
    stdout: str = ""
    stderr: str = ""
    error_type: str | None = None
    error_message: str | None = None
    error_line: int | None = None
    ended_by: str | None = None
    wall_seconds: float | None = None
    isolation: str | None = None
    scheduler_seed: int | None = None
    checks: Sequence[Mapping[str, Any]] = ()
    """Each {name, visible, passed}; of a run also what the page said of it: message, expected, seen, cause."""
    visible_only_pass: bool | None = None
    output_order: str = ""
    """See `RunResult.order`; empty where nothing was printed."""
    grading: Literal["failed", "inconclusive"] | None = None
    """Why a submission has no verdict although it was its turn; None while it waits and once it has one."""
    grading_reason: str | None = None
    repeats: int | None = None
    """Calls that its grading made again, because the machine lagged."""
    review: str = ""
    """Imports that honest solutions do not need, joined by semicolons."""


@dataclass(frozen=True)
class Answer:
    """One answer to a survey question (bank empty) or a quiz item."""

    participant_id: str
    stage: str
    item: str
    response: Any
    """As it was given: text, number, list or object; None where a quiz item was left out."""
    bank: str = ""
    form: str = ""
    points: float | None = None
    max_points: float | None = None
    scored_by: str | None = None
    key_version: str | None = None
    confidence: float | None = None
    """Share, 0 to 1, that the participant gave as the chance that the answer is right; None where not asked or left."""
    scoring_reason: str | None = None
    """Why its checks decided nothing, None where they did."""
    repeats: int | None = None
    """Runs of its checks that were made again, because the machine was too busy."""
    seconds: float | None = None
    changes: int = 0
    saved_at: datetime | None = None


@dataclass(frozen=True)
class Stored:
    """What became of one batch of browser events."""

    ack: int
    """Every event of the page up to this number is stored."""
    fresh: tuple[BrowserEvent, ...]
    """Events that this batch made contiguous, in order: apply these, each exactly once."""
    new: bool = False
    """Whether anything of it was not in the log before."""


@dataclass(frozen=True)
class Link:
    """A single-use way in."""

    token_hash: str
    label: str | None
    participant_id: str | None
    created_at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """One act of a researcher or a command."""

    at: datetime
    who: str
    what: str
    why: str
    detail: Mapping[str, Any]
    previous_hash: str = ""
    row_hash: str = ""


@dataclass(frozen=True)
class ProtocolVersion:
    """One version of the locked study."""

    study_hash: str
    text: str
    """The study as canonical JSON."""
    materials: Mapping[str, str]
    """Path -> SHA-256."""
    from_index: int
    """The first allocation index of the real ledger made under it."""
    locked_at: datetime
    reason: str


@dataclass(frozen=True)
class Rating:
    """One human judgement of one object."""

    rating_id: str
    object: str
    rater: str
    value: str
    rubric: str
    rated_at: datetime


@dataclass(frozen=True)
class TextReview:
    """What a person decided on one text, read for a dataset that everybody may have."""

    participant_id: str
    """Whose text it is; empty for one of a rater."""
    table: str
    column: str
    record: str
    """Ids of the row, joined by `|`."""
    digest: str
    """SHA-256 of the text: another text in its place is not decided."""
    released: bool
    reviewer: str
    reviewed_at: datetime

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the decision is about."""
        return self.table, self.column, self.record, self.digest


def submitted(runs: Iterable[RunRecord]) -> dict[str, str]:
    """Task -> the program that was handed in for it last."""
    return {run.task: run.code for run in runs if run.kind == "submission"}
