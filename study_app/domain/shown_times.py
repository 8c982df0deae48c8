"""Times as they may be shown while arms are hidden: only some arms are given back time of an assistant's outages.

What lies beyond the limit of a stage that differs by arm, or comes after one, is shown earlier by the seconds that
outages of the assistant gave back, and never earlier than the limit. Time that a pause, an extension or another cause
gave, which every arm can have, stays, unless it was given beyond the end that is shown, where a person of another arm
is on the next stage; in a pause the clock stands still in every arm. A researcher who reopens a stage gives it a new
end: time beyond that one is levelled in the same way, and what outages gave back before it counts no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from study_app.domain.events import Event, saying
from study_app.domain.events.server import (
    DeadlineExtended,
    Outage,
    ParticipantPaused,
    ParticipantResumed,
    ProbeAnswered,
    ProbeShown,
    StageReopened,
)
from study_app.domain.records import END, Visit
from study_app.domain.study.study import Study
from study_app.domain.timing import deadline


def hidden_stages(study: Study) -> frozenset[str]:
    """Return the stages from the first one on that differs by arm."""
    first = study.allocation_stage
    if first is None:
        return frozenset()
    ids = [stage.id for stage in study.stages]
    return frozenset([*ids[ids.index(first.id) :], END])


MOVES = frozenset(
    each.kind
    for each in (
        DeadlineExtended, Outage, ParticipantPaused, ParticipantResumed, ProbeAnswered, ProbeShown, StageReopened,
    )
)  # fmt: skip
"""Kinds of events that move the end of a stage, or say since when."""


def assistant_seconds(events: Iterable[Event]) -> dict[tuple[str, str], float]:
    """Return the seconds that outages of the assistant gave back, by participant and stage."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    for event, outage in saying(events, Outage):
        if outage.turn_id is not None:
            found[event.participant_id, event.stage] += outage.seconds or 0.0
    return found


@dataclass(frozen=True)
class Move:
    """The end of a stage was moved."""

    began: datetime
    """When what it is moved for began; within a pause, when the pause did."""
    seconds: float
    by_assistant: bool = False


@dataclass(frozen=True)
class Reopened:
    """A researcher reopened a stage."""

    at: datetime
    until: datetime
    """The end that the researcher gave it."""


def limits(study: Study) -> dict[str, float]:
    """Return the minutes of each stage with a limit whose times could tell the arm."""
    hidden = hidden_stages(study)
    return {stage.id: stage.minutes for stage in study.stages if stage.id in hidden and stage.minutes is not None}


@dataclass(frozen=True)
class ShownTimes:
    """Levels the times of one participant."""

    limits: Mapping[str, float]
    """Minutes by stage; empty where nothing is hidden."""
    moves: Mapping[str, Sequence[Move | Reopened]] = field(default_factory=dict)
    """By stage, in the order of the log."""
    paused: Mapping[str, datetime] = field(default_factory=dict)
    """Since when, by stage; of a pause that goes on."""

    @classmethod
    def of(cls, bounds: Mapping[str, float], events: Iterable[Event]) -> ShownTimes:
        """Return those of the participant whose events these are; `bounds`: `limits` of the version that they met."""
        moves: dict[str, list[Move | Reopened]] = defaultdict(list)
        paused: dict[str, datetime] = {}
        probes: dict[str, tuple[datetime, float]] = {}
        for event in events:
            at, stage = event.server_time, event.stage
            began = paused.get(stage, at)
            match event.details:
                case ParticipantPaused():
                    paused[stage] = at
                case ParticipantResumed():
                    paused.pop(stage, None)
                case StageReopened(minutes=minutes):
                    moves[stage].append(Reopened(at, at + timedelta(minutes=minutes)))
                case DeadlineExtended(minutes=minutes):
                    moves[stage].append(Move(began, 60 * minutes))
                case ProbeShown(seconds=seconds):
                    probes[stage] = at, seconds
                    moves[stage].append(Move(at, seconds))
                case ProbeAnswered(seconds=stood) if stage in probes:
                    shown_at, seconds = probes.pop(stage)
                    moves[stage].append(Move(shown_at, stood - seconds))
                case Outage(seconds=float() | int() as seconds, turn_id=turn, cause=cause) if cause != "reopened":
                    moves[stage].append(Move(began, seconds, by_assistant=turn is not None))
        return cls(bounds, moves, paused)

    def moment(self, at: datetime, visit: Visit | None) -> datetime:
        """Return a moment of a visit as it may be shown."""
        end, given = self._end(at, visit)
        return at if end is None or at <= end else max(end, at - given)

    def is_levelled(self, at: datetime, visit: Visit | None) -> bool:
        """Return whether a moment of a visit lies beyond the limit and is shown at it."""
        return self.moment(at, visit) < at and self.moment(at, visit) == self._end(at, visit)[0]

    def visit(self, visit: Visit, now: datetime) -> Visit:
        """Return a visit as it may be shown: over where it goes on in time that only some arms are given back."""
        if visit.deadline_at is not None:
            shown = replace(visit, deadline_at=self.moment(visit.deadline_at, visit))
            if visit.ended_at is None:
                past = self.is_past(visit, now)
                return replace(shown, ended_at=shown.deadline_at, ended_by="deadline") if past else shown
            # What ended a stage at its very limit was the deadline.
            by = "deadline" if self.is_levelled(visit.ended_at, visit) else visit.ended_by
            return replace(shown, ended_at=self.moment(visit.ended_at, visit), ended_by=by)
        return visit

    def is_past(self, visit: Visit, now: datetime) -> bool:
        """Return whether an open visit would be over without the time that outages of the assistant gave back."""
        # In a pause the clock stands still in every arm.
        return visit.ended_at is None and self.is_beyond(min(now, self.paused.get(visit.stage, now)), visit)

    def is_beyond(self, at: datetime, visit: Visit) -> bool:
        """Whether a moment of a visit lies beyond the end that is shown, in time that only some arms are given back."""
        if visit.deadline_at is None:
            return False
        shown = self.moment(visit.deadline_at, visit)
        return shown < visit.deadline_at and at >= shown

    def _end(self, at: datetime, visit: Visit | None) -> tuple[datetime | None, timedelta]:
        """Return the end of a visit's stage as of a moment, and by how much what lies beyond it is shown earlier."""
        limit = None if visit is None else deadline(visit.started_at, self.limits.get(visit.stage))
        if visit is None or limit is None:
            return None, timedelta(0)
        end = shown = real = limit
        given = 0.0
        for move in self.moves.get(visit.stage, ()):
            if isinstance(move, Reopened):
                if move.at > at:
                    break
                # Reopened in time that was given back, the stage keeps what is left of that beyond its new end.
                end = shown = move.until
                given = max((real - end).total_seconds(), 0.0)
                real = max(real, end)
                continue
            by = timedelta(seconds=move.seconds)
            real += by
            # Beyond the end that is shown only some arms are on the stage: what moves it there is theirs alone, too.
            if move.by_assistant or move.began >= shown:
                given += move.seconds
            else:
                shown += by
        return end, timedelta(seconds=given)


AS_THEY_WERE = ShownTimes({})
"""Where nothing is hidden."""
