"""Repaired transcripts as the contract's tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from analysis.interaction.patterns import assign
from analysis.published_study.columns import PARTICIPANT_COLUMNS
from analysis.published_study.repairs import Repaired, RepairedEvent
from study_app.domain.interaction.codebook import LABELS, join
from study_app.domain.interaction.patterns import PUBLISHED

ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the start of each participant's main tasks: the transcripts hold no dates."""

_ERROR_TYPE = re.compile(r"\b([A-Z]\w*(?:Error|Warning|Exception))\b")


def error_type(description: str) -> str | None:
    """Exception class named first in an annotator's note, None where none is named."""
    found = _ERROR_TYPE.search(description)
    return found.group(1) if found else None


def composing_seconds(events: Sequence[RepairedEvent]) -> list[int | None]:
    """Per query, seconds from the last `ai_interaction` to it, by recorded times; None without one before it.

    A second `ai_interaction` before the query starts the clock anew.
    """
    started: int | None = None
    result: list[int | None] = []
    for event in events:
        if event.kind == "ai_interaction":
            started = event.recorded.seconds
        elif event.kind == "ai_query":
            result.append(None if started is None else event.recorded.seconds - started)
            started = None
    return result


def tables(people: Sequence[Repaired], study_hash: str) -> dict[str, pd.DataFrame]:
    """`participants`, `events`, `turns`, `visits` and `repairs`, rows by participant number and time."""
    events = pd.DataFrame([row for person in people for row in _event_rows(person)])
    turns = pd.DataFrame([row for person in people for row in _turn_rows(person)], columns=_TURN_COLUMNS)
    visits = pd.DataFrame([row for person in people for row in _visit_rows(person)])
    repairs = pd.DataFrame([vars(entry) for person in people for entry in person.repairs], columns=_REPAIR_COLUMNS)
    repairs["event"] = repairs["event"].astype("Int64")
    result = {"events": events, "turns": turns, "visits": visits, "repairs": repairs}
    participants = pd.DataFrame([_participant(person, study_hash) for person in people])
    patterns = {
        found.participant_id: found.pattern for found in assign({"participants": participants, **result}, PUBLISHED)
    }
    participants["interaction_pattern"] = [patterns.get(each, "none") for each in participants["participant_id"]]
    whole = [name for name in participants if participants[name].map(lambda v: v is None or isinstance(v, int)).all()]
    participants = participants.astype(dict.fromkeys(whole, "Int64"))
    return {"participants": participants[PARTICIPANT_COLUMNS], **result}


_REPAIR_COLUMNS = ["participant_id", "event", "field", "found", "now", "reason", "action"]
_TURN_COLUMNS = (
    "turn_id participant_id task assistant model prompt_version message reply code asked_at first_token_seconds "
    "total_seconds composing_seconds input_tokens output_tokens stop_reason stopped_by_participant error codes "
    "human_codes"
).split()


