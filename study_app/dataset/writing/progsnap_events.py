"""The log, runs and turns of one person as rows of ProgSnap2's main table."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

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

_EDIT_TYPES = {"paste": "Paste", "drop": "Paste", "undo": "Undo", "redo": "Redo", "programmatic": "GenericEdit"}
_TIMEOUTS = ("time", "cpu")
_NO_RESULT = ("cancelled", "infrastructure", None)

ProgsnapRow = dict[str, Any]


def progsnap_events(log: list[ProgsnapRow], runs: list[ProgsnapRow], turns: list[ProgsnapRow]) -> Iterator[ProgsnapRow]:
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


def _logged(row: ProgsnapRow, details: EventDetails, unasked: Collection[str]) -> Iterator[ProgsnapRow]:
    event: ProgsnapRow = {
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


def _loaded(event: ProgsnapRow, section: ProgsnapRow, text: str) -> ProgsnapRow:
    """Return the text with which an editor starts as an edit in place of all that stood there."""
    return section | {
        "EventType": "File.Edit",
        "EventID": f"{event['EventID']}.text",
        "ParentEventID": event["EventID"],
        "EditType": "Reset",
        "SourceLocation": "0",
        "InsertText": text or None,
    }


def _edits(event: ProgsnapRow, edit: Edit, unasked: Collection[str]) -> Iterator[ProgsnapRow]:
    """Yield one row for each change of an edit, the last place first."""
    # All places are counted in the text before the whole edit: backwards, each is right in the text before its row.
    for number, change in enumerate(reversed(edit.changes)):
        start, end, insert = change.start, change.end, change.insert
        yield event | {
            "EventType": "File.Edit",
            "EventID": f"{event['EventID']}.{number}" if number else event["EventID"],
            "CodeStateSection": _file(edit.task),
            "EventInitiator": initiator_of(edit, unasked),
            "EditType": _EDIT_TYPES.get(edit.how) or _edit_type(end > start, bool(insert)),
            "SourceLocation": str(start),
            "InsertText": insert or None,
            "DeleteText": change.deleted,
            "DeleteLength": end - start if end > start else None,
        }


_BY_BUTTON = ("input.paste.reply", "input.starter")
"""The editor's names of edits for which a person presses a button and the page writes the text."""


def initiator_of(edit: Edit, unasked: Collection[str]) -> str:
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


def _run_events(run: ProgsnapRow) -> Iterator[ProgsnapRow]:
    """Yield the run or submission, and each of its checks."""
    if run["ended_by"] in _NO_RESULT:
        return
    event: ProgsnapRow = {
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


def _compiled(run: ProgsnapRow, event: ProgsnapRow) -> Iterator[ProgsnapRow]:
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


def _result(run: ProgsnapRow) -> str:
    if run["ended_by"] in _TIMEOUTS:
        return "Timeout"
    if run["error_type"] == "AssertionError":
        return "TestFailed"
    return "Success" if run["ended_by"] == "exit" and not run["error_type"] else "Error"


def _turn(turn: ProgsnapRow, stage: str | None) -> Iterator[ProgsnapRow]:
    event: ProgsnapRow = {
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
