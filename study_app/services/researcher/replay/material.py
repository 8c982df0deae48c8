"""What a replay is made of: one participant's whole record, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import ProblemsFound
from study_app.domain.events import SERVER_PAGE, Event
from study_app.domain.events.moments import moments
from study_app.domain.records import Participant, RunRecord, Turn, Visit
from study_app.domain.study.study import Study
from study_app.domain.tasks.packs import TaskPack
from study_app.services.context import StudyContext

Frame = dict[str, Any]
Spell = tuple[float, float]


@dataclass(frozen=True)
class ReplayMaterial:
    """What the database holds of one participant, with each event's moment."""

    participant: Participant
    study: Study
    visits: Sequence[Visit]
    runs: Sequence[RunRecord]
    turns: Sequence[Turn]
    events: Sequence[Event]
    """In order of time; the events of one page in order of their numbers."""
    at: Sequence[float]
    """Seconds since the start, one for each event."""
    start: datetime

    def seconds(self, moment: datetime) -> float:
        """Seconds since the start."""
        return (moment - self.start).total_seconds()


def collect(context: StudyContext, participant_id: str) -> ReplayMaterial | None:
    """Return everything of one participant; None for an unknown participant."""
    with context.registry.begin(write=False) as unit:
        participant = unit.participant(participant_id)
        if participant is None:
            return None
        study = context.study_of(unit, participant)
        visits, runs, turns = unit.visits(participant_id), unit.runs(participant_id), unit.turns(participant_id)
        events = list(unit.events(participant_id))
    start = participant.enrolled_at
    clock = ordered(events, [moment - start.timestamp() for moment in moments(events)])
    return ReplayMaterial(
        participant, study, visits, runs, turns, [e for _, e in clock], [t for t, _ in clock], start
    )  # fmt: skip


def ordered(events: Sequence[Event], at: Sequence[float]) -> list[tuple[float, Event]]:
    """Events in order of time, where the events of one page keep their order whatever its clock says."""
    latest: dict[str, float] = {}
    placed = []
    for event, moment in sorted(zip(events, at, strict=True), key=lambda pair: (pair[0].page, pair[0].seq)):
        # The clock of a device may be set back; the numbers of a page's events cannot.
        latest[event.page] = max(moment, latest.get(event.page, 0.0))
        placed.append((latest[event.page], event))
    # Of the same moment: what a page did comes before what the server made of it.
    return sorted(placed, key=lambda pair: (pair[0], pair[1].page == SERVER_PAGE, pair[1].page, pair[1].seq))


def packs_of(content: ContentLibrary, study: Study, allocated: str | None) -> dict[str, TaskPack]:
    """Task -> the pack that an allocation shows of it, of those that are still there."""
    found = {}
    for stage, folder in [(each, folder) for each in study.stages for folder in each.packs]:
        try:
            found[name_of(folder)] = content.pack(study.shown_pack(folder, stage, allocated))
        except ProblemsFound:
            continue  # An earlier version's pack is gone; its texts are in the log all the same.
    return found
