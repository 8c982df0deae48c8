"""What a participant did with the assistant, as numbers: per participant and task, and per participant.

Counts are 0 where nothing happened and missing (None or NaN) where the source cannot tell: the imported transcripts
hold no replies, edits or runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.styles.codebook import LABELS
from analysis.styles.rows import records
from analysis.styles.timeline import timeline

INITIALS = {"explanation": "E", "generation": "G", "debugging": "D", "capability": "C", "appreciation": "A"}
"""Letters of the order of queries, such as `G GE D`."""

PATTERN_FEATURES = (
    "queries",
    *LABELS,
    "generation_with_explanation",
    "explanation_before_generation",
    "explanation_after_generation",
    "queries_per_task",
    "pastes",
    "copies",
    "retyped_chars",
    "errors",
    "errors_alone",
    "errors_with_help",
    "edits_before_first_query",
    "runs_between_query_and_submission",
    "interaction_minutes",
    "waiting_minutes",
    "active_minutes",
    "task_minutes",
)
"""What a rule of a pattern may name."""

_SUMMED = (
    "queries",
    *LABELS,
    "generation_with_explanation",
    "pastes",
    "copies",
    "errors",
    "errors_alone",
    "errors_with_help",
)
_SUMMED_WHERE_KNOWN = ("edits_before_first_query", "runs_between_query_and_submission")


def task_features(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per participant and task.

    Columns: participant_id, task, queries, one per label, generation_with_explanation, order (`G GE`),
    composing_seconds, waiting_seconds, turn_seconds_median, pastes, copies, edits_before_first_query, errors,
    errors_alone, errors_with_help, active_minutes, runs_between_query_and_submission.
    """
    actions = timeline(tables)
    spent = _turn_seconds(tables.get("turns"))
    active = _active_minutes(tables.get("visits"))
    own = bool(actions["action"].isin(["edit", "run"]).any())
    rows = []
    for key, group in actions.groupby(["participant_id", "task"], sort=False):
        who, task = str(key[0]), str(key[1])
        steps = group[["action", "labels"]].to_records(index=False).tolist()
        rows.append(
            {"participant_id": who, "task": task}
            | _query_counts([labels for action, labels in steps if action == "query"])
            | _other_counts([action for action, _ in steps], own)
            | spent.get((who, task), {"composing_seconds": 0.0, "waiting_seconds": None, "turn_seconds_median": None})
            | {"active_minutes": active.get((who, task))}
        )
    return pd.DataFrame(rows)


