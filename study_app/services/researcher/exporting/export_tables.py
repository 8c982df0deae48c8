"""The tables of a dataset, row by row, as an export shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any

from study_app.dataset.disclosure.distress import without_distress
from study_app.dataset.measures.affect.probes import probe_rows
from study_app.dataset.measures.compliance import evidence_rows
from study_app.dataset.measures.interviews.history import interviews_of
from study_app.dataset.measures.interviews.rows import interview_rows, turn_rows
from study_app.dataset.measures.models import look_rows, reply_rows
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.measures.row import participant_row, work_of
from study_app.dataset.measures.turns.acting import action_rows
from study_app.dataset.measures.variants.hacks import run_columns
from study_app.dataset.measures.visits.periods import periods
from study_app.dataset.measures.visits.sessions import sessions
from study_app.dataset.redaction import Row
from study_app.dataset.schema import TableName
from study_app.dataset.writing import rows
from study_app.dataset.writing.files import (
    TableWriter,
    open_writer,
    sha256_of,
)
from study_app.dataset.writing.manifest import (
    events_ahead,
    lost_events,
)
from study_app.domain.ledger import DECISIONS
from study_app.services.operation.models.kept import all_replies, looks
from study_app.services.researcher.exporting.collect_records import (
    participant_records,
)
from study_app.services.researcher.exporting.export_state import ExportState


def write_tables(state: ExportState) -> dict[str, dict[str, Any]]:
    """Write every table, participant by participant; return its hash and its rows by path."""
    writers: dict[TableName, TableWriter] = {}
    paths: dict[TableName, str] = {}
    with ExitStack() as closing:
        for name, table in state.tables.items():
            paths[name], writers[name] = open_writer(state.folder, state.study.id, table, state.tables_as)
            closing.callback(writers[name].close)
        with rows.readable("the ledgers"):
            _write(state, writers, "", (("allocations", row) for row in _allocations(state)))
        # One person at a time, written before the next is read: memory holds the events of one.
        for record in participant_records(state.context, state.unit, state.people, state.versions):
            with rows.readable(f"participant {record.participant.id}"):
                # Noted before it is masked: which turns, runs and interviews there are decides which ratings are
                # exported.
                _note(state, record)
                _write(state, writers, record.participant.id, _shown(state, record))
        _write(state, writers, "", (("ratings", row) for row in _ratings(state)))
        _write(state, writers, "", _of_models(state))
    return {
        path: {"sha256": sha256_of(state.folder / path), "rows": writers[name].rows} for name, path in paths.items()
    }


ROWS_AT_ONCE = 1000
"""Rows of a table that are written and hashed together."""


def _write(
    state: ExportState,
    writers: Mapping[TableName, TableWriter],
    who: str,
    named: Iterable[tuple[TableName, Mapping[str, Any]]],
) -> None:
    """Write rows of one participant, or of none, and take their cells into the hashes of records."""
    for name, group in groupby(named, key=itemgetter(0)):
        of_table = (row for _, row in group)
        while part := list(islice(of_table, ROWS_AT_ONCE)):
            state.records.add(name, who, writers[name].write(part))


def _shown(state: ExportState, record: ParticipantRecord) -> Iterator[tuple[TableName, Mapping[str, Any]]]:
    """Yield the rows of one participant as this export shows them."""
    record = record if state.public is None else without_distress(record)
    shown = state.clusters.rows(record, _rows_of(state, state.mask.record(record, state.now)))
    return shown if state.public is None else state.public.rules.rows(record, shown)


def _rows_of(state: ExportState, record: ParticipantRecord) -> Iterator[tuple[TableName, Mapping[str, Any]]]:
    content = state.contents.of(record.participant.study_hash)
    mask, work = state.mask, work_of(record, content, state.coding, acts=state.acts, book=state.book)
    yield "participants", mask.participant(record, participant_row(record, content, state.coding, work))
    yield from (("visits", row) for row in rows.visits(record, work.use))
    yield from (("events", _numbered(state, row)) for row in mask.events(record, rows.events(record)))
    classes = run_columns(record, content, work.programs) if record.study.varied_tasks else {}
    yield from (("runs", row) for row in mask.runs(record, rows.runs(record, classes)))
    turns = rows.turns(record, work.codes, work.replies, acts=state.acts)
    yield from (("turns", row) for row in mask.whole(record, turns))
    yield from (("answers", row) for row in mask.answers(record, rows.answers(record, content)))
    yield from (("compliance", row) for row in mask.whole(record, evidence_rows(record, work.evidence)))
    if "periods" in state.tables:
        yield from (("periods", row) for row in mask.whole(record, periods(record, content)))
    if "sessions" in state.tables:
        yield from (("sessions", row) for row in sessions(record))
    if state.acts:
        yield from (("agent_actions", row) for row in mask.whole(record, action_rows(record)))
    if "interviews" in state.tables:
        topics = state.contents.topics()
        yield from (("interviews", row) for row in mask.whole(record, interview_rows(record, topics)))
        yield from (("interview_turns", row) for row in mask.whole(record, turn_rows(record)))
    if "probes" in state.tables:
        yield from (("probes", row) for row in mask.whole(record, probe_rows(record)))


def _numbered(state: ExportState, event: Row) -> Row:
    """Return where events are withheld, the numbers of the rest would tell how many."""
    return event if state.event_numbers is None else event | {"event_id": next(state.event_numbers)}


def _note(state: ExportState, record: ParticipantRecord) -> None:
    seen = state.seen
    seen.statuses[record.status] += 1
    seen.note_times(record)
    seen.isolation.update(run.isolation for run in record.runs if run.isolation)
    seen.turn_seconds += [t.total_seconds for t in record.turns if t.total_seconds is not None and not t.error]
    seen.turns |= {turn.id: record.participant.id for turn in record.turns}
    seen.runs |= {run.id: record.participant.id for run in record.runs}
    seen.interviews |= {held.id: record.participant.id for held in interviews_of(record.events)}
    seen.ungraded += sum(run.kind == "submission" and run.ended_by is None for run in record.runs)
    seen.unscored += sum(bool(answer.bank) and answer.points is None for answer in record.answers)
    seen.put_aside += sum(run.grading is not None for run in record.runs)
    seen.put_aside += sum(answer.points is None and answer.scored_by is not None for answer in record.answers)
    pages = state.unit.pages(record.participant.id)
    seen.lost += lost_events(record, pages)
    seen.ahead += events_ahead(record, pages)
    if record.participant.study_hash not in state.versions.studies:
        seen.unknown_versions.add(record.participant.study_hash)


_SORTED = ("participant_id", "decision", "arm")
"""Columns of the ledgers in whose order a dataset for everybody has the rows."""


def _allocations(state: ExportState) -> Iterator[Mapping[str, Any]]:
    for name in state.kinds:
        stored = chain.from_iterable(state.unit.allocations(name, decision) for decision in DECISIONS)
        rows = map(state.clusters.allocation, state.mask.allocations({"decision": 1} | row for row in stored))
        if state.public is None:
            yield from rows
        else:
            shown = map(state.public.rules.allocation, rows)
            yield from sorted(shown, key=lambda row: tuple(str(row.get(name) or "") for name in _SORTED))


def _of_models(state: ExportState) -> Iterator[tuple[TableName, Mapping[str, Any]]]:
    """Yield what is known of the models: how each treatment answers, which would tell masked arms apart."""
    if "model_looks" not in state.tables or any(map(state.mask.hides, state.kinds)):
        return
    found: list[tuple[TableName, Mapping[str, Any]]] = [("model_looks", row) for row in look_rows(looks(state.unit))]
    found += [("model_replies", row) for row in reply_rows(all_replies(state.unit))]
    for name, row in found:
        yield name, row if state.public is None else state.public.rules.model_row(name, row)


def _ratings(state: ExportState) -> Iterator[Mapping[str, Any]]:
    people = {person.id for person in state.people if not person.data_withdrawn}
    masked = any(map(state.mask.hides, state.kinds))
    ratings = state.unit.ratings()
    if state.public is not None:
        # Ids are random: in the order of judging the rows would tell who came when.
        ratings.sort(key=lambda rating: rating.rating_id)
    for rating in ratings:
        # Turns are there in some arms only, and classes of programs tell variants apart; a quiz is everybody's.
        if masked and not rating.object.startswith("answer:"):
            continue
        kind, _, name = rating.object.partition(":")
        known = {
            "turn": state.seen.turns, "run": state.seen.runs, "answer": people, "participant": people,
            "interview": state.seen.interviews,
        }.get(kind)  # fmt: skip
        if known is not None and re.split("[:#]", name)[0] not in known:
            continue
        row = state.clusters.rating(vars(rating))
        yield row if state.public is None else state.public.rules.rating(row)
