"""One participant for the console, and lists of them a page at a time; nothing that tells the arm before it may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from study_app.domain.branching import arm_only
from study_app.domain.records import Kind, Participant, Visit
from study_app.ports import UnitOfWork
from study_app.services.attending.single_answers import GivenAnswer, given_answers
from study_app.services.attending.timeline import Sight, TimelineEntry, timeline
from study_app.services.context import StudyContext
from study_app.services.levelling.boards import shown_elsewhere
from study_app.services.levelling.times import shown_times
from study_app.services.messages import message_for
from study_app.services.participant_status import current_status
from study_app.services.reasons import readable
from study_app.services.researcher.console_views import ParticipantSummary
from study_app.services.researcher.monitoring import Monitor, arms_visible

SIZE = 50
"""Participants on one page of the list."""
Order = Literal["latest", "first", "last seen", "longest silent", "status", "came as", "stage"]
ORDERS: tuple[Order, ...] = ("latest", "first", "last seen", "longest silent", "status", "came as", "stage")


@dataclass(frozen=True)
class ParticipantPage:
    """Everything the console shows of one participant."""

    summary: ParticipantSummary
    study_hash: str
    ids: tuple[tuple[str, str], ...]
    """Every id by which they came, with its name."""
    visits: tuple[tuple[str, Visit], ...]
    """Each with the title of its stage."""
    timeline: tuple[TimelineEntry, ...]
    """The oldest first."""
    answers: tuple[GivenAnswer, ...]
    """To surveys."""
    message: str
    """Shown above their pages."""


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

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._monitor = Monitor(context)

    def page(
        self, kind: Kind, wanted: str = "", statuses: Collection[str] = (), number: int = 0, order: Order = "latest"
    ) -> PeoplePage:
        """Return the participants of one kind whose ids hold the wanted words.

        Args:
            kind: real, preview or simulated.
            wanted: part of the id, the label, or any id of the panel's.
            statuses: only these; all where empty.
            number: of the page, from 0.
            order: of the list; `latest` is the latest to enrol first.
        """
        wanted = wanted.strip().lower()
        with self.context.registry.begin(write=False) as unit:
            everybody = unit.participants_of(kind)
            hides = not arms_visible(self.context.state(unit), kind)
            places = self._shown_stages(unit, everybody, hides=hides) if order == "stage" else {}
        known = {person.id: current_status(self.context, person) for person in everybody}
        found = [
            person
            for person in reversed(everybody)
            if (not statuses or known[person.id] in statuses) and (not wanted or wanted in _searched(person))
        ]
        found = self._sorted(found, known, places, order)
        shown = found[number * SIZE : (number + 1) * SIZE]
        return PeoplePage(
            tuple(self._monitor.summaries(shown)), len(found), dict(sorted(Counter(known.values()).items()))
        )

    def _shown_stages(self, unit: UnitOfWork, people: list[Participant], *, hides: bool) -> dict[str, str]:
        """Return by participant where they are as it may be shown; empty for a stage that only some arms have."""
        elsewhere = shown_elsewhere(self.context, unit, people) if hides else {}
        # Of every version: what all arms meet by now may have been met by some arms only before.
        hidden = {name for study in self.context.versions_met(unit) for name in arm_only(study)[0]}
        shown = {person.id: elsewhere.get(person.id, person.stage) for person in people}
        return {who: "" if stage in hidden else stage for who, stage in shown.items()}

    def _sorted(
        self, people: list[Participant], known: dict[str, str], shown: dict[str, str], order: Order
    ) -> list[Participant]:
        if order in ("latest", "first"):
            return people if order == "latest" else people[::-1]
        # By the position as it may be shown: an order by the real one could tell who is where only some arms come.
        places = {"": -1} | {stage.id: number for number, stage in enumerate(self.context.study.stages)}
        keys: dict[Order, Callable[[Participant], Any]] = {
            "last seen": lambda person: -person.last_seen_at.timestamp(),
            "longest silent": lambda person: (person.over, person.last_seen_at),
            "status": lambda person: known[person.id],
            "came as": lambda person: (person.label or person.prolific_pid or "~").lower(),
            "stage": lambda person: places.get(shown[person.id], len(places)),
        }
        return sorted(people, key=keys[order])

    def one(self, participant_id: str, *, work: bool = False) -> ParticipantPage | None:
        """Return one participant; None for an unknown id.

        Args:
            participant_id: who.
            work: whether programs and what is derived from them may be shown to who asks.
        """
        with self.context.registry.begin(write=False) as unit:
            person = unit.participant(participant_id)
            if person is None:
                return None
            study, now = self.context.study_of(unit, person), self.context.now()
            arms = arms_visible(self.context.state(unit), person.kind)
            stages, questions = (frozenset[str](), frozenset[str]()) if arms else arm_only(study)
            titles = {stage.id: stage.title or stage.id for stage in study.stages}
            times = shown_times(unit, study, participant_id, arms=arms)
            visits = [(titles.get(visit.stage, visit.stage), visit) for visit in unit.visits(participant_id)]
            audit = readable(unit, unit.audit_of(participant_id=participant_id))
            moments = timeline(self.context, unit, person, audit, Sight(arms, work, stages, questions, times))
            answers = given_answers(study, unit.answers(participant_id), questions)
        return ParticipantPage(
            summary=next(iter(self._monitor.summaries([person]))),
            study_hash=person.study_hash,
            ids=_ids(person),
            visits=tuple((title, times.visit(visit, now)) for title, visit in visits if visit.stage not in stages),
            timeline=moments,
            answers=answers,
            message=self.message(participant_id),
        )

    def message(self, participant_id: str) -> str:
        """Return what researchers show the participant above their pages."""
        with self.context.registry.begin(write=False) as unit:
            return message_for(unit, participant_id)


def _ids(person: Participant) -> tuple[tuple[str, str], ...]:
    named = {
        "Label": person.label,
        "Prolific id": person.prolific_pid,
        "Prolific session": person.prolific_session,
        "Prolific study": person.prolific_study,
    }
    return tuple((name, value) for name, value in named.items() if value)


def _searched(person: Participant) -> str:
    return " ".join([person.id, *(value for _, value in _ids(person))]).lower()
