"""The same data as ProgSnap2 1.0, the exchange format for how programs came about.

One row per event in MainTable.csv; the program's text at loads, runs, submissions and turns in CodeStates/. A column
that an event type does not have is left empty. Chats are `Intervention` rows, since validators of version 1.0 know no
event types of one's own. What the trial's state withholds from an export is withheld here.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from study_app import __version__
from study_app.dataset.measures.interaction import Coding
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.measures.row import participant_row, work_of
from study_app.dataset.schema import Column, TableSchema, cell, tables_of, timestamp, unguard, writable
from study_app.dataset.writing import rows
from study_app.dataset.writing.files import whole_directory
from study_app.dataset.writing.progsnap_events import ProgsnapRow, progsnap_events
from study_app.domain.ledger import LEDGERS
from study_app.domain.records import Kind
from study_app.services.context import StudyContext
from study_app.services.researcher.exporting.collect_records import (
    VersionContents,
    included,
    participant_records,
    versions_of,
)
from study_app.services.researcher.exporting.trial_facts import mask_of

COLUMNS = tuple(
    "EventType EventID ParentEventID CodeStateID SubjectID ToolInstances Order ClientTimestamp ServerTimestamp "
    "AssignmentID "
    "ProblemID ExperimentalCondition IsFabricatedEvent SessionID CodeStateSection EventInitiator EditType "
    "SourceLocation InsertText DeleteText DeleteLength CopiedText CompileResult CompileMessageType "
    "CompileMessageData ProgramErrorOutput ExecutionID TestID ExecutionResult Score ResourceID "
    "InterventionCategory InterventionType InterventionMessage".split()
)
METADATA = {
    "Version": "1.0",
    "IsEventOrderingConsistent": "true",
    "EventOrderScope": "Restricted",
    "EventOrderScopeColumns": "SubjectID",
    "CodeStateRepresentation": "Table",
    "ProgramInputLinkTable": "",
}
_README = """# {title}

