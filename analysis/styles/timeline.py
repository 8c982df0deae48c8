"""One timeline for both sources: our own export and the imported transcripts.

Columns: participant_id, task, seconds (since the person's first task was shown), action, turn_id, labels (tuple).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.styles.codebook import split

ACTIONS = (
    "start",
    "compose",
    "query",
    "reply",
    "paste",
    "copy",
    "edit",
    "run",
    "error",
    "websearch",
    "outage",
    "completion",
    "submission",
)
"""What a timeline knows. `compose`: starts a message to the assistant. `copy`: types the assistant's code by hand."""

COLUMNS = ("participant_id", "task", "seconds", "action", "turn_id", "labels")

IMPORTED = "published"
"""`turns.assistant` of imported transcripts."""

_PASTE = re.compile(r'"(?:kind|input)":\s*"paste"')
_TASK = re.compile(r'"task":\s*"([^"]+)"')
_PHASE = re.compile(r"task_\d+$")

_TRANSCRIPT = {
    "task_start": "start",
    "ai_interaction": "compose",
    "ai_query": "query",
    "paste": "paste",
    "code_copying": "copy",
    "error": "error",
    "websearch": "websearch",
    "system_error": "outage",
    "ai_delay": "outage",
    "task_completion": "completion",
    "task_submission": "submission",
}
_OWN = {
    "task_shown": "start",
    "compose_start": "compose",
    "edit": "edit",
    "run_ended": "run",
    "program_error": "error",
    "notes_opened": "websearch",
    "outage": "outage",
    "task_submitted": "submission",
}


def timeline(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every action of every participant, in order; queries carry the labels in `turns.codes`.

    Queries come from `turns`, which has their labels; everything else from `events`. A turn that was never answered
    is a query all the same. Missing tables count as empty.
    """
    turns = tables.get("turns")
    queries = _queries(turns)
    frame = pd.concat([_event_frame(tables.get("events"), queries), _turn_frame(turns, queries)], ignore_index=True)
    if frame.empty:
        return frame[list(COLUMNS)]
    frame = frame.sort_values(["participant_id", "time", "rank"], kind="stable", ignore_index=True)
    frame["task"] = frame.groupby("participant_id")["task"].transform(lambda tasks: tasks.ffill().bfill())
    frame["seconds"] = (frame["time"] - frame["participant_id"].map(_origins(frame))).dt.total_seconds()
    return frame[frame["seconds"] >= 0][list(COLUMNS)].reset_index(drop=True)


def _origins(frame: pd.DataFrame) -> pd.Series:
    """When each person's first task was shown; an imported recording starts at its own zero."""
    starts = frame[frame["action"] == "start"].groupby("participant_id")["time"].min()
    first = frame.groupby("participant_id")["time"].min()
    origins = starts.reindex(first.index).fillna(first)
    epoch = pd.Timestamp("1970-01-01", tz="UTC")
    return origins.mask(origins < epoch + pd.Timedelta(days=1), epoch)


def _queries(turns: pd.DataFrame | None) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Participant -> (turn, labels) in order."""
    result: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    if turns is not None and not turns.empty:
        codes = turns["codes"] if "codes" in turns else [None] * len(turns)
        for who, turn, text in zip(turns["participant_id"], turns["turn_id"], codes, strict=True):
            result.setdefault(who, []).append((turn, split(text)))
    return result


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["participant_id", "task", "action", "turn_id", "labels", "rank", "time"])
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True), rank=frame["rank"].astype(float))


def _event_frame(events: pd.DataFrame | None, queries: Mapping[str, list[tuple[str, tuple[str, ...]]]]) -> pd.DataFrame:
    if events is None or events.empty:
        return _frame([])
    kept = events[events["kind"].isin({*_TRANSCRIPT, *_OWN})]
    columns = (kept[name] for name in ("participant_id", "stage", "kind", "payload"))
    times = pd.to_datetime(kept["server_time"], utc=True, format="ISO8601")
    upcoming = {who: iter(listed) for who, listed in queries.items()}
    rows = []
    for rank, (who, stage, kind, text, time) in enumerate(zip(*columns, times, strict=True)):
        turn, labels = next(upcoming.get(who, iter(())), (None, ())) if kind == "ai_query" else (None, ())
        action, task = _action_and_task(kind, stage, text)
        rows.append((who, task, action, turn, labels, rank, time))
    return _frame(rows)


def _action_and_task(kind: str, stage: object, text: object) -> tuple[str, str | None]:
    """Edits are many: their payload is searched, not parsed."""
    raw = text if isinstance(text, str) else ""
    if kind == "edit":
        return ("paste" if _PASTE.search(raw) else "edit"), _first(_TASK.search(raw))
    content = json.loads(raw) if raw else {}
    named = content.get("task")
    phase = stage if isinstance(stage, str) and _PHASE.match(stage) else None
    return _TRANSCRIPT.get(kind) or _OWN[kind], named if isinstance(named, str) else phase


def _first(match: re.Match[str] | None) -> str | None:
    return match.group(1) if match else None


def _turn_frame(turns: pd.DataFrame | None, queries: Mapping[str, list[tuple[str, tuple[str, ...]]]]) -> pd.DataFrame:
    """Queries and ends of replies of our own export; an imported query is an event already."""
    if turns is None or turns.empty or (turns["assistant"] == IMPORTED).all():
        return _frame([])
    asked = pd.to_datetime(turns["asked_at"], utc=True, format="ISO8601")
    seconds = pd.to_numeric(turns["total_seconds"], errors="coerce")
    labels = {turn: codes for listed in queries.values() for turn, codes in listed}
    rows: list[tuple[Any, ...]] = []
    for who, task, turn, time, took in zip(
        turns["participant_id"], turns["task"], turns["turn_id"], asked, seconds, strict=True
    ):
        rows.append((who, task, "query", turn, labels[turn], -1, time))
        if pd.notna(took):
            rows.append((who, task, "reply", turn, (), -1, time + pd.Timedelta(seconds=float(took))))
    return _frame(rows)
