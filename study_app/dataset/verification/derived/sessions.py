"""Rows of `sessions` against the visits and events that they come from, by the code that derived them."""

from __future__ import annotations

from collections.abc import Sequence

from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.measures.visits.sessions import sessions
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.verification.derived.comparing import beside_cluster, compare_rows


def check_sessions(opened: UntrustedDataset, record: ParticipantRecord, rows: Sequence[UntrustedRow]) -> None:
    """Report each session that was added, is missing or differs from what visits and events give."""
    if "sessions" not in opened.files:
        return
    name, due = record.participant.id, list(sessions(record))
    compare_rows(
        opened,
        "sessions",
        rows,
        due,
        columns=beside_cluster(opened.tables["sessions"].columns),
        finding="derived_differs",
        sentence=lambda column, found, given: f"{name}: {column} is {found}, the visits and events give {given}",
        number=f"{name}: {len(rows)} sessions, the visits and events give {len(due)}",
    )
