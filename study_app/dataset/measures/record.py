"""What is derived of one participant: the columns of the participants table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from study_app.dataset.measures.baseline import clock_stood, derived_scores
from study_app.dataset.schema import question_column
from study_app.dataset.schema.participants import factor_columns, row_column
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import StudyError
from study_app.domain.events import Event
from study_app.domain.events.moments import Timeline, moments
from study_app.domain.interviews.plan import InterviewPlan
from study_app.domain.quiz.items import Bank
from study_app.domain.records import Answer, Participant, Rating, RunRecord, Turn, Visit
from study_app.domain.study.study import Stage, Study
from study_app.domain.tasks.packs import TaskPack


@dataclass(frozen=True)
class ParticipantRecord:
    """Everything that the database holds of one participant."""

    participant: Participant
    status: str
    """As of the export."""
    study: Study
    """The version that the participant started with; the current one where theirs was not kept."""
    visits: Sequence[Visit]
    runs: Sequence[RunRecord]
    turns: Sequence[Turn]
    answers: Sequence[Answer]
    events: Sequence[Event]
    ratings: Mapping[tuple[str, str], Mapping[str, Rating]]
    """(id of what was judged, rubric) -> rater -> their newest judgement."""
    stood: Mapping[str, float | None] | None = None
    """Seconds by stage for which its clock stood, where a dataset withholds the events that say so."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.status != "in_progress"

    @property
    def allocated(self) -> bool:
        """Whether the participant counts in an arm."""
        return self.participant.arm is not None

    @cached_property
    def main_stages(self) -> tuple[Stage, ...]:
        """Task stages whose outcomes count."""
        return tuple(stage for stage in self.study.stages if stage.kind == "tasks" and stage.main)

    @cached_property
    def main_ids(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(stage.id for stage in self.main_stages)

    @cached_property
    def quiz_stages(self) -> tuple[Stage, ...]:
        """Quizzes in order."""
        return tuple(quiz.stage for quiz in self.study.quizzes)

    @cached_property
    def moments(self) -> list[float]:
        """When each event happened, in seconds since 1970 by the server's clock."""
        return moments(self.events)

    @cached_property
    def timeline(self) -> Timeline:
        """The events in the order in which they happened."""
        return Timeline.of(self.events, self.moments)

    @cached_property
    def last_of_pages(self) -> Counter[str]:
        """Return the highest number among the events of each page."""
        last: Counter[str] = Counter()
        for event in self.events:
            last[event.page] = max(last[event.page], event.seq)
        return last

    def visit(self, stage: str) -> Visit | None:
        """Return the visit of a stage, or None before it was opened."""
        return next((visit for visit in self.visits if visit.stage == stage), None)

    def paused(self, visit: Visit) -> float | None:
        """Seconds that the clock of a visited stage stood still; None for a stage without a limit."""
        if self.stood is not None:
            return self.stood.get(visit.stage)
        minutes = next((stage.minutes for stage in self.study.stages if stage.id == visit.stage), None)
        return clock_stood(visit, minutes, self.events)

    def rated(self, name: str, rubric: str) -> dict[str, str]:
        """Rater -> newest judgement of a turn or participant."""
        return {rater: rating.value for rater, rating in self.ratings.get((name, rubric), {}).items()}

    def done_with(self, stage: Stage) -> bool:
        """Return whether nothing more will come of a stage."""
        visit = self.visit(stage.id)
        return self.over or (visit is not None and visit.ended_at is not None)


class Content:
    """Packs and banks that a participant may have met; None where an earlier version's are gone."""

    def __init__(self, library: ContentLibrary) -> None:
        self._library = library
        self._packs: dict[str, TaskPack | None] = {}
        self._banks: dict[str, Bank | None] = {}

    def pack(self, folder: str) -> TaskPack | None:
        """Return the pack of a folder."""
        if folder not in self._packs:
            try:
                self._packs[folder] = self._library.pack(folder)
            except (StudyError, StopIteration):
                self._packs[folder] = None
        return self._packs[folder]

    def bank(self, folder: str) -> Bank | None:
        """Return the bank of a folder."""
        if folder not in self._banks:
            try:
                self._banks[folder] = self._library.bank(folder)
            except (StudyError, StopIteration):
                self._banks[folder] = None
        return self._banks[folder]

    def plan(self, file: str) -> InterviewPlan | None:
        """Return the plan of an interview."""
        try:
            plan: InterviewPlan = self._library.plan(file)
        except (StudyError, StopIteration, OSError):
            return None
        return plan

    def keys(self, folder: str) -> Any:
        """Return the bank's keys, or None."""
        try:
            return self._library.keys(folder)
        except (StudyError, StopIteration):
            return None

    def pack_of(self, study: Study, task: str, allocated: str | None = None) -> TaskPack | None:
        """Return the pack of a task of a study, as an allocation shows it."""
        every = ((stage, folder) for stage in study.stages for folder in stage.packs)
        found = next(((stage, folder) for stage, folder in every if name_of(folder) == task), None)
        return None if found is None else self.pack(study.shown_pack(found[1], found[0], allocated))


def identity_and_flow(record: ParticipantRecord) -> dict[str, Any]:
    """Who, where they stand, and the identity columns, which an export may leave out."""
    person = record.participant
    return {
        "participant_id": person.id,
        "study_hash": person.study_hash,
        "arm": person.arm,
        "stratum": person.stratum or None,
        "allocation_index": person.allocation_index,
        "is_simulated": person.kind == "simulated",
        "is_preview": person.kind == "preview",
        "status": record.status,
        "exclusion_reason": person.exclusion_reason,
        "enrolled_at": person.enrolled_at,
        "allocated_at": person.allocated_at,
        "finished_at": person.finished_at,
        "data_withdrawn": person.data_withdrawn,
        "language": person.language or record.study.language,
    } | ({} if person.data_withdrawn else _identity(person))


def second_decision(record: ParticipantRecord) -> dict[str, Any]:
    """Return what the second decision gave, with the probabilities of both; empty in a study without one."""
    study, person = record.study, record.participant
    if not study.second_decision:
        return {}
    second = person.second_treatment
    return {
        "responded": person.responded,
        "second_treatment": second,
        "second_index": person.second_index,
        "first_probability": study.probability(person.arm) if person.arm else None,
        "second_probability": study.second_decision.probability(second) if second else None,
    }


def factor_levels(record: ParticipantRecord) -> dict[str, str | None]:
    """Return the level of each factor, None before allocation and in a control outside the cells."""
    levels = record.study.cells.get(record.participant.arm or "", {})
    return {column: levels.get(factor) for factor, column in factor_columns(record.study).items()}


def _identity(person: Participant) -> dict[str, Any]:
    """Return who it is; of who had their data erased nothing but a keyed hash is left, which says nothing."""
    names = ("label", "prolific_pid", "prolific_study", "prolific_session")
    return {name: getattr(person, name) for name in names}


def questions(record: ParticipantRecord) -> dict[str, Any]:
    """Answers to questions of surveys and the eligibility form, and derived scores."""
    given = {answer.item: answer.response for answer in record.answers if not answer.bank}
    row: dict[str, Any] = {}
    for stage in record.study.stages:
        for question in stage.asked:
            if question.kind != "matrix":
                row[question_column(question)] = given.get(question.id)
            for each in question.rows:
                row[row_column(question, each.id)] = (given.get(question.id) or {}).get(each.id)
        row |= derived_scores(stage, given)
    return row


def newest(ratings: Iterable[Rating]) -> dict[tuple[str, str], dict[str, Rating]]:
    """(id of what was judged, rubric) -> rater -> their newest judgement, oldest first."""
    found: dict[tuple[str, str], dict[str, Rating]] = {}
    for rating in sorted(ratings, key=lambda rating: rating.rated_at):
        by_rater = found.setdefault(
            (rating.object.removeprefix("turn:").removeprefix("participant:"), rating.rubric), {}
        )
        # Taken out first, so that a rater who judges again moves to the end: the order is that of the newest
        # judgements.
        by_rater.pop(rating.rater, None)
        by_rater[rating.rater] = rating
    return found
