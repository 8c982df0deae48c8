"""One participant for the console: where they are, what happened, what researchers did; nothing that tells the arm.

Lists of participants come a page at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from study_app.domain.events import EventDetails
from study_app.domain.events.server import (
    DeadlineExtended,
    SessionScheduled,
    StageEnded,
    StageOpened,
    StageReopened,
    TaskShown,
    TaskSubmitted,
)
from study_app.domain.records import AuditEntry, Kind, Participant, RunRecord, Visit
from study_app.domain.study.durations import expected_minutes
from study_app.services.context import StudyContext
from study_app.services.messages import message_for
from study_app.services.participant_status import current_status
from study_app.services.researcher.console_views import ParticipantSummary
from study_app.services.researcher.monitoring import Monitor

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
    "task_shown": "saw the task",
    "task_submitted": "handed the task in",
    "answered": "handed answers in",
    "page_opened": "opened a page",
    "page_superseded": "went on in another window",
    "session_scheduled": "waits for the next session",
    "session_completed": "completed the session",
    "session_missed": "came after the session had closed",
    "screened_out": "was screened out",
    "no_place": "found no free place",
    "place_lost": "lost the place to others",
    "finished": "finished",
    "withdrew": "left the study",
    "data_withdrawn": "had the data deleted",
    "excluded": "was excluded",
}
"""Kinds of events that every arm has alike -> what the timeline says of them."""
LATELY = timedelta(hours=2)
"""People who were silent for longer have gone; nothing can be done for them now."""
LOOKED_AT = 300
"""People that are looked at closely, the longest silent first."""
OFFLINE_MINUTES = 3.0
STUCK = 3.0
"""Times the expected minutes of a stage."""
SIZE = 50
"""Participants on one page of the list."""


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a timeline."""

    at: datetime
    stage: str
    what: str
    detail: str


@dataclass(frozen=True)
class ParticipantPage:
    """Everything the console shows of one participant."""

    summary: ParticipantSummary
    study_hash: str
    visits: tuple[Visit, ...]
    timeline: tuple[TimelineEntry, ...]
    runs: int
    failed_runs: int
    """Runs that failed through no fault of the program."""
    answers: int
    message: str
    """Shown above their pages."""
    acts: tuple[AuditEntry, ...]
    """What researchers did, newest first."""


@dataclass(frozen=True)
class PeoplePage:
    """A page of the list of participants."""

    people: tuple[ParticipantSummary, ...]
    found: int
    """How many the search finds, on all pages."""
    statuses: dict[str, int]
    """Of all participants of this kind."""


class ParticipantViews:
    """Reads participants one by one and a page at a time."""

    def __init__(self, world: StudyContext) -> None:
        self.world = world
        self._monitor = Monitor(world)

    def page(self, kind: Kind, wanted: str = "", statuses: Collection[str] = (), number: int = 0) -> PeoplePage:
        """Return the participants of one kind whose ids hold the wanted words, the latest to enrol first.

        Args:
            kind: real, preview or simulated.
            wanted: part of the id, the label, or any id of the panel's.
            statuses: only these; all where empty.
            number: of the page, from 0.
        """
        wanted = wanted.strip().lower()
        with self.world.registry.begin(write=False) as unit:
            everybody = [person for person in unit.participants() if person.kind == kind]
        known = {person.id: current_status(self.world, person) for person in everybody}
        found = [
            person
            for person in reversed(everybody)
            if (not statuses or known[person.id] in statuses) and (not wanted or wanted in _ids(person))
        ]
        shown = found[number * SIZE : (number + 1) * SIZE]
        return PeoplePage(
            tuple(self._monitor.summaries(shown)), len(found), dict(sorted(Counter(known.values()).items()))
        )

    def attention(self, kind: Kind) -> list[tuple[ParticipantSummary, str]]:
        """Who may need help now: in progress, and away, in an error of the server's, or long on a stage."""
        now = self.world.now()
        with self.world.registry.begin(write=False) as unit:
            people = [person for person in unit.participants() if person.kind == kind and not person.over]
            here = [person for person in people if now - person.last_seen_at < LATELY and person.opens_at is None]
            here = [person for person in here if current_status(self.world, person) == "in_progress"]
            here = sorted(here, key=lambda person: person.last_seen_at)[:LOOKED_AT]
            failed = {one.id for one in here if any(_failed(run, now) for run in unit.runs(one.id))}
        found = []
        for person, seen in zip(here, self._monitor.summaries(here), strict=True):
            why = self._why(person, seen, now, failed=person.id in failed)
            if why:
                found.append((seen, why))
        return found

    def _why(self, person: Participant, seen: ParticipantSummary, now: datetime, *, failed: bool) -> str:
        if failed:
            return "a run failed on the server"
        silent = (now - person.last_seen_at).total_seconds() / 60
        if silent > OFFLINE_MINUTES:
            return f"no sign of life for {silent:.0f} min"
        stages = {stage.id: stage for stage in self.world.study.stages}
        expected = expected_minutes(stages[person.stage]) if person.stage in stages else None
        if expected is not None and (seen.minutes_in_stage or 0) > STUCK * max(expected, 1):
            return f"{seen.minutes_in_stage:.0f} min on a stage of about {expected:g}"
        return ""

    def one(self, participant_id: str) -> ParticipantPage | None:
        """One participant; None for an unknown id."""
        with self.world.registry.begin(write=False) as unit:
            person = unit.participant(participant_id)
            if person is None:
                return None
            visits = tuple(unit.visits(participant_id))
            events = unit.events_of(participant_id, set(SHOWN_EVENTS))
            runs = [run for run in unit.runs(participant_id) if run.kind == "run"]
            answers = unit.answers(participant_id)
            audit = [entry for entry in unit.audit() if entry.detail.get("participant_id") == participant_id]
        return ParticipantPage(
            summary=next(iter(self._monitor.summaries([person]))),
            study_hash=person.study_hash,
            visits=visits,
            timeline=tuple(
                TimelineEntry(e.server_time, e.stage, SHOWN_EVENTS[e.kind], _detail(e.details)) for e in events
            ),
            runs=len(runs),
            failed_runs=sum(run.ended_by == "infrastructure" for run in runs),
            answers=len(answers),
            message=self.message(participant_id),
            acts=tuple(reversed(audit)),
        )

    def message(self, participant_id: str) -> str:
        """Return what researchers show the participant above their pages."""
        with self.world.registry.begin(write=False) as unit:
            return message_for(unit, participant_id)


def _failed(run: RunRecord, now: datetime) -> bool:
    return run.ended_by == "infrastructure" and now - run.started_at < LATELY


def _ids(person: Participant) -> str:
    ids = (person.id, person.label, person.prolific_pid, person.prolific_session, person.prolific_study)
    return " ".join(filter(None, ids)).lower()


def _detail(details: EventDetails) -> str:
    """Return what of an event says more and is the same in every arm: the task, how a stage ended."""
    match details:
        case TaskShown(task=said) | TaskSubmitted(task=said) | StageEnded(ended_by=said):
            return said
        case SessionScheduled(opens_at=said):
            return said
        case StageOpened(minutes=minutes) | StageReopened(minutes=minutes) | DeadlineExtended(minutes=minutes):
            return str(minutes or "")
    return ""
