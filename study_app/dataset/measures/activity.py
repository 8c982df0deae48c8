"""Active and away time of visits, by the study's rule, from what the pages logged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from study_app.dataset.measures.affect.probes import stopped_by_probes
from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.events import ACTS, SERVER_PAGE, Event
from study_app.domain.events.moments import Timeline
from study_app.domain.records import Visit
from study_app.domain.study.study import Study
from study_app.domain.timing import TimeSpan, TimeUse, spells_away, time_use

SILENT_AFTER = 30.0
"""Seconds: three missed heartbeats mean that the page was closed, asleep or hidden."""


def visit_use(visit: Visit, study: Study, timeline: Timeline, stopped: Sequence[TimeSpan] = ()) -> TimeUse | None:
    """Return how the time of an ended visit was used; None where no page logged anything."""
    if visit.ended_at is None:
        return None
    length, mine = _during(visit, timeline, visit.ended_at)
    # The server logs unasked, so its events do not show that anyone was there.
    if all(event.page == SERVER_PAGE for _, event in mine):
        return None
    acts = [moment for moment, event in mine if event.kind in ACTS]
    rule = study.activity
    return time_use(
        length,
        acts,
        [*_unfocused(mine, length), *_silent(mine, length)],
        idle_after=rule.idle_after_seconds,
        away_after=rule.away_after_seconds,
        stopped=stopped,
    )


def absences(visit: Visit, study: Study, timeline: Timeline, until: datetime) -> list[TimeSpan]:
    """Spells away by the study's rule, in seconds since the visit's start; none where no page logged anything."""
    length, mine = _during(visit, timeline, until)
    if all(event.page == SERVER_PAGE for _, event in mine):
        return []
    return spells_away(length, [*_unfocused(mine, length), *_silent(mine, length)], study.activity.away_after_seconds)


def _during(visit: Visit, timeline: Timeline, until: datetime) -> tuple[float, list[tuple[float, Event]]]:
    """Return the visit's length, and its events with their seconds since its start, in order."""
    length = (until - visit.started_at).total_seconds()
    return length, timeline.during(visit.started_at, length)


def _unfocused(events: Iterable[tuple[float, Event]], length: float) -> list[TimeSpan]:
    """Spells in which the newest page was hidden or its window not in front."""
    spells: list[TimeSpan] = []
    hidden = blurred = False
    since: float | None = None
    for moment, event in events:
        if event.kind in ("hidden", "visible"):
            hidden = event.kind == "hidden"
        elif event.kind in ("blur", "focus"):
            blurred = event.kind == "blur"
        # A page that loads is in front; the old page may have gone without saying that it was visible again.
        elif event.kind == "load":
            hidden = blurred = False
        else:
            continue
        away = hidden or blurred
        if away and since is None:
            since = moment
        elif not away and since is not None:
            spells.append(TimeSpan(since, moment))
            since = None
    return spells if since is None else [*spells, TimeSpan(since, length)]


def _silent(events: Sequence[tuple[float, Event]], length: float) -> list[TimeSpan]:
    """Spells without a word from pages that send heartbeats: the tab was closed or the computer asleep."""
    # Without heartbeats silence says nothing: imported logs and older pages have none.
    if not any(event.kind == "heartbeat" for _, event in events):
        return []
    heard = sorted(moment for moment, event in events if event.page != SERVER_PAGE)
    pairs = zip(heard, [*heard[1:], length], strict=True)
    return [TimeSpan(before, after) for before, after in pairs if after - before > SILENT_AFTER]


def uses(record: ParticipantRecord) -> dict[str, TimeUse]:
    """Time use by stage, where it is known."""
    found = {
        visit.stage: visit_use(visit, record.study, record.timeline, stopped_by_probes(record, visit))
        for visit in record.visits
    }
    return {stage: use for stage, use in found.items() if use is not None}


def activity(record: ParticipantRecord, use: dict[str, TimeUse]) -> dict[str, Any]:
    """Active and away minutes on the main tasks."""
    known = [use[stage] for stage in use if stage in record.main_ids]
    if not known:
        return {}
    return {
        "active_minutes": sum(each.active for each in known) / 60,
        "away_minutes": sum(each.away for each in known) / 60,
    }
