"""The rows of `probes`: one for each time that a participant was asked during a task how they feel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.interaction.asked_probes import AskedProbe, asked_probes
from study_app.domain.records import Visit
from study_app.domain.timing import TimeSpan

Row = dict[str, Any]
LAPSED = "lapsed"
"""Not answered within the time of the card."""
DIGITS = 3
"""Of seconds: moments are kept to the millisecond."""


def probe_rows(record: ParticipantRecord) -> Iterator[Row]:
    """Yield the rows of a participant, in the order in which they were shown."""
    for probe in asked_probes(record.events):
        yield _probe_row(record, probe)


def _probe_row(record: ParticipantRecord, probe: AskedProbe) -> Row:
    said = probe.answered
    return {
        "participant_id": record.participant.id,
        "stage": probe.stage,
        "task": probe.shown.task,
        "minute": float(probe.shown.minute),
        "shown_at": probe.shown_at,
        "answered_at": probe.answered_at,
        "outcome": _outcome(record, probe),
        "seconds": round(probe.seconds, DIGITS),
        "valence": None if said is None else said.valence,
        "arousal": None if said is None else said.arousal,
        "calm_desperate": None if said is None else said.calm_desperate,
    }


def _outcome(record: ParticipantRecord, probe: AskedProbe) -> str | None:
    """Return what became of a probe; None while it may still be answered."""
    if probe.answered is not None:
        return probe.answered.outcome
    visit = record.visit(probe.stage)
    ended = record.over or (visit is not None and visit.ended_at is not None)
    later = any(event.server_time >= probe.over_at for event in record.events)
    return LAPSED if ended or later else None


def stopped_by_probes(record: ParticipantRecord, visit: Visit) -> list[TimeSpan]:
    """Return the spells of a visit, in seconds since its start, in which a probe had stopped its clock."""
    mine = [probe for probe in asked_probes(record.events) if probe.stage == visit.stage]
    starts = [(probe.shown_at - visit.started_at).total_seconds() for probe in mine]
    return [TimeSpan(start, start + probe.seconds) for start, probe in zip(starts, mine, strict=True)]


def ran_until(record: ParticipantRecord, visit: Visit, moment: datetime) -> float:
    """Return the most seconds that a visit's clock can have run at a moment: other stops than probes are not known."""
    mine = [probe for probe in asked_probes(record.events) if probe.stage == visit.stage]
    stood = sum(min(probe.stood(moment), probe.seconds) for probe in mine)
    return (moment - visit.started_at).total_seconds() - stood
