"""The seams of the system: what the services need and do not care who provides.

Each method says what it returns, what it raises, and whose fault that is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

from study_app.dataset.integrity.chain import Chained, Head
from study_app.domain.assistants.gate import Judged
from study_app.domain.assistants.treatments import AssistantRequest, ReplyEnd, TextDelta
from study_app.domain.events import BrowserEvent, Event, EventDetails
from study_app.domain.quiz.answer_log import Draft
from study_app.domain.records import (
    Answer,
    AuditEntry,
    Document,
    EndedBy,
    InProgress,
    Kind,
    Link,
    Participant,
    ProtocolVersion,
    Rating,
    Replica,
    RunRecord,
    Stored,
    TextReview,
    Turn,
    Visit,
    WorkKind,
)
from study_app.domain.tasks.packs import Isolation, OutputLine, Program, RunResult

Result = TypeVar("Result")

RESTORED = "restored"
"""Key of the fact that a database was put back from a backup, until the next start has recorded it."""


class Clock(Protocol):
    """The only source of time. A simulation brings its own."""

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        ...


@dataclass(frozen=True)
class ClockStep:
    """How far the machine's wall clock is from what its monotonic clock counts."""

    by: timedelta
    """Wall clock minus count."""
    confirmed: bool
    """Whether it is a step forward that has stood long enough to be believed."""


class SteadyClock(Clock, Protocol):
    """A clock that does not follow a step of the wall clock by itself."""

    def step(self) -> ClockStep | None:
        """Return the step that is not taken over; None while the clocks agree."""
        ...

    def adopt(self) -> None:
        """Take the wall clock's word from now on."""
        ...


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
class ExplanationJudge(Protocol):
    """An assistant that can judge whether a message explains the participant's idea; where none can, rules judge."""

    async def judge(self, request: AssistantRequest) -> Judged:
        """Judge the message of a request.

        Raises:
            AssistantUnavailable: there is no verdict.
        """
        ...


Restorable = Literal["participants", "visits", "events", "runs", "turns", "answers", "ratings", "allocations"]
"""Tables of a dataset that a database has as well; every other is derived."""


class EventLog(Protocol):
    """The append-only log, within one transaction."""

    def record(self, participant_id: str, stage: str, at: datetime, details: EventDetails) -> Event:
        """Append one event of the server's own; it takes the next number of the page `server`."""
        ...

    def store_batch(
        self,
        participant_id: str,
        page: str,
        stage: str,
        at: datetime,
        events: Sequence[BrowserEvent],
        late: Mapping[int, str] | None = None,
    ) -> Stored:
        """Append what is new of a batch; an event already stored changes nothing.

        Args:
            participant_id: whose.
            page: the browser page that sent it.
            stage: where the participant is.
            at: now.
            events: the batch.
            late: number -> stage of the events that were sent before that stage's deadline and arrive after it.
        """
        ...

    def acknowledged(self, participant_id: str, page: str) -> int:
        """Return the highest number up to which every event of the page is stored; 0 for an unknown page."""
        ...

    def pages(self, participant_id: str) -> dict[str, int]:
        """Page -> the number up to which its events were stored, whatever is in the log now."""
        ...

    def events(self, participant_id: str | None = None) -> Iterator[Event]:
        """Events in fixed order: participant, then as stored; all participants without an argument."""
        ...

    def events_of(self, participant_id: str, kinds: Collection[str], stage: str | None = None) -> list[Event]:
        """Return a participant's events of these kinds, of one stage or of all, as stored."""
        ...

    def latest_moment(self) -> datetime | None:
        """When the newest event of a real participant was stored; None before there is one."""
        ...

    def latest(self, participant_id: str, page: str, kinds: Sequence[str]) -> dict[str, Event]:
        """Return the last event of each of these kinds that a page sent."""
        ...


class Stay(NamedTuple):
    """One participant's visit of one stage, as far as counts need it."""

    stage: str
    seconds: float | None
    """None while it goes on."""


