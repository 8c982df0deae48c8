"""Everything that happened to one participant in one list: steps, runs, questions, evidence, researchers' acts.

Before arms may be shown it leaves out whatever only some arms can have: questions to the assistant, stages and
questions of some arms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from study_app.dataset.measures.compliance import evidence_of
from study_app.dataset.measures.record import Content
from study_app.domain.events import Event, EventDetails
from study_app.domain.events.server import (
    AnswerErased,
    AnswersHandedIn,
    DeadlineExtended,
    Outage,
    ParticipantResumed,
    ProbeAnswered,
    ProbeShown,
    Reentered,
    SessionScheduled,
    StageEnded,
    StageOpened,
    StageReopened,
    TaskShown,
    TaskSubmitted,
)
from study_app.domain.records import AuditEntry, Participant, RunRecord, Turn, Visit
from study_app.domain.shown_times import AS_THEY_WERE, ShownTimes
from study_app.domain.study.compliance import UNITS
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.levelling.times import stage_after
from study_app.services.researcher.exporting.collect_records import participant_records, versions_of

Source = Literal["steps", "runs", "questions", "evidence", "researchers"]
SOURCES: tuple[Source, ...] = ("steps", "runs", "questions", "evidence", "researchers")
SHOWN_EVENTS = {
    "entered": "entered",
    "reentered": "came back",
    "entry_refused": "another invitation was tried in this browser",
    "consented": "agreed to take part",
    "declined": "did not agree",
    "allocated": "was allocated",
    "stage_opened": "opened the stage",
    "stage_ended": "ended the stage",
    "stage_reopened": "was let back into the stage",
    "deadline_extended": "was given more time",
    "paused": "was paused",
    "resumed": "went on after a pause",
    "outage": "met an outage",
    "answer_erased": "had one answer erased",
    "probe_shown": "was asked how they feel, and the clock stood still",
    "probe_answered": "went on after being asked how they feel",
    "task_shown": "saw the task",
    "task_submitted": "handed the task in",
    "answered": "handed answers in",
    "page_opened": "opened a page",
    "page_superseded": "went on in another window",
    "session_scheduled": "waits for the next session",
    "session_completed": "completed the session",
    "session_missed": "the session closed before they had finished it",
    "screened_out": "was screened out",
    "no_place": "found no free place",
    "quota_full": "met a full quota",
    "place_lost": "lost the place to others",
    "finished": "finished",
    "withdrew": "left the study",
    "data_withdrawn": "had the data deleted",
    "excluded": "was excluded",
}
"""Kinds of events that every arm has alike -> what the timeline says of them."""
_PAUSES = frozenset(SHOWN_EVENTS[kind] for kind in ("paused", "resumed"))
_ENDS = frozenset(
    SHOWN_EVENTS[kind]
    for kind in "task_submitted session_completed session_scheduled finished withdrew data_withdrawn excluded".split()
)
"""What can come at the very limit of a stage."""


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a timeline."""

    at: datetime
    source: Source
    stage: str
    what: str
    detail: str


@dataclass(frozen=True)
class Sight:
    """What a person at the console may see of a participant."""

    arms: bool
    """Whether arms may be shown."""
    work: bool
    """Whether programs, chats and what is derived from them may be shown to this person."""
    hidden_stages: Collection[str] = ()
    hidden_questions: Collection[str] = ()
    """Of some arms only; empty where arms may be shown."""
    times: ShownTimes = AS_THEY_WERE
    """Level what happened in time that only some arms were given back."""


def timeline(
    context: StudyContext, unit: UnitOfWork, person: Participant, audit: Iterable[AuditEntry], sight: Sight
) -> tuple[TimelineEntry, ...]:
    """Return what happened, the oldest first."""
    if person.data_withdrawn:
        entries = [*_steps(unit, person, sight), *_acts(audit)]
    else:
        entries = [*_steps(unit, person, sight), *_runs(unit.runs(person.id)), *_acts(audit)]
        if sight.arms and sight.work:
            entries += _questions(unit.turns(person.id))
        if sight.work:
            entries += _evidence(context, unit, person)
    shown = (entry for entry in entries if entry.stage not in sight.hidden_stages)
    visits = unit.visits(person.id)
    study = context.study_of(unit, person)
    levelled = [*_levelled(shown, visits, study, sight.times), *_ended(visits, sight.times, context.now())]
    return tuple(sorted(levelled, key=lambda entry: entry.at))


def _ended(visits: Iterable[Visit], times: ShownTimes, now: datetime) -> Iterator[TimelineEntry]:
    """Yield the end of a stage that goes on only in time that some arms are given back."""
    for visit in visits:
        if times.is_past(visit, now) and (end := times.visit(visit, now)).ended_at is not None:
            yield TimelineEntry(end.ended_at, "steps", visit.stage, SHOWN_EVENTS["stage_ended"], "deadline")


