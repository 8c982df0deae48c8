"""Records of the database as rows of the dataset: what is stored, before anything derived is added.

Export writes these rows, and the chain of records (`chain`) is over the same cells, so that anyone with a dataset can
compute what the database was sealed with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from study_app.dataset.schema.cells import compact_json
from study_app.domain.events import Event
from study_app.domain.records import Answer, Participant, RunRecord, Turn, Visit

StoredRow = dict[str, Any]

_VERDICT = ("name", "visible", "passed")
_NEVER_AWAITED = re.compile(r"^[^\n]*RuntimeWarning: coroutine .{1,200} was never awaited", re.MULTILINE)


def program_error(run: RunRecord) -> str | None:
    """Return what a run's reader meets as an error.

    The exception, or the warning that a coroutine was never awaited.
    """
    return run.error_type or ("RuntimeWarning" if _NEVER_AWAITED.search(run.stderr) else None)


def event_row(event: Event) -> StoredRow:
    """Return one event of the log."""
    return {
        "participant_id": event.participant_id,
        "event_id": event.event_id,
        "page": event.page,
        "seq": event.seq,
        "kind": event.kind,
        "stage": event.stage,
        "server_time": event.server_time,
        "client_time": browser_moment(event.client_time_ms),
        "payload": event.stored or compact_json(event.payload),
        "mono_ms": event.mono_ms,
        "arrived_late": event.arrived_late,
    }


def browser_moment(milliseconds: float | None) -> datetime | None:
    """Return the moment that a browser's clock names; None where it names none that a calendar knows."""
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def run_row(run: RunRecord) -> StoredRow:
    """Return one run or submission."""
    checks = [{key: check[key] for key in _VERDICT} for check in run.checks]
    return asdict(run) | {"run_id": run.id, "error_type": program_error(run), "checks": compact_json(checks)}


def turn_row(turn: Turn) -> StoredRow:
    """Return one message and its reply."""
    return asdict(turn) | {"turn_id": turn.id, "parameters": compact_json(turn.parameters)}


def answer_row(answer: Answer) -> StoredRow:
    """Return one answer to a survey question or a quiz item."""
    return asdict(answer) | {"response": answer.response}


def visit_row(visit: Visit) -> StoredRow:
    """Return one stay on a stage."""
    return asdict(visit)


def participant_facts(participant: Participant) -> StoredRow:
    """Return what the participants table says of a person that no other table gives."""
    return facts_of(
        asdict(participant)
        | {
            "participant_id": participant.id,
            "is_simulated": participant.kind == "simulated",
            "is_preview": participant.kind == "preview",
        }
    )


FACTS = (
    *("participant_id", "study_hash", "arm", "stratum", "allocation_index", "is_simulated", "is_preview"),
    *("exclusion_reason", "enrolled_at", "allocated_at", "finished_at", "data_withdrawn"),
)


SECOND_FACTS = ("responded", "second_treatment", "second_index")


def facts_of(row: Mapping[str, Any]) -> StoredRow:
    """Return the same of a row of the participants table.

    `abandoned` and `excluded` are not stored: a long silence and an exclusion make them.
    """
    found = {name: row[name] for name in FACTS}
    # Facts of before there was a second decision have the same digest as ever.
    found |= {name: row[name] for name in SECOND_FACTS if row.get(name) is not None}
    kept = "excluded" if row["exclusion_reason"] is not None else row["status"]
    return found | {"status": "in_progress" if kept == "abandoned" else kept}
