"""Asking people during a task how they feel: one card, once for each minute of the plan, with the clock stopped.

The deadline moves before the card is on the screen, in the transaction that records it. So a card that is not answered,
a second window, a reload and a killed server all end alike: the clock stood still for the card's time at most, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from study_app.dataset.measures.baseline import clock_stood
from study_app.domain.errors import Malformed
from study_app.domain.events.server import DeadlineExtended, ProbeShown
from study_app.domain.events.words import ProbeOutcome
from study_app.domain.interaction.asked_probes import AskedProbe
from study_app.domain.records import Visit
from study_app.domain.study.task_conditions.probes import (
    CALM,
    DESPERATE,
    HIGH,
    LOW,
    PROBE_SECONDS,
    ScheduledProbe,
)
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.queue import accepts_isolation
from study_app.services.participant.flow import ParticipantFlow, check_not_paused
from study_app.services.participant.probing.closing import end_probe, probes_of
from study_app.services.position import OnStage, Position
from study_app.services.retrying import retried


@dataclass(frozen=True)
class ProbeAnswer:
    """What a participant said; None where they left a part out."""

    valence: int | None = None
    arousal: int | None = None
    calm_desperate: int | None = None

    def check(self) -> None:
        """Refuse what the card cannot send.

        Raises:
            Malformed: a value outside of its range, half a place on the grid, or nothing at all.
        """
        for name, value, low, high in (
            ("valence", self.valence, LOW, HIGH),
            ("arousal", self.arousal, LOW, HIGH),
            ("calm_desperate", self.calm_desperate, CALM, DESPERATE),
        ):
            if value is not None and not low <= value <= high:
                raise Malformed(f"the field '{name}' must be a whole number from {low} to {high}")
        if (self.valence is None) != (self.arousal is None):
            raise Malformed("valence and arousal are one place on the grid; send both")
        if self.valence is None and self.calm_desperate is None:
            raise Malformed("an answer needs a place on the grid or on the slider; send skip for none")


@dataclass(frozen=True)
class ProbeState:
    """What a page has to know of the probes of its stage."""

    place: Position
    shown: AskedProbe | None = None
    """On the screen now."""
    left: tuple[float, ...] = ()
    """Seconds left on the clock at which those that are still to come are due; shown ones and missed ones are gone."""
    accepted: bool = False
    """The answer counts."""

    @property
    def shown_for(self) -> float:
        """Seconds for which the open probe stays."""
        return 0.0 if self.shown is None else max((self.shown.over_at - self.place.now).total_seconds(), 0.0)


class AffectCards:
    """Probes of participants on stages of tasks."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow) -> None:
        self.context = context
        self.flow = flow

    @retried
    def state(self, participant_id: str) -> ProbeState:
        """Return what a page that is drawn has to know; nothing is shown by it."""
        # For writing, though it shows nothing: finding a place ends a stage whose time is up, and a reader that turns
        # writer can be refused while another transaction writes.
        with self.context.registry.begin() as unit:
            place = self.flow.place(unit, unit.known_participant(participant_id))
            return self._state(unit, place)

    @retried
    def show(self, participant_id: str, page: str | None) -> ProbeState:
        """Show the probe that is due, if one is; one that is on already stays, with the time that it has left.

        While a run or a reply is under way none is shown: it would go on while the clock stands still.

        Raises:
            NotAllowed: researchers have paused the participant.
            Superseded: the study was continued in another window.
        """
        with self.context.registry.begin() as unit:
            place = self.flow.place(unit, unit.known_participant(participant_id))
            self.flow.check_page(unit, place, page)
            check_not_paused(place)
            visit = _timed(unit, place)
            # Takes the participant's row: a second window waits here, and finds the probe shown.
            if (
                not isinstance(place, OnStage)
                or visit is None
                or not unit.move(place.participant, last_seen_at=place.now)
            ):
                return ProbeState(place)
            asked = probes_of(unit, participant_id, place.stage.id)
            due = _due(unit, place, visit, asked)
            if due is None or self._busy(unit, participant_id) or any(each.is_open(place.now) for each in asked):
                return self._state(unit, place)
            seconds = timedelta(seconds=PROBE_SECONDS)
            # The whole time of the card at once; what an early answer leaves over is taken back when it ends.
            if unit.extend_visit(participant_id, place.stage.id, seconds):
                shown = ProbeShown(minute=due.minute, task=place.task, seconds=PROBE_SECONDS)
                unit.record(participant_id, place.stage.id, place.now, shown)
            return self._state(unit, self.flow.place(unit, unit.known_participant(participant_id)))

    def _busy(self, unit: UnitOfWork, participant_id: str) -> bool:
        """Whether something goes on that the clock must run for, or the clock stands still for another reason."""
        if unit.work_of(participant_id, "run") is not None or unit.work_of(participant_id, "reply") is not None:
            return True
        return not accepts_isolation(self.context, launched=self.context.state(unit) != "draft")

    @retried
    def end(self, participant_id: str, page: str | None, minute: float, answer: ProbeAnswer | None) -> ProbeState:
        """Keep the answer to the probe of that minute, or that it was skipped (None); a second press changes nothing.

        Raises:
            Malformed: no answer that the card can give.
            Superseded: the study was continued in another window.
        """
        if answer is not None:
            answer.check()
        with self.context.registry.begin() as unit:
            place = self.flow.place(unit, unit.known_participant(participant_id))
            self.flow.check_page(unit, place, page)
            if not isinstance(place, OnStage) or not unit.move(place.participant, last_seen_at=place.now):
                return ProbeState(place)
            asked = probes_of(unit, participant_id, place.stage.id)
            mine = next((each for each in asked if each.is_open(place.now) and each.shown.minute == minute), None)
            if mine is not None:
                outcome: ProbeOutcome = "skipped" if answer is None else "answered"
                given = answer or ProbeAnswer()
                values = (given.valence, given.arousal, given.calm_desperate)
                end_probe(unit, participant_id, mine, place.now, outcome, values)
            now_there = self._state(unit, self.flow.place(unit, unit.known_participant(participant_id)))
            return ProbeState(now_there.place, now_there.shown, now_there.left, accepted=mine is not None)

    def _state(self, unit: UnitOfWork, place: Position) -> ProbeState:
        visit = _timed(unit, place)
        if not isinstance(place, OnStage) or visit is None:
            return ProbeState(place)
        asked = probes_of(unit, place.participant.id, place.stage.id)
        limit = (place.stage.minutes or 0.0) * 60 + _given(unit, place)
        left = tuple(limit - each.minute * 60 for each in _to_come(place, asked))
        return ProbeState(place, next((each for each in asked if each.is_open(place.now)), None), left)


