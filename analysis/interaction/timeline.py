"""One timeline for both sources: our own export and the imported transcripts.

Columns: participant_id, task, seconds (since the person's first task was shown), action, turn_id, labels (tuple).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from analysis.data.dataset import Tables
from study_app.domain.interaction.codebook import split
from study_app.domain.interaction.steps import UseStep, arranged, of_event, of_turn

COLUMNS = ("participant_id", "task", "seconds", "action", "turn_id", "labels")

IMPORTED = "published"
"""`turns.assistant` of imported transcripts."""

_PASTE = re.compile(r'"kind":\s*"paste"')
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

Queries = dict[str, list[tuple[str, tuple[str, ...]]]]
"""Participant -> (turn, labels) in order."""


def timeline(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return every action of every participant, in order; queries carry the labels in `turns.codes`.

    Queries come from `turns`, which has their labels; everything else from `events`. A turn that was never answered
    is a query all the same. Missing tables count as empty.
    """
    rows = []
    for who, steps in sorted(_raw(tables).items()):
        ordered, origin = arranged(steps)
        rows += [(who, s.task, (s.at - origin) / 1000, s.action, s.turn_id, s.labels) for s in ordered]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"seconds": float})


def sessions(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[UseStep]]:
    """Participant -> the steps that `timeline` shows."""
    return {who: arranged(steps)[0] for who, steps in sorted(_raw(tables).items())}


def _raw(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[UseStep]]:
    turns = tables.get("turns")
    queries = _queries(turns)
    found: dict[str, list[UseStep]] = {}
    for who, step in (*_event_steps(_cells(tables, "events"), queries), *_turn_steps(turns, queries)):
        found.setdefault(who, []).append(step)
    return found


def _cells(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame | None:
    """Return a table as written where it comes from a file: its payloads are searched, and only few of them parsed."""
    if name not in tables:
        return None
    return tables.cells(name) if isinstance(tables, Tables) else tables[name]


def _queries(turns: pd.DataFrame | None) -> Queries:
    result: Queries = {}
    if turns is not None and not turns.empty:
        codes = turns["codes"] if "codes" in turns else [None] * len(turns)
        for who, turn, text in zip(turns["participant_id"], turns["turn_id"], codes, strict=True):
            result.setdefault(str(who), []).append((str(turn), split(text)))
    return result


def _event_steps(events: pd.DataFrame | None, queries: Queries) -> Iterator[tuple[str, UseStep]]:
    if events is None or events.empty:
        return
    columns: Iterable[Any] = (events[name] for name in ("participant_id", "stage", "kind", "payload"))
    upcoming = {who: iter(listed) for who, listed in queries.items()}
    rows = zip(*columns, _milliseconds(events["server_time"]), strict=True)
    for rank, (who, stage, kind, text, at) in enumerate(rows):
        raw = text if isinstance(text, str) else ""
        if kind in _TRANSCRIPT:
            # Transcripts do not say which turn a query event is; both are in order, so the n-th meets the n-th.
            turn, labels = next(upcoming.get(str(who), iter(())), (None, ())) if kind == "ai_query" else (None, ())
            yield str(who), UseStep(at, rank, _named_task(raw, stage), _TRANSCRIPT[kind], turn, labels)
            continue
        # Edits are many: their payload is searched, not parsed.
        task = _first(_TASK.search(raw)) if kind == "edit" else _named_task(raw)
        step = of_event(str(kind), at, rank, task, kind == "edit" and bool(_PASTE.search(raw)))
        if step is not None:
            yield str(who), step


def _named_task(raw: str, stage: object = None) -> str | None:
    named = json.loads(raw).get("task") if raw else None
    return named if isinstance(named, str) else stage if isinstance(stage, str) and _PHASE.match(stage) else None


def _first(match: re.Match[str] | None) -> str | None:
    return match.group(1) if match else None


def _turn_steps(turns: pd.DataFrame | None, queries: Queries) -> Iterator[tuple[str, UseStep]]:
    """Yield queries and ends of replies in an export of study-app; an imported query is an event already."""
    if turns is None or turns.empty or (turns["assistant"] == IMPORTED).all():
        return
    labels = {turn: codes for listed in queries.values() for turn, codes in listed}
    columns = (turns["participant_id"], turns["task"], turns["turn_id"], _milliseconds(turns["asked_at"]))
    durations = (_seconds(turns, "total_seconds"), _seconds(turns, "composing_seconds"))
    for who, task, turn, at, took, composing in zip(*columns, *durations, strict=True):
        for step in of_turn(str(turn), at, task, labels[str(turn)], took, composing):
            yield str(who), step


def _seconds(turns: pd.DataFrame, name: str) -> list[float | None]:
    numbers = pd.to_numeric(turns[name], errors="coerce") if name in turns else pd.Series(float("nan"), turns.index)
    return [None if pd.isna(number) else float(number) for number in numbers]


def _milliseconds(times: pd.Series) -> list[int]:
    moments = pd.to_datetime(times, utc=True, format="ISO8601")
    # Not `astype(int64)`: the unit of a parsed column (ns, us, ms) depends on the version of pandas and on the text.
    return ((moments - pd.Timestamp("1970-01-01", tz="UTC")) // pd.Timedelta(milliseconds=1)).tolist()
