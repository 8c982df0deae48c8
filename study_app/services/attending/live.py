"""Who may need help now, by stage: one look at the database every few seconds, whatever the number of viewers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from study_app.domain.branching import seen_at
from study_app.domain.records import Kind, Participant
from study_app.domain.shown_times import limits
from study_app.domain.study.durations import expected_minutes
from study_app.domain.study.study import Stage, Study
from study_app.domain.trial_state import hides_arms
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.levelling.times import stage_shown
from study_app.services.participant_status import is_under_way

LATELY = timedelta(hours=2)
"""People who were silent for longer have gone; nothing can be done for them now."""
OFFLINE_MINUTES = 3.0
STUCK = 3.0
"""Times the expected minutes of a stage."""
FRESH = timedelta(seconds=5)
"""For so long one look serves everybody who looks."""

Need = Literal["in error", "offline", "stuck", "paused", ""]


@dataclass(frozen=True)
class LivePerson:
    """A participant who is there now."""

    id: str
    came_as: str
    stage: str
    """Title; of a stage of some arms only, while arms are hidden, the next that all have."""
    need: Need
    why: str
    """In a sentence; empty where all is well."""


@dataclass(frozen=True)
class LiveStage:
    """How many are at a stage now, by what they may need."""

    title: str
    here: int
    needs: dict[Need, int]


@dataclass(frozen=True)
class LiveView:
    """The trial at this moment."""

    at: datetime
    stages: tuple[LiveStage, ...]
    """In the order of the way; those without anybody are left out."""
    people: tuple[LivePerson, ...]
    """Those who may need help, the longest silent first."""


class LiveBoard:
    """Looks at who is there; what one viewer has been shown serves the others for a few seconds."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._kept: dict[Kind, LiveView] = {}
        self._lock = threading.Lock()

    def view(self, kind: Kind) -> LiveView:
        """Return the trial as it is now, or was a few seconds ago."""
        with self._lock:
            # Looked up under the lock, so that ten viewers who come at once wait for one query and do not make ten.
            kept = self._kept.get(kind)
            # A clock that was set back would otherwise keep one look fresh for hours.
            if kept is None or not timedelta(0) <= self.context.now() - kept.at < FRESH:
                kept = self._kept[kind] = self._look(kind)
            return kept

    def _look(self, kind: Kind) -> LiveView:
        now, study = self.context.now(), self.context.study
        with self.context.registry.begin(write=False) as unit:
            there = unit.under_way(kind, now - LATELY)
            hidden = hides_arms(self.context.state(unit), kind)
            studies = {person.study_hash: self.context.study_of(unit, person) for person, _, _ in there}
            shown = {
                person.id: _shown(unit, studies[person.study_hash], person, now) if hidden else person.stage
                for person, _, _ in there
            }
        found = []
        for person, opened, failed in there:
            own = studies[person.study_hash]
            waits = person.opens_at is not None and now < person.opens_at
            # Who is excluded is at work all the same, and may need help: an exclusion concerns the analysis.
            if waits or not is_under_way(self.context, person):
                continue
            # Who is shown at the next stage has, as far as is shown, not opened it.
            opened = opened if not hidden or shown[person.id] == seen_at(own, person.stage) else None
            need, why = _need(own.stage(person.stage), person, opened, now, failed=failed)
            found.append(LivePerson(person.id, person.label or person.prolific_pid or "", shown[person.id], need, why))
        order = {stage.id: number for number, stage in enumerate(study.stages)}
        return LiveView(
            now, _by_stage(study, order, found), _titled(studies, study, [one for one in found if one.need])
        )


def _shown(unit: UnitOfWork, study: Study, person: Participant, now: datetime) -> str:
    """Return where a participant is shown while arms are hidden."""
    visit = unit.visit(person.id, person.stage) if person.stage in limits(study) else None
    return seen_at(study, person.stage) if visit is None else stage_shown(unit, study, visit, now)


def _need(
    stage: Stage, person: Participant, opened: datetime | None, now: datetime, *, failed: bool
) -> tuple[Need, str]:
    if person.paused_at is not None:
        return "paused", f"paused for {_minutes(now - person.paused_at):.0f} min"
    if failed:
        return "in error", "a run failed on the server"
    silent = _minutes(now - person.last_seen_at)
    if silent > OFFLINE_MINUTES:
        return "offline", f"no sign of life for {silent:.0f} min"
    expected = expected_minutes(stage)
    spent = _minutes(now - opened) if opened is not None else 0.0
    if expected is not None and spent > STUCK * max(expected, 1):
        return "stuck", f"{spent:.0f} min on a stage of about {expected:g}"
    return "", ""


def _by_stage(study: Study, order: dict[str, int], found: Sequence[LivePerson]) -> tuple[LiveStage, ...]:
    ids = sorted({one.stage for one in found}, key=lambda name: order.get(name, len(order)))
    titles = {stage.id: stage.title or stage.id for stage in study.stages}
    counts = {name: Counter(one.need for one in found if one.stage == name) for name in ids}
    return tuple(LiveStage(titles.get(name, name), sum(counts[name].values()), dict(counts[name])) for name in ids)


def _titled(studies: dict[str, Study], study: Study, people: Sequence[LivePerson]) -> tuple[LivePerson, ...]:
    titles = {stage.id: stage.title or stage.id for each in (*studies.values(), study) for stage in each.stages}
    return tuple(replace(one, stage=titles.get(one.stage, one.stage)) for one in people)


def _minutes(span: timedelta) -> float:
    return span.total_seconds() / 60