class UnitOfWork(EventLog, Protocol):
    """One transaction: everything in it happens, or nothing does."""

    def lock(self, name: str) -> None:
        """Wait until no other transaction holds this name; held to the end of this one."""
        ...

    def meta(self, key: str) -> str | None:
        """Return a fact about the study itself, or None."""
        ...

    def set_meta(self, key: str, value: str) -> None:
        """Set such a fact."""
        ...

    def meta_value(self, key: str) -> Any:
        """Return a fact that is a JSON value, not a text; None where it was never set, or was set to None."""
        ...

    def set_meta_value(self, key: str, value: Any) -> None:
        """Set such a fact."""
        ...

    def versions(self) -> list[ProtocolVersion]:
        """Locked protocol versions, oldest first."""
        ...

    def newest_version(self) -> str | None:
        """Hash of the version locked last; None before the launch."""
        ...

    def add_version(self, version: ProtocolVersion) -> None:
        """Lock another version."""
        ...

    def add_participant(self, participant: Participant) -> bool:
        """Insert; False if a link, Prolific id or label is already taken, and nothing was inserted."""
        ...

    def participant(self, participant_id: str) -> Participant | None:
        """Return the participant as of now, or None."""
        ...

    def known_participant(self, participant_id: str) -> Participant:
        """Return the participant as of now.

        Raises:
            NotAllowed: there is none of this id.
        """
        ...

    def participants(self) -> list[Participant]:
        """All, in order of enrolment."""
        ...

    def kinds(self) -> set[Kind]:
        """Kinds of participants that there are."""
        ...

    def participants_of(self, kind: Kind) -> list[Participant]:
        """All of one kind, in order of enrolment."""
        ...

    def visits_of_kind(self, kind: Kind) -> list[Visit]:
        """Visits of all participants of one kind, in no order."""
        ...

    def stays(self, kind: Kind) -> list[Stay]:
        """How long each visit of participants of one kind took."""
        ...

    def under_way(self, kind: Kind, since: datetime) -> list[tuple[Participant, datetime | None, bool]]:
        """Who is in progress and was seen since then, or is paused, the longest silent first; in one query.

        Each with the moment at which they opened the stage they are on, and whether a run of theirs failed on the
        server since.
        """
        ...

    def begun_sessions(self, kind: Kind) -> set[str]:
        """Ids of those who have opened the stage of a later session that they waited for."""
        ...

    def answers_to(self, question: str, kind: Kind) -> list[tuple[Participant, Any]]:
        """Participants of one kind who have handed in an answer to a survey's question, each with it."""
        ...

    def events_of_kind(self, kind: Kind, event: str) -> list[Event]:
        """Events of one kind, of all participants of one kind."""
        ...

    def tokens_by_model(self, kind: Kind) -> list[tuple[str, str, int, int, int, int]]:
        """Treatment, model, messages, tokens read, tokens written, and messages whose tokens were not reported."""
        ...

    def meta_values(self, prefix: str) -> dict[str, Any]:
        """Return facts that are JSON values and whose keys begin so."""
        ...

    def metas(self, prefix: str) -> dict[str, str]:
        """Return facts whose keys begin so."""
        ...

    def failed_runs(self, since: datetime) -> int:
        """How many runs have failed on the server since then."""
        ...

    def ungraded_before(self, before: datetime) -> int:
        """How many submissions made before then have no verdict."""
        ...

    def audit_of(self, whats: Sequence[str] = (), participant_id: str = "") -> list[AuditEntry]:
        """Return acts of these names (all where empty) on this participant (anybody where empty), oldest first."""
        ...

    def find(self, **keys: str) -> Participant | None:
        """Return the participant whose columns equal all keys, or None."""
        ...

    def move(self, participant: Participant, **changes: Any) -> bool:
        """Change a participant, guarded by the stage and step that the given one has.

        Returns:
            False if they are no longer there: a double click, a second tab or a retry was faster; nothing changed.
        """
        ...

    def touch(self, participant_id: str, **changes: Any) -> None:
        """Change columns that are not part of the position (page, last_seen_at, exclusion)."""
        ...

    def add_token(self, participant_id: str, token_hash: str, expires_at: datetime) -> None:
        """Remember the hash of a cookie's token."""
        ...

    def participant_of_token(self, token_hash: str, at: datetime) -> Participant | None:
        """Whose token it is; None if unknown or expired."""
        ...

    def open_visit(self, visit: Visit) -> bool:
        """Begin a visit; False if there is one already."""
        ...

    def visit(self, participant_id: str, stage: str) -> Visit | None:
        """Return the visit of that stage, or None before it was opened."""
        ...

    def visits(self, participant_id: str | None = None) -> list[Visit]:
        """Visits in order of their start."""
        ...

    def end_visit(self, participant_id: str, stage: str, at: datetime, ended_by: EndedBy) -> bool:
        """End a visit once; False if it has ended or never began."""
        ...

    def extend_visit(self, participant_id: str, stage: str, by: timedelta) -> bool:
        """Move the deadline of a visit that goes on; False if it has none, has ended or never began."""
        ...

    def set_deadline(self, participant_id: str, stage: str, deadline_at: datetime | None) -> bool:
        """Give a visit that goes on another deadline, or none; False if it has ended or never began."""
        ...

    def reopen_visit(self, participant_id: str, stage: str, deadline_at: datetime) -> bool:
        """Let a visit that its deadline ended go on until that moment; False if it is not there or ended otherwise."""
        ...

    def overdue(self, at: datetime, *, simulated: bool = False) -> list[Visit]:
        """Visits whose deadline has passed and that are still open: of simulated participants, or of all others."""
        ...

    def document(self, participant_id: str, task: str, of_page: str | None = None) -> Document | None:
        """Return the saved text of a task, or None before the first edit.

        With `of_page`, None where another page saved it.
        """
        ...

    def document_page(self, participant_id: str, task: str) -> str | None:
        """Return the page whose edits the saved text holds."""
        ...

    def save_document(self, document: Document, page: str) -> None:
        """Insert or replace the saved text."""
        ...

    def draft(self, participant_id: str, stage: str, step: int) -> Draft | None:
        """Return what stands in the fields of a form, or None before the first change."""
        ...

    def save_draft(self, participant_id: str, stage: str, step: int, draft: Draft) -> None:
        """Insert or replace it."""
        ...

    def add_run(self, run: RunRecord) -> None:
        """Insert a run when it starts."""
        ...

    def update_run(self, run: RunRecord) -> bool:
        """Replace a run by its finished state.

        False where it is gone: its person had their data erased.
        """
        ...

    def runs(self, participant_id: str | None = None) -> list[RunRecord]:
        """Return runs and submissions in order of their start."""
        ...

    def ungraded(self) -> list[RunRecord]:
        """Submissions that wait for their grading, oldest first."""
        ...

    def simulated(self) -> set[str]:
        """Ids of the simulated participants, whose time is not the server's."""
        ...

    def remarkable(self) -> list[RunRecord]:
        """Submissions whose grading came to no verdict, or whose imports a person may want to look at; oldest first."""
        ...

    def add_turn(self, turn: Turn) -> None:
        """Insert a turn when it is asked."""
        ...

    def update_turn(self, turn: Turn) -> bool:
        """Replace a turn by its newer state.

        False where it is gone: its person had their data erased.
        """
        ...

    def turns(self, participant_id: str | None = None) -> list[Turn]:
        """Return turns in order of asking."""
        ...

    def save_answer(self, answer: Answer) -> None:
        """Insert or replace the answer to one question or item; counts changes itself."""
        ...

    def drop_answer(self, participant_id: str, stage: str, item: str) -> None:
        """Forget an answer; nothing happens where there is none."""
        ...

    def answers(self, participant_id: str | None = None) -> list[Answer]:
        """Answers in fixed order."""
        ...

    def unscored(self) -> list[Answer]:
        """Quiz answers that have no points yet, in fixed order."""
        ...

    def set_points(self, answer: Answer) -> bool:
        """Store points, their maximum, who scored and by which key; False if the response has changed since."""
        ...

    def erase_events(self, event_ids: Collection[int]) -> None:
        """Put a tombstone in the place of the payloads of these events; the rows stay, and the chain holds."""
        ...

    def erase_payloads(self, participant_id: str) -> None:
        """Erase everything a participant wrote: codes, texts, messages, answers; ledger and stages stay."""
        ...

    def append_allocation(self, row: Mapping[str, Any]) -> None:
        """Append one ledger row; raises if its index or participant is already there."""
        ...

    def allocations(self, ledger: Kind | None = None) -> list[dict[str, Any]]:
        """Ledger rows in order of their index."""
        ...

    def erase_allocation(self, allocation_index: int, ledger: Kind, row: Mapping[str, Any]) -> None:
        """Replace a ledger row by itself with its payload erased; the table forgets whose it was."""
        ...

    def forget_label_of_link(self, participant_id: str) -> None:
        """Take the label from the link with which a participant came; it stays used."""
        ...

    def add_link(self, link: Link) -> None:
        """Insert a single-use link."""
        ...

    def link(self, token_hash: str) -> Link | None:
        """Return the link, or None."""
        ...

    def links(self) -> list[Link]:
        """All links, in order of making."""
        ...

    def take_link(self, token_hash: str, participant_id: str) -> bool:
        """Give an unused link to a participant; False if it is unknown or used."""
        ...

    def add_audit(self, entry: AuditEntry) -> None:
        """Append to the audit log, chained to the entry before."""
        ...

    def audit(self) -> list[AuditEntry]:
        """Return the audit log, oldest first."""
        ...

    def chain_heads(self) -> list[Head]:
        """Where every chain of records stands."""
        ...

    def after_commit(self, act: Callable[[], object]) -> None:
        """Do something once this transaction is committed, and not where it is undone."""
        ...

    def sign_heads(self, key: bytes) -> None:
        """Sign every head as it stands: what was stored before the launch is taken as it is."""
        ...

    def chained(self) -> Iterator[Chained]:
        """Every entry of every chain, in the order of each chain."""
        ...

    def beat(self, replica: Replica) -> None:
        """Keep a server's sign of life."""
        ...

    def replicas(self) -> list[Replica]:
        """Return the servers that have not said goodbye, the oldest first."""
        ...

    def replica(self, name: str) -> Replica | None:
        """Return the server of that name, or None."""
        ...

    def forget_replica(self, name: str) -> None:
        """Forget a server and what it was doing."""
        ...

    def begin_work(self, work: InProgress) -> bool:
        """Note what a server begins for a participant; False where another of that kind is going on."""
        ...

    def work_of(self, participant_id: str, kind: WorkKind) -> InProgress | None:
        """Return what is being done for a participant, or None."""
        ...

    def works(self) -> list[InProgress]:
        """Return everything that is being done for participants."""
        ...

    def stop_work(self, participant_id: str, kind: WorkKind) -> bool:
        """Ask whichever server does it to end it; False where nothing is going on."""
        ...

    def end_work(self, work: InProgress) -> bool:
        """Note that it is over; False where it was taken from this server meanwhile."""
        ...

    def add_rating(self, rating: Rating) -> None:
        """Append one human judgement."""
        ...

    def ratings(self) -> list[Rating]:
        """All judgements, in fixed order."""
        ...

    def add_text_review(self, review: TextReview) -> None:
        """Append what a person decided on a text."""
        ...

    def text_reviews(self) -> list[TextReview]:
        """Return the newest decision on each text."""
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


class Database(Protocol):
    """The database, seen as a source of transactions."""

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Wait until no other process holds that name on this database, and hold it; a killed process lets go of it."""
        ...

    def begin(self, *, write: bool = True) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction; committed at the end of the block, undone by an exception.

        Raises:
            InfrastructureError: the database cannot be reached, is full or locked for too long.
        """
        ...

    def submit(self, work: Callable[[UnitOfWork], Result]) -> Future[Result]:
        """Queue work for a writing transaction that it may share with what others queue; at once, from any thread.

        What one piece of work raises undoes that piece alone and is the future's exception. The future is done after
        the commit and not before; its exception is an InfrastructureError where the database failed.
        """
        ...

    def waiting(self) -> int:
        """Return how many pieces of work are queued."""
        ...

    def sign_heads(self, key: bytes) -> None:
        """From now on sign the heads of the chain of records with this key."""
        ...

    def forget_erased(self) -> bool:
        """Take what was erased off the disk as far as the database can now; False where a later call must go on."""
        ...

    def probe(self) -> None:
        """Write a little and see it reach the disk.

        Raises:
            InfrastructureError: nothing can be written now, for the disk is full or the database out of reach.
        """
        ...

    def describe(self) -> str:
        """Which database this is, without secrets."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...