def _timed(unit: UnitOfWork, place: Position) -> Visit | None:
    """Return the visit of a stage with probes, while its clock runs or a probe has stopped it."""
    if not isinstance(place, OnStage) or place.stage.kind != "tasks" or not place.study.probes_at(place.stage.id):
        return None
    visit = unit.visit(place.participant.id, place.stage.id)
    return visit if visit is not None and visit.ended_at is None and visit.deadline_at is not None else None


def _to_come(place: OnStage, asked: list[AskedProbe]) -> list[ScheduledProbe]:
    """Return the probes that can still be shown: once a later one was, an earlier one is no more."""
    latest = max((each.shown.minute for each in asked), default=0.0)
    scheduled = place.study.probes_at(place.stage.id)
    return [each for each in scheduled if each.minute > latest and each.meets(place.task)]


def _due(unit: UnitOfWork, place: OnStage, visit: Visit, asked: list[AskedProbe]) -> ScheduledProbe | None:
    """Return the latest probe whose minute has come: who was away is asked once, not several times in a row."""
    given = unit.events_of(place.participant.id, {DeadlineExtended.kind}, place.stage.id)
    stood = clock_stood(visit, place.stage.minutes, given) or 0.0
    ran = (place.now - visit.started_at).total_seconds() - stood
    come = [each for each in _to_come(place, asked) if each.minute * 60 <= ran]
    return come[-1] if come else None


def _given(unit: UnitOfWork, place: OnStage) -> float:
    """Return the seconds that researchers gave on top of the stage's limit."""
    events = unit.events_of(place.participant.id, {DeadlineExtended.kind}, place.stage.id)
    said = [event.details for event in events]
    return sum(60 * each.minutes for each in said if isinstance(each, DeadlineExtended))
