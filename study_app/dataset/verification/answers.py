"""Answers against the log of their making: each is what its events leave in its field when the form is handed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from study_app.dataset.measures.answers import answer_uses
from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import cell
from study_app.dataset.schema.tables import ANSWERS
from study_app.domain.quiz.answer_log import Replayed, replay_forms
from study_app.domain.quiz.answering import Unanswerable, answer_to, response_to
from study_app.domain.quiz.confidence import confidence_at
from study_app.domain.study.sections import Stage

RESPONSE = next(column for column in ANSWERS.columns if column.name == "response")
SLACK_SECONDS = 0.01

Field = tuple[str, Callable[[Any], Any]]
"""Item or question, and what reads its answer from what stands in the field."""


def check_answers(
    opened: UntrustedDataset, record: ParticipantRecord, rows: Sequence[UntrustedRow], content: Content
) -> None:
    """Compare the answers of one participant with the replay of their events."""
    if record.participant.data_withdrawn:
        return
    by_key = {(str(row["stage"]), str(row["item"])): row for row in rows}
    for (stage, step), form in replay_forms(record.events).items():
        # A form that no browser showed has answers without events, and one that is open has no answers yet.
        if form.shown and form.handed_in_by:
            _check_form(opened, record, (stage, step), form, by_key, content)
    _check_making(opened, rows, answer_uses(record))


def _check_form(
    opened: UntrustedDataset,
    record: ParticipantRecord,
    place: tuple[str, int],
    form: Replayed,
    rows: Mapping[tuple[str, str], UntrustedRow],
    content: Content,
) -> None:
    file, who = opened.relative("answers"), record.participant.id
    for name in sorted(form.broken):
        # The server left it out, too: what a browser sent did not fit.
        what = f"{who}: an edit of {name} at {place[0]} does not fit the text before it"
        opened.report.add("edits_unapplied", file, None, what)
    stage = next((stage for stage in record.study.stages if stage.id == place[0]), None)
    for name, read in _fields(stage, place, content):
        row = rows.get((place[0], name))
        found, due = (row["response"] if row is not None else None), _read(read, form.draft.values.get(name))
        if (found is None) != (due is None) or (due is not None and cell(RESPONSE, found) != cell(RESPONSE, due)):
            what = f"{who}: the events of {name} at {place[0]} give another answer than the table has"
            opened.report.add("answer_differs_from_events", file, None if row is None else row.number, what)
        stated = confidence_at(stage, name, form.draft.values) if stage is not None and due is not None else None
        if row is not None and row.values.get("confidence") != stated:
            what = f"{who}: the events give a confidence of {stated} in {name} at {place[0]}, the table another"
            opened.report.add("answer_differs_from_events", file, row.number, what)


def _fields(stage: Stage | None, place: tuple[str, int], content: Content) -> Iterator[Field]:
    if stage is None:
        return
    if stage.kind != "quiz":
        yield from ((q.id, lambda shown, q=q: answer_to(q, shown)) for q in stage.asked)
        return
    bank = content.bank(stage.bank)
    pages = () if bank is None else bank.pages_of(stage.form or None)
    if 0 <= place[1] < len(pages):
        yield from ((i.id, lambda shown, i=i: response_to(i, shown)) for i in pages[place[1]])


def _read(read: Callable[[Any], Any], shown: Any) -> Any:
    try:
        return read(shown)
    except Unanswerable:
        return None


def _check_making(
    opened: UntrustedDataset, rows: Sequence[UntrustedRow], due: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    """Pastes by answer; time away by stage, for a moment's rounding may give a spell to another answer."""
    file = opened.relative("answers")
    found_away: dict[str, float] = defaultdict(float)
    due_away: dict[str, float] = defaultdict(float)
    for row in rows:
        stage, item = str(row["stage"]), str(row["item"])
        expected = due.get((stage, item), {})
        found_away[stage] += row.values.get("away_seconds") or 0.0
        due_away[stage] += expected.get("away_seconds", 0.0)
        if row.values.get("pasted_chars") != expected.get("pasted_chars"):
            what = f"pasted_chars of {item} is {row.values.get('pasted_chars')}, the events give {expected}"
            opened.report.add("derived_differs", file, row.number, f"{row['participant_id']}: {what}")
    for stage, away in found_away.items():
        # Each row may be off by the rounding of a moment, in the same direction.
        if abs(away - due_away[stage]) > SLACK_SECONDS * len(rows):
            what = f"away_seconds at {stage} add up to {away}, the events give {due_away[stage]}"
            opened.report.add("derived_differs", file, None, what)
