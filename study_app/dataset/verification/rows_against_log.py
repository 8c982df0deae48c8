"""Rows of visits, runs, turns, quiz answers and participants against the server's own events of the same acts.

The server writes row and event in one transaction with one moment, so that a changed row needs a changed log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import TableName
from study_app.dataset.schema.cells import code_sha256
from study_app.dataset.verification.event_log import ENDINGS, Log, kinds_hidden
from study_app.domain.events import EXTENDED

SLACK_SECONDS = 0.05
"""Deadlines are kept to the millisecond, lengths of outages are not."""

Stated = Iterator[tuple[str, Any, Any]]
"""Column, what the row says, what the log says."""


def check_logged(opened: UntrustedDataset, log: Mapping[str, Log]) -> None:
    """Whatever the log tells of a row, the row says too."""
    if not opened.own:
        return
    tables: tuple[TableName, ...] = ("visits", "runs", "turns", "answers")
    rows = {table: opened.by_participant(table) for table in tables}
    hidden = kinds_hidden(opened)
    for person in opened.rows("participants"):
        name = str(person["participant_id"])
        mine = log.get(name)
        if mine is None or name in hidden or person["data_withdrawn"]:
            continue
        _compare(opened, "participants", person, _person(person, mine))
        for visit in rows["visits"].get(name, []):
            _compare(opened, "visits", visit, _visit(visit, mine))
        for run in rows["runs"].get(name, []):
            _compare(opened, "runs", run, _run(run, mine))
        for turn in rows["turns"].get(name, []):
            _compare(opened, "turns", turn, _turn(turn, mine))
        _check_answers(opened, name, rows["answers"].get(name, []), mine)
    opened.report.note("moments, programs and quiz answers against the log's own word of them")


def _compare(opened: UntrustedDataset, table: TableName, row: UntrustedRow, stated: Stated) -> None:
    # What people or programs wrote is left out of a dataset for everybody, in rows and log by different rules.
    left_out = {column.name for column in opened.tables[table].columns if column.free} if opened.public else set()
    for column, found, due in stated:
        if found != due and column not in left_out:
            what = f"{row['participant_id']}: {column} is {found}, the log says {due}"
            opened.report.add("row_differs_from_log", opened.relative(table), row.number, what)


def _person(person: UntrustedRow, log: Log) -> Stated:
    entered = log.of("entered")
    if entered:
        yield "enrolled_at", person["enrolled_at"], entered[0]["server_time"]
    ended = [event["server_time"] for kind in ENDINGS for event in log.of(kind)]
    if person["finished_at"] is not None or ended:
        yield "finished_at", person["finished_at"], person["finished_at"] if person["finished_at"] in ended else ended


def _visit(visit: UntrustedRow, log: Log) -> Stated:
    opened = log.of("stage_opened", "stage", visit["stage"])
    ended = log.of("stage_ended", "stage", visit["stage"])
    if opened:
        yield "started_at", visit["started_at"], opened[0]["server_time"]
        yield from _deadline(visit, log, _payload(opened[0]).get("minutes"))
    if ended:
        # A stage that was reopened has ended twice, or goes on.
        over = len(ended) > len(log.of("stage_reopened", "stage", visit["stage"]))
        yield "ended_at", visit["ended_at"], ended[-1]["server_time"] if over else None
        yield "ended_by", visit["ended_by"], _payload(ended[-1]).get("ended_by") if over else None
    elif opened:
        yield "ended_at", visit["ended_at"], None


def _deadline(visit: UntrustedRow, log: Log, minutes: Any) -> Stated:
    """Return the stage's own limit, later by no more than the assistant's outages in it."""
    start, end = visit["started_at"], visit["deadline_at"]
    if not isinstance(minutes, int | float) or end is None or start is None:
        if (end is None) != (minutes is None):
            yield "deadline_at", end, f"a limit of {minutes} minutes"
        return
    lost = [_payload(event).get("seconds") for event in log.of("outage", "stage", visit["stage"])]
    given = [_payload(event).get("minutes") for event in log.of(EXTENDED, "stage", visit["stage"])]
    most = sum(seconds for seconds in lost if isinstance(seconds, int | float))
    most += 60 * sum(minutes for minutes in given if isinstance(minutes, int | float))
    later = (end - start).total_seconds() - minutes * 60
    if not -SLACK_SECONDS <= later <= most + SLACK_SECONDS:
        yield "deadline_at", end, f"a limit of {minutes} minutes and {most} seconds of outages"


def _run(run: UntrustedRow, log: Log) -> Stated:
    kind = "task_submitted" if run["kind"] == "submission" else "run_started"
    late = next((_payload(event) for event in reversed(log.of("submission_late", "run_id", run["run_id"]))), None)
    for event in log.of(kind, "run_id", run["run_id"]):
        payload = _payload(event)
        yield "started_at", run["started_at"], event["server_time"]
        yield from ((name, run[name], payload.get(name)) for name in ("task", "page", "seq"))
        if payload.get("as_edited") is not None and not run["page"]:
            # The server compared it with the edits of a page, so a page was named.
            yield "page", run["page"], "the page whose edits the program was compared with"
        yield from _code(run, late or payload)
    if run["kind"] == "submission":
        return
    for event in log.of("run_ended", "run_id", run["run_id"]):
        yield "ended_by", run["ended_by"], _payload(event).get("ended_by")
        yield "wall_seconds", run["wall_seconds"], _payload(event).get("wall_seconds")
    for event in log.of("program_error", "run_id", run["run_id"]):
        yield "error_type", run["error_type"], _payload(event).get("type")


def _code(row: UntrustedRow, payload: Mapping[str, Any]) -> Stated:
    """Return the program by its hash; events of older versions have none."""
    if "code_sha256" in payload:
        yield "code", code_sha256(row["code"] or ""), payload["code_sha256"]


def _turn(turn: UntrustedRow, log: Log) -> Stated:
    for event in log.of("turn_started", "turn_id", turn["turn_id"]):
        yield "asked_at", turn["asked_at"], event["server_time"]
        yield "task", turn["task"], _payload(event).get("task")
        yield from _code(turn, _payload(event))


def _check_answers(opened: UntrustedDataset, name: str, answers: Sequence[UntrustedRow], log: Log) -> None:
    """Every quiz item that the log says was on a submitted page has its row; drafts of later pages have no event."""
    rows = {(answer["stage"], answer["item"]) for answer in answers if answer["bank"]}
    stages = {stage for stage, _ in rows} | _quizzes(opened)
    logged = {(page["stage"], item) for page in log.of("answered") if page["stage"] in stages for item in _items(page)}
    for stage, item in sorted(logged - rows):
        what = f"{name}: the log has an answer to {item} at {stage}, and there is no row"
        opened.report.add("row_without_record", opened.relative("answers"), None, what)


def _quizzes(opened: UntrustedDataset) -> set[str]:
    return {stage.id for study in opened.studies.values() for stage in study.stages if stage.kind == "quiz"}


def _items(page: UntrustedRow) -> list[str]:
    items = _payload(page).get("items")
    return [str(item) for item in items] if isinstance(items, list) else []


def _payload(event: UntrustedRow) -> dict[str, Any]:
    return event["payload"] if isinstance(event["payload"], dict) else {}
