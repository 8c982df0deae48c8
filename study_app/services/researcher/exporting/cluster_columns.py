"""Clusters in an export: a pseudonym in every row, a label in none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from study_app.dataset.measures.interviews.history import interviews_of
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.schema import TableName, compact_json, question_column
from study_app.domain.events import ERASED, FIELD_KINDS
from study_app.domain.records import Participant
from study_app.domain.study.clusters import COLUMN
from study_app.domain.study.sections import Question
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.clusters import cluster_of
from study_app.services.researcher.exporting.collect_records import Versions

Row = Mapping[str, Any]
Named = tuple[TableName, Row]


@dataclass
class Clusters:
    """Adds `cluster_id` to rows, and takes the labels out of those that an export without identities shows."""

    unit: UnitOfWork
    versions: Versions
    identified: bool
    _people: dict[str, str | None] = field(default_factory=dict)
    _turns: dict[str, str | None] = field(default_factory=dict)
    _runs: dict[str, str | None] = field(default_factory=dict)
    _interviews: dict[str, str | None] = field(default_factory=dict)

    def rows(self, record: ParticipantRecord, rows: Iterable[Named]) -> Iterator[Named]:
        """Yield the rows of one participant."""
        if record.study.allocation.method != "cluster":
            yield from rows
            return
        own = {COLUMN: cluster_of(self.unit, record)}
        # Remembered on the way: ratings are written behind everybody's rows, and name what was judged, not whose it is.
        self._people[record.participant.id] = own[COLUMN]
        self._turns |= {turn.id: own[COLUMN] for turn in record.turns}
        self._runs |= {run.id: own[COLUMN] for run in record.runs}
        self._interviews |= {held.id: own[COLUMN] for held in interviews_of(record.events)}
        for name, row in rows:
            shown = row if self.identified else _without_label(record, name, row)
            yield name, dict(shown) | own

    def allocation(self, row: Row) -> Row:
        """Return a row of a ledger: it holds the pseudonym already, among the categories that decided."""
        if row.get("method") != "cluster":
            return row
        levels = row.get("levels") or {}
        known = json.loads(levels) if isinstance(levels, str) else levels
        name = self.versions.study(str(row["study_hash"])).allocation.cluster
        return dict(row) | {COLUMN: known.get(name)}

    def rating(self, row: Row) -> Row:
        """Return a judgement: its cluster is that of the person whose turn, program or answer was judged."""
        kind, _, name = str(row["object"]).partition(":")
        known = {"turn": self._turns, "run": self._runs, "interview": self._interviews}.get(kind, self._people)
        return dict(row) | {COLUMN: known.get(re.split("[:#]", name)[0])}


def label_questions(people: Iterable[Participant], versions: Versions) -> dict[str, str]:
    """Participant -> the question whose answer names their cluster; without those who were not asked."""
    asked: dict[str, str] = {}
    for person in people:
        study = versions.study(person.study_hash)
        name = study.allocation.cluster
        if study.allocation.method == "cluster" and name in _questions(study):
            asked[person.id] = str(name)
    return asked


def entered_labels(unit: UnitOfWork, asked: Mapping[str, str]) -> frozenset[str]:
    """Return the events that say what was entered at these questions: a dataset without names withholds their payload.

    Args:
        unit: the database.
        asked: see `label_questions`.
    """
    return frozenset(
        str(event.event_id)
        for person, name in asked.items()
        for event in unit.events_of(person, FIELD_KINDS)
        if _field_of(event.payload) == name
    )


def _questions(study: Study) -> dict[str, Question]:
    return {question.id: question for stage in study.stages for question in stage.questions}


def _without_label(record: ParticipantRecord, table: TableName, row: Row) -> Row:
    """Return a row without the answer that names the participant's cluster, or without what was entered there."""
    name = record.study.allocation.cluster
    asked = _questions(record.study)
    if name not in asked:
        return row
    if table == "participants":
        return dict(row) | {question_column(asked[name]): None}
    # Of surveys alone: an item of a bank may bear the same id.
    if table == "answers" and not row["bank"] and row["item"] == name:
        return dict(row) | {"response": None}
    if table == "events" and row["kind"] in FIELD_KINDS and _field_of(json.loads(row["payload"])) == name:
        return dict(row) | {"payload": compact_json(ERASED)}
    return row


def _field_of(payload: Any) -> Any:
    """Return the field of a form that an event is about; None where it names none."""
    return payload.get("field") if isinstance(payload, dict) else None