def _query_counts(queries: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    counts = {label: sum(label in labels for labels in queries) for label in LABELS}
    both = sum({"generation", "explanation"} <= set(labels) for labels in queries)
    order = " ".join("".join(INITIALS[label] for label in labels) or "-" for labels in queries)
    return {"queries": len(queries), **counts, "generation_with_explanation": both, "order": order}


def _other_counts(actions: Sequence[str], own: bool) -> dict[str, Any]:
    """Counts of a task's actions; `own` says whether the source logs edits and runs at all."""
    first = actions.index("query") if "query" in actions else None
    last = len(actions) - 1 - actions[::-1].index("query") if first is not None else None
    helped = _errors_with_help(actions)
    errors = actions.count("error")
    return {
        "pastes": actions.count("paste"),
        "copies": actions.count("copy"),
        "edits_before_first_query": actions[:first].count("edit") if own else None,
        "errors": errors,
        "errors_alone": errors - helped,
        "errors_with_help": helped,
        "runs_between_query_and_submission": actions[last:].count("run") if own and last is not None else None,
    }


def _errors_with_help(actions: Sequence[str]) -> int:
    """Errors after which the next thing asked, run into or finished was a question to the assistant."""
    decisive = [action for action in actions if action in {"error", "query", "completion", "submission"}]
    return sum(now == "error" and after == "query" for now, after in zip(decisive, decisive[1:], strict=False))


def _turn_seconds(turns: pd.DataFrame | None) -> dict[tuple[str, str], dict[str, float | None]]:
    """Composing and waiting time by participant and task."""
    if turns is None or turns.empty:
        return {}
    numbers = turns[["participant_id", "task"]].assign(
        composing=pd.to_numeric(turns["composing_seconds"], errors="coerce"),
        total=pd.to_numeric(turns["total_seconds"], errors="coerce"),
    )
    result: dict[tuple[str, str], dict[str, float | None]] = {}
    for (who, task), group in numbers.groupby(["participant_id", "task"], sort=False):
        known = group["total"].dropna()
        result[str(who), str(task)] = {
            "composing_seconds": float(group["composing"].sum()),
            "waiting_seconds": float(known.sum()) if len(known) else None,
            "turn_seconds_median": float(known.median()) if len(known) else None,
        }
    return result


def _active_minutes(visits: pd.DataFrame | None) -> dict[tuple[str, str], float]:
    if visits is None or visits.empty:
        return {}
    seconds = pd.to_numeric(visits["active_seconds"], errors="coerce")
    totals = seconds.groupby([visits["participant_id"], visits["stage"]]).sum(min_count=1)
    return {key: float(value) / 60 for key, value in totals.items() if pd.notna(value)}  # type: ignore[misc]


def participant_features(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per participant of `participants`, in its order: `PATTERN_FEATURES` beside participant_id."""
    participants = tables["participants"]
    by_task = task_features(tables)
    actions = timeline(tables)
    labels = {
        who: list(group["labels"])
        for who, group in actions[actions["action"] == "query"].groupby("participant_id", sort=False)
    }
    tasks = dict(iter(by_task.groupby("participant_id", sort=False))) if len(by_task) else {}
    rows = [
        _participant(person, tasks.get(person["participant_id"], by_task[:0]), labels.get(person["participant_id"], []))
        for person in records(participants)
    ]
    return pd.DataFrame(rows, columns=["participant_id", *PATTERN_FEATURES])


def _participant(person: Mapping[str, Any], own: pd.DataFrame, queries: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    row: dict[str, Any] = {"participant_id": person["participant_id"]}
    row |= {name: int(own[name].sum()) if len(own) else 0 for name in _SUMMED}
    row |= {name: _known_sum(own, name) for name in _SUMMED_WHERE_KNOWN}
    row |= _explanation_around_generation(queries)
    tasks = max(len(own), 1)
    waiting = _known_sum(own, "waiting_seconds")
    row |= {
        "queries_per_task": row["queries"] / tasks,
        "retyped_chars": _number(person.get("retyped_assistant_chars")),
        "interaction_minutes": float(own["composing_seconds"].sum()) / 60 if len(own) else 0.0,
        "waiting_minutes": None if waiting is None else waiting / 60,
        "active_minutes": _number(person.get("active_minutes")),
        "task_minutes": _number(person.get("task_minutes")),
    }
    # Provenance knows where pasted text came from; a count of paste events does not.
    pasted = _number(person.get("pasted_chars_assistant"))
    return row if pasted is None else row | {"pastes": row["pastes"] if pasted > 0 else 0}


def _known_sum(own: pd.DataFrame, name: str) -> float | None:
    known = pd.to_numeric(own[name], errors="coerce").dropna() if len(own) else pd.Series(dtype=float)
    return float(known.sum()) if len(known) else None


def _number(value: Any) -> float | None:
    number = pd.to_numeric(value, errors="coerce")
    return None if pd.isna(number) else float(number)


def _explanation_around_generation(queries: Sequence[tuple[str, ...]]) -> dict[str, int]:
    """Explanation queries before and after the first generation query; both 0 where none generated."""
    first = next((index for index, labels in enumerate(queries) if "generation" in labels), None)
    before = queries[:first] if first is not None else ()
    after = queries[first + 1 :] if first is not None else ()
    return {
        "explanation_before_generation": sum("explanation" in labels for labels in before),
        "explanation_after_generation": sum("explanation" in labels for labels in after),
    }
