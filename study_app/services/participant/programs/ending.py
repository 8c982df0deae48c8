"""How a run ends: what is kept of it, what its page gets, and who ends it where its server is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from study_app.domain.events.server import Outage
from study_app.domain.records import InProgress, RunRecord
from study_app.domain.tasks.programs import RunResult
from study_app.ports import UnitOfWork
from study_app.services.replicas import SERVER_GONE


def is_over(unit: UnitOfWork, record: RunRecord) -> bool:
    """Return whether a run has been ended, by this server or another."""
    return any(run.id == record.id and run.ended_by is not None for run in unit.runs(record.participant_id))


def close_run(unit: UnitOfWork, work: InProgress, now: datetime) -> None:
    """End a run that its server, which is gone, will not finish."""
    record = next((run for run in unit.runs(work.participant_id) if run.id == work.work), None)
    if not unit.end_work(work) or record is None or record.ended_by is not None:
        return
    over = replace(record, ended_by="infrastructure", error_message=SERVER_GONE)
    if unit.update_run(over):
        unit.record(record.participant_id, record.stage, now, Outage(run_id=record.id, ended_by=over.ended_by))


def finished(record: RunRecord, result: RunResult) -> RunRecord:
    """Return the run with what it did."""
    return replace(
        record,
        stdout=result.stdout,
        stderr=result.stderr,
        # A coroutine that was never awaited raises nothing; the warning about it is the error that learners meet.
        error_type=result.error_type or next(iter(result.warning_types), None),
        error_message=result.error_message,
        error_line=result.error_line,
        ended_by=result.ended_by,
        wall_seconds=result.wall_seconds,
        isolation=result.isolation,
        scheduler_seed=result.scheduler_seed,
        output_order=result.order,
    )


def end_line(run_id: str, ended_by: str, result: RunResult | None) -> dict[str, Any]:
    """Return the last line of a run as its page gets it."""
    return {
        "type": "end",
        "run_id": run_id,
        "ended_by": ended_by,
        "error_type": result.error_type if result else None,
        "error_line": result.error_line if result else None,
        "wall_seconds": result.wall_seconds if result else None,
    }
