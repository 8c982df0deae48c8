"""Times as they may be shown while arms are hidden: only some arms are given back time of an assistant's outages.

What lies beyond the limit of a stage that differs by arm, or comes after one, is shown earlier by the seconds that
outages of the assistant gave back, and never earlier than the limit. Time that a pause, an extension or another cause
gave, which every arm can have, stays. A researcher who reopens a stage gives it a new end: time beyond that one is
levelled in the same way, and what outages gave back before it counts no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from study_app.domain.events import Event, saying
from study_app.domain.events.server import DeadlineExtended, Outage, StageReopened
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


MOVES = frozenset({Outage.kind, StageReopened.kind, DeadlineExtended.kind})
"""Kinds of events that move the end of a stage."""


def assistant_seconds(events: Iterable[Event]) -> dict[tuple[str, str], float]:
    """Return the seconds that outages of the assistant gave back, by participant and stage."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    for event, outage in saying(events, Outage):
        if outage.turn_id is not None:
            found[event.participant_id, event.stage] += outage.seconds or 0.0
    return found


@dataclass(frozen=True)
class Reopened:
    """A stage from the moment on at which a researcher reopened it."""

    at: datetime
    until: datetime
    """The end that the researcher gave it."""
    moved: float
    """Seconds by which its real end lay beyond its limit then."""
    given: float
    """Seconds that outages of the assistant have given back since."""


def limits(study: Study) -> dict[str, float]:
    """Return the minutes of each stage with a limit whose times could tell the arm."""
    hidden = hidden_stages(study)
    return {stage.id: stage.minutes for stage in study.stages if stage.id in hidden and stage.minutes is not None}


@dataclass(frozen=True)
class ShownTimes:
    """Levels the times of one participant."""

    limits: Mapping[str, float]
    """Minutes by stage; empty where nothing is hidden."""
    outages: Mapping[str, float]
    """Seconds that outages of the assistant gave back, by stage, before any reopening of it."""
    reopened: Mapping[str, Sequence[Reopened]] = field(default_factory=dict)
    """By stage, the earliest first."""

    @classmethod
    def of(cls, bounds: Mapping[str, float], events: Iterable[Event]) -> ShownTimes:
        """Return those of the participant whose events these are; `bounds`: `limits` of the version that they met."""
        given: dict[str, float] = defaultdict(float)
        moved: dict[str, float] = defaultdict(float)
        reopened: dict[str, list[Reopened]] = defaultdict(list)
        for event in events:
            spells, stage = reopened[event.stage], event.stage
            match event.details:
                case StageReopened(minutes=minutes):
                    until = event.server_time + timedelta(minutes=minutes)
                    spells.append(Reopened(event.server_time, until, moved[stage], 0.0))
                case DeadlineExtended(minutes=minutes):
                    moved[stage] += 60 * minutes
                case Outage(seconds=float() | int() as seconds, turn_id=turn, cause=cause):
                    moved[stage] += seconds
                    if spells and cause == "reopened":
                        spells[-1] = replace(spells[-1], moved=moved[stage])
                    elif spells and turn is not None:
                        spells[-1] = replace(spells[-1], given=spells[-1].given + seconds)
                    elif turn is not None:
                        given[stage] += seconds
        return cls(bounds, given, {stage: tuple(spells) for stage, spells in reopened.items() if spells})

    def moment(self, at: datetime, visit: Visit | None) -> datetime:
        """Return a moment of a visit as it may be shown."""
        end, given = self._end(at, visit)
        return at if end is None or at <= end else max(end, at - given)

    def is_levelled(self, at: datetime, visit: Visit | None) -> bool:
        """Whether a moment of a visit lies beyond the limit and is shown at it."""
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
        """Whether an open visit would be over without the time that outages of the assistant gave back."""
        if visit.deadline_at is None or visit.ended_at is not None:
            return False
        shown = self.moment(visit.deadline_at, visit)
        return shown < visit.deadline_at and now >= shown

    def _end(self, at: datetime, visit: Visit | None) -> tuple[datetime | None, timedelta]:
        """Return the end of a visit's stage as of a moment, and by how much what lies beyond it is shown earlier."""
        limit = None if visit is None else deadline(visit.started_at, self.limits.get(visit.stage))
        if visit is None or limit is None:
            return None, timedelta(0)
        spells = [spell for spell in self.reopened.get(visit.stage, ()) if spell.at <= at]
        if not spells:
            return limit, timedelta(seconds=self.outages.get(visit.stage, 0.0))
        # Reopened in time that outages had given back, the stage keeps what is left of that beyond its new end.
        kept = limit + timedelta(seconds=spells[-1].moved) - spells[-1].until
        return spells[-1].until, max(kept, timedelta(0)) + timedelta(seconds=spells[-1].given)


AS_THEY_WERE = ShownTimes({}, {})
"""Where nothing is hidden."""
