"""Rows of visits, runs, turns, quiz answers and participants against the server's own events of the same acts.

The server writes row and event in one transaction with one moment, so that a changed row needs a changed log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import TableName
from study_app.dataset.schema.cells import code_sha256
from study_app.dataset.verification.server_log import ENDINGS, Log, kinds_hidden, said
from study_app.domain.events import Event, EventDetails
from study_app.domain.events.server import (
    AnswersHandedIn,
    DeadlineExtended,
    LanguageChosen,
    Outage,
    ProbeAnswered,
    ProbeShown,
    ProgramError,
    ProgramEvent,
    RunEnded,
    RunStarted,
    StageEnded,
    StageOpened,
    StageReopened,
    SubmissionLate,
    TaskSubmitted,
    TurnStarted,
)
from study_app.domain.interaction.asked_probes import AskedProbe, asked_probes

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
        _compare(opened, "participants", person, _language(opened, person, mine))
        for visit in rows["visits"].get(name, []):
            _compare(opened, "visits", visit, _visit(visit, mine))
        for run in rows["runs"].get(name, []):
            _compare(opened, "runs", run, _stated_of_run(run, mine))
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
    # Any of them: which one it was is held against the status, with the other records.
    ended = [event["server_time"] for kind in ENDINGS for event in log.of(kind)]
    if person["finished_at"] is not None or ended:
        yield "finished_at", person["finished_at"], person["finished_at"] if person["finished_at"] in ended else ended


def _language(opened: UntrustedDataset, person: UntrustedRow, log: Log) -> Stated:
    """Yield the language of the entry, or the study's where it offers one; a dataset for everybody may coarsen it."""
    found, study = person.values.get("language"), opened.studies.get(str(person["study_hash"]))
    if found is None or opened.public:
        return
    choices = [choice for choice in map(said, log.of(LanguageChosen.kind)) if isinstance(choice, LanguageChosen)]
    if choices:
        yield "language", found, choices[0].language
    elif study is not None and len(study.offered) == 1:
        yield "language", found, study.language


def _visit(visit: UntrustedRow, log: Log) -> Stated:
    opened = log.of(StageOpened.kind, "stage", visit["stage"])
    ended = log.of(StageEnded.kind, "stage", visit["stage"])
    if opened:
        yield "started_at", visit["started_at"], opened[0]["server_time"]
        stage = said(opened[0])
        if isinstance(stage, StageOpened):
            yield from _deadline(visit, log, stage.minutes)
    if ended:
        # A stage that was reopened has ended twice, or goes on.
        over = len(ended) > len(log.of(StageReopened.kind, "stage", visit["stage"]))
        yield "ended_at", visit["ended_at"], ended[-1]["server_time"] if over else None
        last = said(ended[-1])
        if isinstance(last, StageEnded):
            yield "ended_by", visit["ended_by"], last.ended_by if over else None
    elif opened:
        yield "ended_at", visit["ended_at"], None


def _deadline(visit: UntrustedRow, log: Log, minutes: float | None) -> Stated:
    """Return the stage's own limit, later by no more than outages, probes and what researchers gave in it."""
    start, end = visit["started_at"], visit["deadline_at"]
    if minutes is None or end is None or start is None:
        if (end is None) != (minutes is None):
            yield "deadline_at", end, f"a limit of {minutes} minutes"
        return
    most = sum(outage.seconds or 0.0 for _, outage in _each(log, Outage, "stage", visit["stage"]))
    most += 60 * sum(given.minutes for _, given in _each(log, DeadlineExtended, "stage", visit["stage"]))
    most += sum(probe.seconds for probe in _probes(log) if probe.stage == visit["stage"])
    later = (end - start).total_seconds() - minutes * 60
    # A bound and no sum: how much of an outage was given back depends on what was left of the stage.
    if not -SLACK_SECONDS <= later <= most + SLACK_SECONDS:
        yield (
            "deadline_at",
            end,
            f"a limit of {minutes} minutes and {most} seconds without its clock, or given",
        )


