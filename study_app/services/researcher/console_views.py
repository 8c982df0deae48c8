"""What the console's boards are given: plain values, arms masked already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from study_app.domain.assistants.fidelity import LeakShare
from study_app.domain.records import Kind, Participant
from study_app.domain.study.study import Study
from study_app.domain.tasks.programs import Isolation
from study_app.domain.trial_state import State
from study_app.ports import Stay


@dataclass(frozen=True)
class ParticipantSummary:
    """One participant as the console shows them."""

    id: str
    kind: Kind
    status: str
    stage: str
    """Title of the stage where they are; empty once their way is over."""
    step: str
    """`task 1 of 2`, `page 3 of 5`, or empty."""
    minutes_in_stage: float | None
    """Since the stage was opened; None while it is empty."""
    minutes_in_all: float
    """From enrolment to the last sign of life."""
    enrolled_at: datetime
    last_seen_at: datetime
    came_as: str
    """Label or panel id; empty for an open entry."""
    exclusion_reason: str | None
    data_withdrawn: bool
    arm: str | None
    """None before allocation, and wherever the state hides it."""
    stratum: str | None
    allocation_index: int | None
    responded: bool | None
    second_treatment: str | None
    second_index: int | None
    paused_at: datetime | None = None


@dataclass(frozen=True)
class StageCount:
    """How many came as far as one stage."""

    id: str
    title: str
    reached: int
    here: int
    """In progress and there now."""
    ended: int
    median_minutes: float | None
    """Of those who ended it; None for an unknown participant."""


@dataclass(frozen=True)
class Overview:
    """The trial at a glance."""

    state: State
    study_hash: str
    commitment: str | None
    launched_at: datetime | None
    versions: int
    """Locked versions: 1 after launch, one more for each amendment."""
    kind: Kind
    enrolled: int
    allocated: int
    target: int
    statuses: dict[str, int]
    stages: tuple[StageCount, ...]
    last_seen_at: datetime | None
    arrivals: tuple[datetime, ...]
    """Enrolments in order."""
    isolation: Isolation
    assistants: tuple[str, ...]
    database: str
    now: datetime
    spent_usd: float | None = None
    """By the assistant for all participants of this kind; None where the study sets no limit."""
    cost_limit_usd: float | None = None
    leaks: Mapping[str, LeakShare] = field(default_factory=dict)
    """Of each treatment that must not give code, how many replies do; empty where arms may not be shown."""


@dataclass(frozen=True)
class LinkUse:
    """A single-use link as the console shows it."""

    label: str | None
    created_at: datetime
    used: bool


def stage_counts(
    study: Study, people: Sequence[Participant], stays: Iterable[Stay], statuses: dict[str, str]
) -> list[StageCount]:
    """Return how many reached, are in, and ended each stage, in the order of the study.

    Args:
        study: whose stages are counted.
        people: the participants who count.
        stays: theirs.
        statuses: status by participant id.
    """
    by_stage: dict[str, list[float | None]] = {}
    for stay in stays:
        by_stage.setdefault(stay.stage, []).append(stay.seconds)
    here = Counter(person.stage for person in people if statuses[person.id] == "in_progress")
    # The debrief has no clock and no visit: it is reached by finishing.
    finished = sum(statuses[person.id] == "completed" for person in people)
    counts = []
    for stage in study.stages:
        there = by_stage.get(stage.id, [])
        minutes = [seconds / 60 for seconds in there if seconds is not None]
        reached = finished if stage.kind == "debrief" else len(there)
        counts.append(
            StageCount(
                stage.id,
                stage.title or stage.id,
                reached,
                here[stage.id],
                finished if stage.kind == "debrief" else len(minutes),
                median(minutes) if minutes else None,
            )
        )
    return counts
