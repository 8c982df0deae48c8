"""Outcomes of the tasks: time, completion, checks, runs and errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from study_app.domain.dataset.stored import program_error
from study_app.domain.participant import RunRecord
from study_app.domain.protocol import Stage
from study_app.services.baseline import all_passed, warmup
from study_app.services.measures import Content, Dossier, task_of


def warm_up(dossier: Dossier) -> dict[str, Any]:
    """The warm-up as allocation sees it."""
    for stage in dossier.study.stages:
        if stage.kind == "tasks" and not stage.main:
            return warmup(stage, dossier.visit(stage.id), list(dossier.runs))
    return {"warmup_minutes": None, "warmup_passed": None}


def task_outcomes(dossier: Dossier, content: Content) -> dict[str, Any]:
    """Time, completion and checks on the main tasks.

    An allocated participant whose way is over counts as not completed with the cap, whether or not they ever opened
    the tasks; while it goes on, and while a submission waits for grading, outcomes are missing.
    """
    stages = dossier.main_stages
    submitted = {stage.id: _submissions(dossier, stage) for stage in stages}
    row: dict[str, Any] = {"task_minutes": _task_minutes(dossier, submitted)}
    opened = any(dossier.visit(stage.id) is not None for stage in stages)
    settled = bool(stages) and (opened or dossier.allocated) and all(map(dossier.done_with, stages))
    everything = [run for runs in submitted.values() for run in runs]
    if not settled or any(run.ended_by is None for run in everything):
        return row
    tasks = [(stage, task_of(folder)) for stage in stages for folder in stage.packs]
    passed = {(run.stage, run.task) for run in everything if all_passed(run)}
    completed = all((stage.id, task) in passed for stage, task in tasks)
    cap = sum(_limit(dossier, stage) or 0.0 for stage in stages)
    minutes = row["task_minutes"] if completed else cap
    seen = [run.visible_only_pass for run in everything if run.visible_only_pass is not None]
    return row | {
        "task_completed": completed,
        "completion_minutes": minutes,
        "completion_event": completed,
        "tasks_passed": sum((stage.id, task) in passed for stage, task in tasks),
        "checks_passed": sum(check["passed"] for run in everything for check in json.loads(run.checks)),
        "checks_total": _checks_total(dossier, content, everything),
        "visible_only_pass": any(seen) if seen else None,
    }


def _submissions(dossier: Dossier, stage: Stage) -> list[RunRecord]:
    return [run for run in dossier.runs if run.kind == "submission" and run.stage == stage.id]


def _task_minutes(dossier: Dossier, submitted: dict[str, list[RunRecord]]) -> float | None:
    """Over the main stages: first task shown to last submission, each at most its limit."""
    spent = []
    for stage in dossier.main_stages:
        visit, runs = dossier.visit(stage.id), submitted[stage.id]
        if visit is not None and runs:
            minutes = (max(run.started_at for run in runs) - visit.started_at).total_seconds() / 60
            spent.append(min(minutes, _limit(dossier, stage) or minutes))
    return sum(spent) if spent else None


def _limit(dossier: Dossier, stage: Stage) -> float | None:
    """The person's own minutes for a stage: its limit, later by what outages of the assistant took."""
    visit = dossier.visit(stage.id)
    if visit is None or visit.deadline_at is None:
        return stage.minutes
    return (visit.deadline_at - visit.started_at).total_seconds() / 60


def _checks_total(dossier: Dossier, content: Content, submitted: Sequence[RunRecord]) -> int | None:
    graded = {(run.stage, run.task): len(json.loads(run.checks)) for run in submitted}
    total = 0
    for stage in dossier.main_stages:
        for folder in stage.packs:
            key = (stage.id, task_of(folder))
            pack = content.pack(folder)
            if key not in graded and pack is None:
                return None
            total += graded[key] if key in graded else len(pack.checks)  # type: ignore[union-attr]
    return total


def runs_and_errors(dossier: Dossier) -> dict[str, Any]:
    """Presses of Run on the main tasks, and those that ended in an error; submissions are not among them."""
    if not any(dossier.visit(stage.id) for stage in dossier.main_stages):
        return {}
    runs = [run for run in dossier.runs if run.kind == "run" and run.stage in dossier.main_ids]
    errors = [error for run in runs if (error := program_error(run)) is not None]
    return {"runs": len(runs), "errors": len(errors), "first_error_type": errors[0] if errors else None}
