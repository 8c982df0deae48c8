"""Rows of `sessions` against the visits and events that they come from, by the code that derived them."""

from __future__ import annotations

from collections.abc import Sequence

from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.measures.visits.sessions import sessions
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import cell

_COLUMNS = ("number", "session", "opens_at", "started_at", "completed_at", "state")


def check_sessions(opened: UntrustedDataset, dossier: ParticipantRecord, rows: Sequence[UntrustedRow]) -> None:
    """Report each session that was added, is missing or differs from what visits and events give."""
    if "sessions" not in opened.files:
        return
    columns = [column for column in opened.tables["sessions"].columns if column.name in _COLUMNS]
    file, due = opened.relative("sessions"), list(sessions(dossier))
    if len(rows) != len(due):
        what = f"{dossier.participant.id}: {len(rows)} sessions, the visits and events give {len(due)}"
        opened.report.add("derived_differs", file, rows[0].number if rows else None, what)
    for row, expected in zip(rows, due, strict=False):
        for column in columns:
            found, given = row[column.name], expected[column.name]
            if cell(column, found) != cell(column, given):
                what = f"{dossier.participant.id}: {column.name} is {found}, the visits and events give {given}"
                opened.report.add("derived_differs", file, row.number, what)
