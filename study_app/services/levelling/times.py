"""Reads what levels a participant's times while arms are hidden: time that outages of an assistant gave back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from study_app.domain.branching import seen_at
from study_app.domain.events.server import Outage
from study_app.domain.records import Visit
from study_app.domain.shown_times import AS_THEY_WERE, ShownTimes, assistant_seconds, limits
from study_app.domain.study.study import Study
from study_app.domain.timing import deadline
from study_app.ports import UnitOfWork


def shown_times(unit: UnitOfWork, study: Study, participant_id: str, *, arms: bool) -> ShownTimes:
    """Return how a participant's times are shown: as they were where arms may be shown."""
    bounds = {} if arms else limits(study)
    if not bounds:
        return AS_THEY_WERE
    seconds = assistant_seconds(unit.events_of(participant_id, {Outage.kind}))
    return ShownTimes(bounds, {stage: given for (_, stage), given in seconds.items()})


def stage_shown(unit: UnitOfWork, study: Study, visit: Visit, now: datetime) -> str:
    """Return where a participant is shown while arms are hidden: not in time that only some arms are given back."""
    return _next(study, visit.stage) if is_past(unit, study, visit, now) else seen_at(study, visit.stage)


def is_past(unit: UnitOfWork, study: Study, visit: Visit, now: datetime) -> bool:
    """Whether a visit goes on only in time that some arms are given back."""
    end = deadline(visit.started_at, limits(study).get(visit.stage))
    if end is None or now < end:
        return False
    # The log is read for the few who are there beyond the limit.
    return shown_times(unit, study, visit.participant_id, arms=False).is_past(visit, now)


def given_at_end(unit: UnitOfWork, study: Study, participant_id: str) -> timedelta:
    """Return by how much the end of a participant's last visit, and what followed from it at once, is shown earlier."""
    ended = [(visit.ended_at, visit) for visit in unit.visits(participant_id) if visit.ended_at is not None]
    at, last = max(ended, key=lambda each: each[0], default=(None, None))
    if at is None or last is None or last.stage not in limits(study):
        return timedelta(0)
    return at - shown_times(unit, study, participant_id, arms=False).moment(at, last)


def _next(study: Study, stage: str) -> str:
    ids: Sequence[str] = [each.id for each in study.stages]
    following = ids[ids.index(stage) + 1 :]
    return seen_at(study, following[0]) if following else stage
