"""Outcomes of the tasks: time, completion, checks, runs and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from study_app.dataset.integrity.stored_rows import program_error
from study_app.dataset.measures.baseline import all_passed, last_submissions, warmup
from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.domain.content.content_paths import name_of
from study_app.domain.records import RunRecord
from study_app.domain.study.study import Stage


def warm_up(record: ParticipantRecord) -> dict[str, Any]:
    """Return the warm-up as allocation sees it."""
    for stage in record.study.stages:
        if stage.kind == "tasks" and not stage.main:
            visit = record.visit(stage.id)
            stood = 0.0 if visit is None else record.paused(visit) or 0.0
            return warmup(stage, visit, list(record.runs), stood)
    return {"warmup_minutes": None, "warmup_passed": None}


def task_outcomes(record: ParticipantRecord, content: Content) -> dict[str, Any]:
    """Time, completion and checks on the counted tasks; what passes only what it could see on all main tasks.

    An allocated participant who is done counts as not completed, with the cap, whether or not they ever opened the
    tasks. While they are still taking part, and while a submission waits for grading, outcomes are missing.
    """
    stages = record.study.counted_task_stages
    submitted = {stage.id: submissions_of(record, stage) for stage in stages}
    row = {"task_minutes": _task_minutes(record, submitted)} | _visible_only(record)
    opened = any(record.visit(stage.id) is not None for stage in stages)
    settled = bool(stages) and (opened or record.allocated) and all(map(record.done_with, stages))
    everything = [run for runs in submitted.values() for run in runs]
    if not settled or any(run.ended_by is None for run in everything):
        return row
    tasks = [(stage, name_of(folder)) for stage in stages for folder in stage.packs]
    passed = {(run.stage, run.task) for run in everything if all_passed(run)}
    completed = all((stage.id, task) in passed for stage, task in tasks)
    # Censored at the limit: a participant who did not complete would have needed at least that long.
    minutes = row["task_minutes"] if completed else record.study.task_limit
    return row | {
        "task_completed": completed,
        "completion_minutes": minutes,
        "completion_event": completed,
        "tasks_passed": sum((stage.id, task) in passed for stage, task in tasks),
        "checks_passed": sum(check["passed"] for run in everything for check in run.checks),
        "checks_total": _checks_total(record, content, everything),
    }


def _visible_only(record: ParticipantRecord) -> dict[str, Any]:
    """Return whether a submission of a main task passes what it could see and fails what it could not."""
    stages = record.main_stages
    everything = [run for stage in stages for run in submissions_of(record, stage)]
    if not all(map(record.done_with, stages)) or any(run.ended_by is None for run in everything):
        return {}
    seen = [run.visible_only_pass for run in everything if run.visible_only_pass is not None]
    return {"visible_only_pass": any(seen)} if seen else {}


def submissions_of(record: ParticipantRecord, stage: Stage) -> list[RunRecord]:
    """Return the last submission of each task of a stage."""
    return last_submissions(record.runs, {stage.id})


def _task_minutes(record: ParticipantRecord, submitted: dict[str, list[RunRecord]]) -> float | None:
    """Minutes that the clock of the main stages ran until the last submission, each at most its limit."""
    stages = record.study.counted_task_stages
    spent = [stage_minutes(record, stage, submitted[stage.id]) for stage in stages]
    known = [minutes for minutes in spent if minutes is not None]
    return sum(known) if known else None


def stage_minutes(record: ParticipantRecord, stage: Stage, submissions: Sequence[RunRecord]) -> float | None:
    """From the first task shown to the last submission, without the spells in which the clock stood still."""
    visit = record.visit(stage.id)
    if visit is None or not submissions:
        return None
    seconds = (max(run.started_at for run in submissions) - visit.started_at).total_seconds()
    minutes = max(seconds - (record.paused(visit) or 0.0), 0.0) / 60
    return min(minutes, stage.minutes or minutes)


def _checks_total(record: ParticipantRecord, content: Content, submitted: Sequence[RunRecord]) -> int | None:
    graded = {(run.stage, run.task): len(run.checks) for run in submitted}
    total = 0
    for stage in record.study.counted_task_stages:
        for folder in stage.packs:
            key = (stage.id, name_of(folder))
            pack = content.pack(record.study.shown_pack(folder, stage, record.participant.allocated))
            if key not in graded and pack is None:
                return None
            total += graded[key] if key in graded else len(pack.checks)  # type: ignore[union-attr]
    return total


def runs_and_errors(record: ParticipantRecord) -> dict[str, Any]:
    """Presses of Run on the main tasks, and those that ended in an error; submissions are not among them."""
    if not any(record.visit(stage.id) for stage in record.main_stages):
        return {}
    runs = [run for run in record.runs if run.kind == "run" and run.stage in record.main_ids]
    errors = [error for run in runs if (error := program_error(run)) is not None]
    return {"runs": len(runs), "errors": len(errors), "first_error_type": errors[0] if errors else None}
