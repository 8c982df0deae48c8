"""When an assistant that opens later than its stage does so: after minutes in which the participant could work."""

from __future__ import annotations

from datetime import datetime, timedelta

from study_app.dataset.measures.baseline import clock_stood
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.events.server import DeadlineExtended
from study_app.domain.records import Visit
from study_app.domain.timing import paused_seconds
from study_app.ports import UnitOfWork
from study_app.services.position import AtStage


def worked_minutes(unit: UnitOfWork, place: AtStage) -> float:
    """Return the minutes of a stage in which the participant could work; 0 before it begins."""
    visit = unit.visit(place.participant.id, place.stage.id)
    if visit is None:
        return 0.0
    return max(((place.now - visit.started_at).total_seconds() - _stood(unit, place, visit)) / 60, 0.0)


def opens_at(unit: UnitOfWork, place: AtStage, spec: AssistantSpec) -> datetime | None:
    """Return the moment at which a treatment opens on a stage, as far as known now; None where it is open at once."""
    visit = unit.visit(place.participant.id, place.stage.id)
    if visit is None or not spec.opens_after_minutes:
        return None
    seconds = 60 * spec.opens_after_minutes + _stood(unit, place, visit)
    return visit.started_at + timedelta(seconds=seconds)


def _stood(unit: UnitOfWork, place: AtStage, visit: Visit) -> float:
    """Return the seconds for which the clock stood still.

    Time given on top is worked in; a stop of the clock counts whole, also in the stage's first moments.
    """
    if not paused_seconds(visit.started_at, visit.deadline_at, place.stage.minutes):
        # The log, which is long, is read only where there is something to tell apart.
        return 0.0
    given = unit.events_of(place.participant.id, {DeadlineExtended.kind}, place.stage.id)
    return clock_stood(visit, place.stage.minutes, given) or 0.0
