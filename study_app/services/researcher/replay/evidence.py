"""Evidence on one participant's compliance for the console, on the clock of their replay."""

from __future__ import annotations

from typing import Any

from study_app.dataset.measures.compliance import evidence_of, evidence_rows
from study_app.dataset.measures.record import Content
from study_app.domain.records import Participant
from study_app.services.context import StudyContext
from study_app.services.researcher.exporting.collect_records import participant_records, versions_of


def replay_evidence(context: StudyContext, participant: Participant) -> list[dict[str, Any]]:
    """Rows of the table `compliance` as JSON-able values; `t` in seconds since enrolment, None without a moment."""
    with context.registry.begin(write=False) as unit:
        (record,) = participant_records(context, unit, [participant], versions_of(context, unit, [participant]))
    rows = evidence_rows(record, evidence_of(record, Content(context.content_of(participant))))
    return [_on_the_clock(row, participant) for row in rows]


def _on_the_clock(row: dict[str, Any], participant: Participant) -> dict[str, Any]:
    at = row["at"]
    t = None if at is None else round((at - participant.enrolled_at).total_seconds(), 3)
    shown = ("kind", "stage", "amount", "unit", "threshold", "breaks", "detail")
    return {"t": t, **{name: row[name] for name in shown}}