def _time(seconds: int) -> str:
    return (ORIGIN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _event_rows(person: Repaired) -> Iterator[dict[str, Any]]:
    for seq, event in enumerate(person.events, start=1):
        payload: dict[str, Any] = {
            "codes": list(event.codes),
            "description": event.recorded.description,
            "recorded_task": event.recorded.task_id,
            "recorded_timestamp": event.recorded.timestamp,
        }
        if event.kind == "error":
            payload["error_type"] = error_type(event.recorded.description)
        yield {
            "participant_id": person.participant_id,
            "event_id": f"{person.participant_id}-e{seq:03d}",
            "page": f"{person.participant_id}-recording",
            "seq": seq,
            "kind": event.kind,
            "stage": f"task_{event.task}",
            "server_time": _time(event.seconds),
            "client_time": None,
            "payload": json.dumps(payload, ensure_ascii=False),
        }


def _turn_rows(person: Repaired) -> Iterator[dict[str, Any]]:
    queries = [event for event in person.events if event.kind == "ai_query"]
    for number, (event, composing) in enumerate(zip(queries, composing_seconds(person.events), strict=True), start=1):
        codes = join(event.labels)
        yield {
            "turn_id": f"{person.participant_id}-t{number:02d}",
            "participant_id": person.participant_id,
            "task": f"task_{event.task}",
            "assistant": "published",
            "model": "gpt-4o",
            "message": event.recorded.query,
            "asked_at": _time(event.seconds),
            "composing_seconds": None if composing is None else float(composing),
            "codes": codes,
            "human_codes": codes,
        }


def _visit_rows(person: Repaired) -> Iterator[dict[str, Any]]:
    for task in ("1", "2"):
        own = [event for event in person.events if event.task == task]
        started = next((event.seconds for event in own if event.kind == "task_start"), None)
        ended = [event.seconds for event in own if event.kind == "task_submission"]
        active = getattr(person.transcript.summary, f"task{task}_active_time")
        yield {
            "participant_id": person.participant_id,
            "stage": f"task_{task}",
            "started_at": None if started is None else _time(started),
            "ended_at": _time(ended[-1]) if ended else None,
            "ended_by": "submission" if ended else None,
            "active_seconds": 60.0 * active,
            "away_seconds": None,
        }


def adoption(events: Sequence[RepairedEvent]) -> str:
    """How the assistant's code got into the program: `paste`, `copy`, `both` or `neither`, by the events' types."""
    kinds = {event.kind for event in events}
    pasted, copied = "paste" in kinds, "code_copying" in kinds
    return {(True, True): "both", (True, False): "paste", (False, True): "copy"}.get((pasted, copied), "neither")


def _participant(person: Repaired, study_hash: str) -> dict[str, Any]:
    """Return one row of `participants`; whatever the transcripts do not hold stays empty."""
    row: dict[str, Any] = dict.fromkeys(PARTICIPANT_COLUMNS)
    transcript, summary = person.transcript, person.transcript.summary
    complete = [summary.task1_complete, summary.task2_complete]
    row |= {
        "participant_id": person.participant_id,
        "study_hash": study_hash,
        "arm": "ai" if transcript.condition == "AI" else "no_ai",
        "is_simulated": 0,
        "is_preview": 0,
        "status": "completed",
        "warmup_minutes": float(transcript.warmup_task_minutes),
        "task_minutes": float(transcript.main_task_minutes),
        "task_completed": int(all(complete)),
        "completion_minutes": float(transcript.main_task_minutes),
        "completion_event": int(all(complete)),
        "tasks_passed": sum(complete),
        "active_minutes": float(summary.task1_active_time + summary.task2_active_time),
    }
    return row | _error_columns(person.events) | _query_columns(person) | _task_columns(person)


def _error_columns(events: Sequence[RepairedEvent]) -> dict[str, Any]:
    errors = [event for event in events if event.kind == "error"]
    types = [error_type(event.recorded.description) for event in errors]
    return {
        "errors": len(errors),
        "first_error_type": next((found for found in types if found), None),
        "errors_task_1": sum(event.recorded.task_id == "1" for event in errors),
        "errors_task_2": sum(event.recorded.task_id == "2" for event in errors),
    }


def _query_columns(person: Repaired) -> dict[str, Any]:
    queries = [event for event in person.events if event.kind == "ai_query"]
    spent = [seconds for seconds in composing_seconds(person.events) if seconds is not None]
    counts = {f"queries_{label}": sum(label in event.labels for event in queries) for label in LABELS}
    return {
        "queries": len(queries),
        **counts,
        "interaction_minutes": sum(spent) / 60,
        "received": int(bool(queries)),
        "adoption": adoption(person.events) if person.transcript.condition == "AI" else None,
    }


def _task_columns(person: Repaired) -> dict[str, Any]:
    summary = person.transcript.summary
    return {
        "task_1_minutes": float(summary.task1_total_time),
        "task_2_minutes": float(summary.task2_total_time),
        "task_1_active_minutes": float(summary.task1_active_time),
        "task_2_active_minutes": float(summary.task2_active_time),
        "task_1_completed": int(summary.task1_complete),
        "task_2_completed": int(summary.task2_complete),
        "pastes": sum(event.kind == "paste" for event in person.events),
        "code_copies": sum(event.kind == "code_copying" for event in person.events),
    }