Programming process data in ProgSnap2 1.0: `MainTable.csv` has one row for each event, `CodeStates/CodeStates.csv` the
programs that its rows name. `Order` counts within `SubjectID`. An edit's `SourceLocation` is the place of its first
character in the text before, in UTF-16 units; an edit of several places at once has a row for each, the last place
first; and the text with which an editor starts is its first edit, so that edits alone give every program, row by row.
`SessionID` is a person and a stage; it stands on every row, as the published scripts need it,
which the validator of version 1.0 does not expect. Each Run has a `Compile` before it, and an error a `Compile.Error`
whose parent that is: class, message and line. `LinkTables/Subject.csv` has a row for each subject: condition, answers
to closed questions, scores, times and counts, named as in the codebook with `X-` before them. An edit by a button, such
as a reply put into the program, is a `UserIndirectAction`; one that no person asked for is a `ToolReaction`. So are
changes and runs by an assistant that acts: those that the person approved, and those that it made without asking. A row
for which no browser's clock is known has the server's time as its `ClientTimestamp`. `ServerTimestamp` is in UTC to the
second and without a zone: a published script reads no other form, which again the validator does not expect;
`ClientTimestamp` has zone and milliseconds. `TestID` begins with the task.
Simulated people are fabricated events. What the state of the trial withholds of arms is left out here, too. Chats are
`Intervention` rows of the categories `X-AIPrompt` and `X-AIReply`.
"""


@dataclass(frozen=True)
class ProgsnapSummary:
    """What was written."""

    path: Path
    events: int
    code_states: int
    subjects: int


def export_progsnap2(
    context: StudyContext, out: Path, *, include_simulated: bool = False, include_preview: bool = False
) -> ProgsnapSummary:
    """Write a ProgSnap2 directory.

    Args:
        context: the study.
        out: a new or empty folder.
        include_simulated: simulated participants, too, as fabricated events.
        include_preview: preview participants, too.

    Raises:
        UserError: `out` cannot be taken.
        InfrastructureError: the disk is full, or the database cannot be reached.
    """
    chosen: dict[Kind, bool] = {"real": True, "preview": include_preview, "simulated": include_simulated}
    kinds = tuple(name for name in LEDGERS if chosen[name])
    with whole_directory(Path(out), option="--progsnap2") as folder, context.registry.begin(write=False) as unit:
        people = included(unit, kinds)
        versions = versions_of(context, unit, people)
        mask = mask_of(unit, context.state(unit), versions.in_order)
        contents, coding = VersionContents(context), Coding.of(versions.in_order[0])
        acts = contents.acts(versions)
        tables = tables_of(versions.in_order, contents.quiz_types(versions), acts=acts, topics=contents.topics())
        subjects = _subject_columns(tables["participants"])
        with _Writer(folder, context.study.title, subjects) as writer:
            for whole in participant_records(context, unit, people, versions):
                record = mask.record(whole, context.now())
                content = contents.of(record.participant.study_hash)
                person = participant_row(record, content, coding, work_of(record, content, coding, acts=acts))
                writer.subject(mask.participant(record, person))
                log = list(mask.events(record, rows.events(record)))
                runs = list(mask.runs(record, rows.runs(record, {})))
                turns = list(mask.whole(record, rows.turns(record, {}, {})))
                arm = mask.participant(record, {"arm": record.participant.arm}).get("arm")
                # Much happens within one millisecond, to which moments are kept: the place in the log decides then.
                for event in sorted(progsnap_events(log, runs, turns), key=lambda event: (event["at"], event["rank"])):
                    writer.write(record, arm, event, mask.hides(record.participant.kind))
        return ProgsnapSummary(Path(out), writer.events, len(writer.states), len(people))


class _Writer:
    """The files of the directory."""

    def __init__(self, folder: Path, title: str, subjects: Sequence[Column]) -> None:
        self.events = 0
        self.states: set[str] = set()
        self._order: dict[str, int] = {}
        self._numbers: dict[str, str] = {}
        self._open = ExitStack()
        (folder / "CodeStates").mkdir()
        self._main = self._table(folder / "MainTable.csv", COLUMNS)
        self._codes = self._table(folder / "CodeStates" / "CodeStates.csv", ("CodeStateID", "Code"))
        (folder / "LinkTables").mkdir()
        self._columns = subjects
        self._subjects = self._table(
            folder / "LinkTables" / "Subject.csv", ("SubjectID", *map(_subject_name, subjects))
        )
        metadata = self._table(folder / "DatasetMetadata.csv", ("Property", "Value"))
        metadata.writerows(METADATA.items())
        (folder / "README.md").write_text(_README.format(title=title), encoding="utf-8")

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _table(self, path: Path, header: tuple[str, ...]) -> Any:
        handle = self._open.enter_context(path.open("w", encoding="utf-8", newline=""))
        writer = csv.writer(handle, lineterminator="\r\n")
        writer.writerow(header)
        return writer

    def subject(self, row: Mapping[str, Any]) -> None:
        """One person: arm, answers, scores and times, as the participants table has them."""
        # Without the mark that our own CSV puts before a formula: readers of this format take it for a part of the
        # text.
        cells = (writable(unguard(cell(column, row.get(column.name)))) for column in self._columns)
        self._subjects.writerow([row["participant_id"], *cells])

    def write(self, record: ParticipantRecord, arm: str | None, event: ProgsnapRow, masked: bool) -> None:
        """One event, with what every row needs; while masked under a number that tells nothing of what is withheld."""
        subject = record.participant.id
        self._order[subject] = self._order.get(subject, 0) + 1
        everywhere = {
            "ClientTimestamp": event["at"],
            "SessionID": f"{subject}.{event['AssignmentID']}" if event.get("AssignmentID") else subject,
            "CodeStateID": self._state(event.get("code")),
            "SubjectID": subject,
            "ToolInstances": f"study-app {__version__};Python",
            "Order": self._order[subject],
            "ServerTimestamp": _whole_second(event["at"]),
            "ExperimentalCondition": arm,
            "IsFabricatedEvent": "true" if record.participant.kind == "simulated" else "false",
        }
        known = {name: value for name, value in event.items() if value is not None}
        row = {**everywhere, **known}
        if masked:
            row = self._renumbered(row, subject)
        self._main.writerow([_cell(row.get(name)) for name in COLUMNS])
        self.events += 1

    def _renumbered(self, row: ProgsnapRow, subject: str) -> ProgsnapRow:
        """Return a row under numbers that say nothing of what is withheld."""
        number = f"{subject}.{self._order[subject]}"
        self._numbers[str(row["EventID"])] = number
        parent = row.get("ParentEventID")
        return row | {"EventID": number} | ({"ParentEventID": self._numbers.get(parent)} if parent else {})

    def _state(self, code: str | None) -> str:
        if code is None:
            return ""
        name = hashlib.sha256(writable(code).encode()).hexdigest()[:20]
        if name not in self.states:
            self.states.add(name)
            self._codes.writerow([name, writable(code)])
        return name


def _subject_columns(people: TableSchema) -> list[Column]:
    """Return the columns of people that are neither a text of theirs nor a moment nor a hash."""
    left_out = ("participant_id", "study_hash")
    return [c for c in people.columns if not c.free and c.type != "time" and c.name not in left_out]


def _subject_name(column: Column) -> str:
    """Return a column's name in the link table: columns that the format does not know begin with X-."""
    return "ExperimentalCondition" if column.name == "arm" else f"X-{column.name}"


def _whole_second(moment: datetime) -> str:
    """Return a moment in UTC as published scripts read it, which take neither fractions nor a zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return timestamp(value)
    return "" if value is None else writable(str(value))
