"""The same data as ProgSnap2 1.0, the exchange format for how programs came about.

One row per event in MainTable.csv; the program's text at loads, runs, submissions and turns in CodeStates/. A column
that an event type does not have is left empty. Chats are `Intervention` rows, since validators of version 1.0 know no
event types of one's own. What the trial's state withholds from an export is withheld here.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from study_app.domain.events import EventDetails, details_of
from study_app.domain.events.browser import Edit, Load, NotesOpened, TextCopied
from study_app.domain.events.server import (
    AgentActed,
    AgentDecided,
    RunStarted,
    StageEnded,
    StageOpened,
    TaskSubmitted,
    TurnStarted,
)
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
_EDIT_TYPES = {"paste": "Paste", "drop": "Paste", "undo": "Undo", "redo": "Redo", "programmatic": "GenericEdit"}
_TIMEOUTS = ("time", "cpu")
_NO_RESULT = ("cancelled", "infrastructure", None)
_README = """# {title}

Programming process data in ProgSnap2 1.0: `MainTable.csv` has one row for each event, `CodeStates/CodeStates.csv` the
programs that its rows name. `Order` counts within `SubjectID`. An edit's `SourceLocation` is the place of its first
character in the text before, in UTF-16 units, and the text with which an editor starts is its first edit, so that edits
alone give every program. `SessionID` is a person and a stage; it stands on every row, as the published scripts need it,
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

Event = dict[str, Any]


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
            for record in map(mask.record, participant_records(context, unit, people, versions)):
                content = contents.of(record.participant.study_hash)
                person = participant_row(record, content, coding, work_of(record, content, coding, acts=acts))
                writer.subject(mask.participant(record, person))
                log = list(mask.events(record, rows.events(record)))
                runs = list(mask.runs(record, rows.runs(record, {})))
                turns = list(mask.whole(record, rows.turns(record, {}, {})))
                arm = mask.participant(record, {"arm": record.participant.arm}).get("arm")
                # Much happens within one millisecond, to which moments are kept: the place in the log decides then.
                for event in sorted(_events(log, runs, turns), key=lambda event: (event["at"], event["rank"])):
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

    def write(self, record: ParticipantRecord, arm: str | None, event: Event, masked: bool) -> None:
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

    def _renumbered(self, row: Event, subject: str) -> Event:
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


def _events(log: list[Event], runs: list[Event], turns: list[Event]) -> Iterator[Event]:
    """Yield the events of one person; `rank` is their place in the log, for what happened at the same moment."""
    logged = [(row, details_of(row["kind"], json.loads(row["payload"]))) for row in log]
    stages = {run["task"]: run["stage"] for run in runs}
    # A turn names its task alone; on which stage that was, the log says.
    stages |= {task: row["stage"] for row, details in logged if (task := getattr(details, "task", None))}
    started: dict[str, int] = {}
    # What is decided so was not asked about.
    unasked = {said.action_id for _, said in logged if isinstance(said, AgentDecided) and said.decision == "auto"}
    by_agent = {said.run_id: said.action_id in unasked for _, said in logged if isinstance(said, AgentActed)}
    for rank, (row, details) in enumerate(logged):
        match details:
            case RunStarted(run_id=identity) | TaskSubmitted(run_id=identity) | TurnStarted(turn_id=identity):
                started[identity] = rank
        yield from (event | {"rank": rank} for event in _logged(row, details, unasked))
    for run in runs:
        rank = started.get(run["run_id"], len(log))
        initiator = None if run["kind"] != "agent" else _asked(by_agent.get(run["run_id"], False))
        yield from (event | {"rank": rank, "EventInitiator": initiator} for event in _run_events(run))
    for turn in turns:
        rank = started.get(turn["turn_id"], len(log))
        yield from (event | {"rank": rank} for event in _turn(turn, stages.get(turn["task"])))


def _asked(unasked: bool) -> str:
    """Return the initiator of what an assistant does: itself, or the participant who approved it."""
    return "ToolReaction" if unasked else "UserIndirectAction"


def _logged(row: Event, details: EventDetails, unasked: Collection[str]) -> Iterator[Event]:
    event: Event = {
        "EventID": f"e{row['event_id']}",
        "at": row["server_time"],
        "ClientTimestamp": row["client_time"],
        "AssignmentID": row["stage"],
    }
    match details:
        case StageOpened():
            yield event | {"EventType": "Session.Start"}
        case StageEnded():
            yield event | {"EventType": "Session.End"}
        case Load(task=task, text=text):
            section = {"CodeStateSection": _file(task), "EventInitiator": "UserIndirectAction"}
            yield event | {"ProblemID": task} | section | {"EventType": "File.Open", "code": text}
            yield event | {"ProblemID": task} | _loaded(event, section, text)
        case Edit(task=task):
            yield from _edits(event | {"ProblemID": task}, details, unasked)
        case TextCopied(origin="editor", text=text) if text:
            yield event | {"EventType": "File.CopyText", "CopiedText": text}
        case NotesOpened(title=title):
            yield event | {"EventType": "Resource.View", "ResourceID": f"notes {title or ''}".strip()}


