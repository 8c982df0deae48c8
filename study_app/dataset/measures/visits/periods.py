"""The periods of a sequence of treatments: one row for each that a participant reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from study_app.dataset.integrity.stored_rows import program_error
from study_app.dataset.measures.baseline import all_passed
from study_app.dataset.measures.quiz import quiz_columns
from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.dataset.measures.tasks import stage_minutes, submissions_of
from study_app.domain.content.content_paths import name_of
from study_app.domain.records import RunRecord
from study_app.domain.study.study import Stage


def periods(record: ParticipantRecord, content: Content) -> Iterator[dict[str, Any]]:
    """Treatment, stage and outcomes of each period whose stage the participant opened; none outside sequences."""
    study, person = record.study, record.participant
    if study.allocation.method != "sequence" or person.arm is None:
        return
    quizzes = study.period_quizzes
    for number, stage in enumerate(study.period_stages, start=1):
        if record.visit(stage.id) is None:
            continue
        quiz = quizzes[number - 1] if quizzes else None
        yield {
            "participant_id": person.id,
            "period": number,
            "treatment": study.arm(person.arm, stage).id,
            "stage": stage.id,
            "points": quiz_columns(quiz, record, content).get("points") if quiz is not None else None,
            **_of_tasks(record, stage),
        }


def _of_tasks(record: ParticipantRecord, stage: Stage) -> dict[str, Any]:
    """Minutes to the last submission, errors, queries, and completion; empty for a period without tasks."""
    visit = record.visit(stage.id)
    if stage.kind != "tasks" or visit is None:
        return {}
    here = [run for run in record.runs if run.stage == stage.id]
    end = visit.ended_at
    asked = [turn for turn in record.turns if visit.started_at <= turn.asked_at]
    asked = [turn for turn in asked if end is None or turn.asked_at <= end]
    minutes = stage_minutes(record, stage, [run for run in here if run.kind == "submission"])
    counted = {"minutes": minutes, "errors": sum(_failed(run) for run in here), "queries": len(asked)}
    return counted | _completion(record, stage, minutes)


def _completion(record: ParticipantRecord, stage: Stage, minutes: float | None) -> dict[str, Any]:
    """Return whether all tasks were completed, and when: with the limit where not; empty until the stage is settled."""
    last = submissions_of(record, stage)
    if not record.done_with(stage) or any(run.ended_by is None for run in last):
        return {"completed": None, "completion_minutes": None}
    passed = {run.task for run in last if all_passed(run)}
    completed = all(name_of(folder) in passed for folder in stage.packs)
    return {"completed": completed, "completion_minutes": minutes if completed else stage.minutes}


def _failed(run: RunRecord) -> bool:
    return run.kind == "run" and program_error(run) is not None