def _probes(log: Log) -> list[AskedProbe]:
    """Return the probes in a log; each moves the deadline by the seconds for which the clock stood."""
    rows = [row for kind in (ProbeShown.kind, ProbeAnswered.kind) for row in log.of(kind)]
    rows = [row for row in rows if row["server_time"] is not None]
    # Kinds were gathered one after the other; answered probes must follow those that they answer.
    rows.sort(key=lambda row: (row["server_time"], row["seq"]))
    return asked_probes(
        Event("", "", 0, row["kind"], row["stage"], row["server_time"], payload=row["payload"]) for row in rows
    )


def _stated_of_run(run: UntrustedRow, log: Log) -> Stated:
    kind: type[ProgramEvent] = TaskSubmitted if run["kind"] == "submission" else RunStarted
    late = [each for _, each in _each(log, SubmissionLate, "run_id", run["run_id"])]
    for event, program in _each(log, kind, "run_id", run["run_id"]):
        yield "started_at", run["started_at"], event["server_time"]
        yield "task", run["task"], program.task
        yield "page", run["page"], program.page
        yield "seq", run["seq"], program.seq
        if program.as_edited is not None and not run["page"]:
            # The server compared it with the edits of a page, so a page was named.
            yield "page", run["page"], "the page whose edits the program was compared with"
        yield from _code(run, late[-1] if late else program)
    if run["kind"] == "submission":
        return
    for _, ended in _each(log, RunEnded, "run_id", run["run_id"]):
        yield "ended_by", run["ended_by"], ended.ended_by
        yield "wall_seconds", run["wall_seconds"], ended.wall_seconds
    for _, error in _each(log, ProgramError, "run_id", run["run_id"]):
        yield "error_type", run["error_type"], error.error_type


def _code(row: UntrustedRow, program: ProgramEvent | SubmissionLate | TurnStarted) -> Stated:
    """Return the program by its hash; events of older versions have none."""
    if program.code_sha256 is not None:
        yield "code", code_sha256(row["code"] or ""), program.code_sha256


def _turn(turn: UntrustedRow, log: Log) -> Stated:
    for event, started in _each(log, TurnStarted, "turn_id", turn["turn_id"]):
        yield "asked_at", turn["asked_at"], event["server_time"]
        yield "task", turn["task"], started.task
        yield from _code(turn, started)


def _check_answers(opened: UntrustedDataset, name: str, answers: Sequence[UntrustedRow], log: Log) -> None:
    """Every quiz item that the log says was on a submitted page has its row; drafts of later pages have no event."""
    rows = {(answer["stage"], answer["item"]) for answer in answers if answer["bank"]}
    stages = {stage for stage, _ in rows} | _quizzes(opened)
    # Surveys leave out what was not answered, without a row; a quiz has a row for each item.
    pages = [(event["stage"], page.items) for event, page in _each(log, AnswersHandedIn) if event["stage"] in stages]
    logged = {(stage, item) for stage, items in pages for item in items}
    for stage, item in sorted(logged - rows):
        what = f"{name}: the log has an answer to {item} at {stage}, and there is no row"
        opened.report.add("row_without_record", opened.relative("answers"), None, what)


def _quizzes(opened: UntrustedDataset) -> set[str]:
    return {stage.id for study in opened.studies.values() for stage in study.stages if stage.kind == "quiz"}


_Said = TypeVar("_Said", bound=EventDetails)


def _each(log: Log, kind: type[_Said], about: str = "", which: Any = "") -> Iterator[tuple[UntrustedRow, _Said]]:
    """Yield the server's events of a kind, each with what it says; those that cannot be read are a finding already."""
    for event in log.of(kind.kind, about, which):
        details = said(event)
        if isinstance(details, kind):
            yield event, details