def _loaded(event: Event, section: Event, text: str) -> Event:
    """Return the text with which an editor starts as an edit in place of all that stood there."""
    return section | {
        "EventType": "File.Edit",
        "EventID": f"{event['EventID']}.text",
        "ParentEventID": event["EventID"],
        "EditType": "Reset",
        "SourceLocation": "0",
        "InsertText": text or None,
    }


def _edits(event: Event, edit: Edit, unasked: Collection[str]) -> Iterator[Event]:
    """One row for each change of an edit."""
    for number, change in enumerate(edit.changes):
        start, end, insert = change.start, change.end, change.insert
        yield event | {
            "EventType": "File.Edit",
            "EventID": f"{event['EventID']}.{number}" if number else event["EventID"],
            "CodeStateSection": _file(edit.task),
            "EventInitiator": _initiator(edit, unasked),
            "EditType": _EDIT_TYPES.get(edit.how) or _edit_type(end > start, bool(insert)),
            "SourceLocation": str(start),
            "InsertText": insert or None,
            "DeleteText": change.deleted,
            "DeleteLength": end - start if end > start else None,
        }


_BY_BUTTON = ("input.paste.reply", "input.starter")
"""The editor's names of edits for which a person presses a button and the page writes the text."""


def _initiator(edit: Edit, unasked: Collection[str]) -> str:
    """Return who changed the text: hands, a person by a button (a reply put in, the starter), or the page alone."""
    if edit.user_event in _BY_BUTTON:
        return "UserIndirectAction"
    if edit.how == "agent":
        return _asked(edit.action_id in unasked)
    return "ToolReaction" if edit.how == "programmatic" else "UserDirectAction"


def _edit_type(deletes: bool, inserts: bool) -> str:
    return "Replace" if deletes and inserts else "Delete" if deletes else "Insert"


def _file(task: Any) -> str:
    return f"{task}.py"


def _run_events(run: Event) -> Iterator[Event]:
    """Yield the run or submission, and each of its checks."""
    if run["ended_by"] in _NO_RESULT:
        return
    event: Event = {
        "EventID": f"r{run['run_id']}",
        "at": run["started_at"],
        "AssignmentID": run["stage"],
        "ProblemID": run["task"],
        "ExecutionID": run["run_id"],
        "code": run.get("code"),
    }
    checks = json.loads(run["checks"])
    score = sum(check["passed"] for check in checks) / len(checks) if checks else None
    if run["kind"] == "submission":
        yield event | {"EventType": "Submit", "Score": score}
    else:
        yield from _compiled(run, event)
        outcome = {"EventType": "Run.Program", "ExecutionResult": _result(run)}
        yield event | outcome | {"ProgramErrorOutput": run.get("stderr") or None}
    for number, check in enumerate(checks):
        verdict = {"ExecutionResult": "Success" if check["passed"] else "TestFailed", "Score": int(check["passed"])}
        test = {
            "EventType": "Run.Test",
            "EventID": f"r{run['run_id']}.{number}",
            "TestID": f"{run['task']}: {check['name']}",
        }
        yield event | test | verdict


def _compiled(run: Event, event: Event) -> Iterator[Event]:
    """Yield the Compile of a run and its error: Python finds both as it runs, and scripts look for them here."""
    failed = bool(run["error_type"])
    compiled = f"r{run['run_id']}.compile"
    event = event | {"CodeStateSection": _file(run["task"])}
    result = {"CompileResult": "Error" if failed else "Success"}
    yield event | result | {"EventType": "Compile", "EventID": compiled, "ExecutionID": None}
    if failed:
        line = run.get("error_line")
        yield event | {
            "EventType": "Compile.Error",
            "EventID": f"{compiled}.error",
            "ParentEventID": compiled,
            "ExecutionID": None,
            "CompileMessageType": run["error_type"],
            "CompileMessageData": run.get("error_message"),
            "SourceLocation": None if line is None else f"Text:{line}",
        }


def _result(run: Event) -> str:
    if run["ended_by"] in _TIMEOUTS:
        return "Timeout"
    if run["error_type"] == "AssertionError":
        return "TestFailed"
    return "Success" if run["ended_by"] == "exit" and not run["error_type"] else "Error"


def _turn(turn: Event, stage: str | None) -> Iterator[Event]:
    event: Event = {
        "EventType": "Intervention",
        "at": turn["asked_at"],
        "AssignmentID": stage,
        "ProblemID": turn["task"],
        "EventInitiator": "UserDirectAction",
        "InterventionType": turn["treatment"],
    }
    prompt = {"InterventionCategory": "X-AIPrompt", "InterventionMessage": turn["message"], "code": turn["code"]}
    yield event | prompt | {"EventID": f"t{turn['turn_id']}"}
    if turn["reply"]:
        reply = {"InterventionCategory": "X-AIReply", "InterventionMessage": turn["reply"]}
        reply["EventInitiator"] = "ToolReaction"
        yield event | reply | {"EventID": f"t{turn['turn_id']}.reply"}