def _levelled(
    entries: Iterable[TimelineEntry], visits: Sequence[Visit], study: Study, times: ShownTimes
) -> Iterator[TimelineEntry]:
    """Yield entries at the times at which they may be shown; of what is shown at a stage's limit only its end."""
    for entry in entries:
        visit = None if entry.source == "researchers" else _visit_of(entry, visits)
        if visit is not None and entry.what in _PAUSES and times.is_beyond(entry.at, visit):
            # A person of another arm would be paused on the next stage, and the researcher's act has this moment.
            yield replace(entry, stage=stage_after(study, visit.stage))
        elif not times.is_levelled(entry.at, visit):
            yield _earlier(entry, times.moment(entry.at, visit))
        elif entry.what == SHOWN_EVENTS["stage_ended"]:
            yield replace(entry, at=times.moment(entry.at, visit), detail="deadline")
        elif entry.what in _ENDS:
            yield _earlier(entry, times.moment(entry.at, visit))


def _earlier(entry: TimelineEntry, at: datetime) -> TimelineEntry:
    """Return an entry at an earlier moment, with the opening of the next session, which is counted from it."""
    if entry.at == at or entry.what != SHOWN_EVENTS["session_scheduled"]:
        return replace(entry, at=at)
    opens_at = datetime.fromisoformat(entry.detail) - (entry.at - at)
    return replace(entry, at=at, detail=opens_at.isoformat())


def _visit_of(entry: TimelineEntry, visits: Sequence[Visit]) -> Visit | None:
    """Return the visit of the entry's stage; where it has none yet, the latest that had begun."""
    begun = [visit for visit in visits if visit.started_at <= entry.at]
    mine = [visit for visit in begun if visit.stage == entry.stage]
    # One that ended as it began lies before the one that followed at that moment.
    return max(mine or begun, key=lambda each: (each.started_at, each.ended_at or entry.at), default=None)


def _steps(unit: UnitOfWork, person: Participant, sight: Sight) -> Iterator[TimelineEntry]:
    for event in unit.events_of(person.id, set(SHOWN_EVENTS)):
        if isinstance(event.details, Outage) and event.details.turn_id is not None and not sight.arms:
            continue
        yield TimelineEntry(event.server_time, "steps", event.stage, SHOWN_EVENTS[event.kind], _detail(event, sight))


def _runs(runs: Iterable[RunRecord]) -> Iterator[TimelineEntry]:
    for run in runs:
        ended = run.error_type or {"infrastructure": "failed on the server"}.get(run.ended_by or "", run.ended_by or "")
        if run.kind == "run":
            yield TimelineEntry(
                run.started_at, "runs", run.stage, "ran the program", f"{run.task}: {ended}".strip(": ")
            )
        elif run.grading is not None:
            yield TimelineEntry(run.started_at, "runs", run.stage, "grading has no verdict", run.grading_reason or "")


def _questions(turns: Iterable[Turn]) -> Iterator[TimelineEntry]:
    for turn in turns:
        said = f"failed: {turn.error}" if turn.error else turn.message.splitlines()[0][:80]
        yield TimelineEntry(turn.asked_at, "questions", "", "asked the assistant", f"{turn.task}: {said}")


def _evidence(context: StudyContext, unit: UnitOfWork, person: Participant) -> Iterator[TimelineEntry]:
    (record,) = participant_records(context, unit, [person], versions_of(context, unit, [person]))
    for piece in evidence_of(record, Content(context.content_of(person))):
        amount = f"{piece.amount:g} {UNITS[piece.kind]}" + (f", {piece.detail}" if piece.detail else "")
        at = piece.at or person.finished_at or person.last_seen_at
        yield TimelineEntry(at, "evidence", piece.stage, piece.kind.replace("_", " "), amount)


def _acts(audit: Iterable[AuditEntry]) -> Iterator[TimelineEntry]:
    for act in audit:
        yield TimelineEntry(act.at, "researchers", "", f"{act.what} ({act.who})", act.why)


def _detail(event: Event, sight: Sight) -> str:
    """Return what of an event says more and is the same in every arm: the task, how a stage ended."""
    details: EventDetails = event.details
    match details:
        case TaskShown(task=said) | TaskSubmitted(task=said) | StageEnded(ended_by=said) | AnswerErased(item=said):
            return said
        case ProbeShown(minute=minute, task=task):
            return f"{task}, minute {minute:g}"
        case ProbeAnswered(outcome=outcome, seconds=seconds):
            # What they answered stands in the dataset only.
            return f"{outcome}, the clock stood still for {seconds:.0f} s"
        case SessionScheduled(opens_at=said):
            return said
        case AnswersHandedIn(items=items):
            return ", ".join(item for item in items if item not in sight.hidden_questions)
        case Outage(cause="reopened") if not sight.arms:
            # Its seconds are counted from the old end, which has what the assistant's outages gave back.
            return "reopened"
        case Outage(cause=cause, seconds=seconds):
            return " ".join(filter(None, (cause, f"{seconds:.0f} s" if seconds else "")))
        case Reentered(session=str() as session):
            return f"by the panel's study for '{session}'"
        case ParticipantResumed(seconds=seconds):
            return f"{seconds / 60:.1f} min"
        case StageOpened(minutes=minutes) | StageReopened(minutes=minutes) | DeadlineExtended(minutes=minutes):
            return "" if minutes is None else f"{minutes:g} min"
    return ""
