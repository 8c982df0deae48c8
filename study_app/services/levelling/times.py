"""Reads what levels a participant's times while arms are hidden: time that outages of an assistant gave back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from study_app.domain.branching import seen_at
from study_app.domain.records import Participant, Visit
from study_app.domain.shown_times import AS_THEY_WERE, MOVES, ShownTimes, limits
from study_app.domain.study.study import Study
from study_app.domain.timing import deadline
from study_app.domain.trial_state import hides_arms
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext


def shown_times(unit: UnitOfWork, study: Study, participant_id: str, *, arms: bool) -> ShownTimes:
    """Return how a participant's times are shown: as they were where arms may be shown."""
    return AS_THEY_WERE if arms else _levelled(unit, participant_id, limits(study))


def stage_shown(unit: UnitOfWork, study: Study, visit: Visit, now: datetime) -> str:
    """Return where a participant is shown while arms are hidden: not in time that only some arms are given back."""
    # Before what differs by arm is worked out: of most visits a look at the clock says that they are within the limit.
    end = deadline(visit.started_at, study.stage(visit.stage).minutes)
    past = end is not None and now >= end and is_past(unit, visit, now, limits(study))
    return stage_after(study, visit.stage) if past else seen_at(study, visit.stage)


def is_past(unit: UnitOfWork, visit: Visit, now: datetime, bounds: Mapping[str, float]) -> bool:
    """Return whether a visit goes on only in time that some arms are given back.

    Args:
        unit: the database.
        visit: of the participant.
        now: the moment.
        bounds: `limits` of the version that they met.
    """
    end = deadline(visit.started_at, bounds.get(visit.stage))
    if end is None or now < end:
        return False
    # The log is read for the few who are there beyond the limit.
    return _levelled(unit, visit.participant_id, bounds).is_past(visit, now)


def in_given_time(context: StudyContext, unit: UnitOfWork, study: Study, person: Participant) -> bool:
    """Return whether a participant is on a stage only in time that some arms are given back, while arms are hidden."""
    if person.over or not hides_arms(context.state(unit), person.kind):
        return False
    visit = unit.visit(person.id, person.stage)
    return visit is not None and is_past(unit, visit, context.now(), limits(study))


def given_at_end(unit: UnitOfWork, study: Study, participant_id: str) -> timedelta:
    """Return by how much the end of a participant's last visit, and what followed from it at once, is shown earlier."""
    ended = [(visit.ended_at, visit) for visit in unit.visits(participant_id) if visit.ended_at is not None]
    at, last = max(ended, key=lambda each: each[0], default=(None, None))
    if at is None or last is None or last.stage not in limits(study):
        return timedelta(0)
    return at - shown_times(unit, study, participant_id, arms=False).moment(at, last)


def stage_after(study: Study, stage: str) -> str:
    """Return where those are shown who are on a stage only in time that some arms are given back."""
    ids: Sequence[str] = [each.id for each in study.stages]
    following = ids[ids.index(stage) + 1 :]
    return seen_at(study, following[0]) if following else stage


def _levelled(unit: UnitOfWork, participant_id: str, bounds: Mapping[str, float]) -> ShownTimes:
    if not bounds:
        return AS_THEY_WERE
    return ShownTimes.of(bounds, unit.events_of(participant_id, MOVES))
