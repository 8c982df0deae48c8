"""What participants did with the assistant, as tables: per participant and task, and per participant.

The numbers are those of `study_app.domain.interaction.features`, so that the export and the analysis cannot differ.
Counts are 0 where nothing happened and missing (None or NaN) where the source cannot tell: the imported transcripts
hold no replies, edits or runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.interaction.rows import records
from analysis.interaction.timeline import sessions
from study_app.domain.interaction.features import PATTERN_FEATURES, Known, features_of, task_counts
from study_app.domain.interaction.steps import UseStep

_LOGGED = {"edit", "run"}


def task_features(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per participant and task.

    Columns: participant_id, task, queries, one per label, generation_with_explanation, order (`G GE`),
    composing_seconds, waiting_seconds, turn_seconds_median, pastes, copies, edits_before_first_query, errors,
    errors_alone, errors_with_help, active_minutes, runs_between_query_and_submission.
    """
    found = sessions(tables)
    spent = _turn_seconds(tables.get("turns"))
    active = _active_minutes(tables.get("visits"))
    logged = _logs_edits(found)
    rows = []
    for who, steps in found.items():
        by_task: dict[str, list[UseStep]] = {}
        for step in steps:
            by_task.setdefault(str(step.task), []).append(step)
        for task, own in by_task.items():
            row = {"participant_id": who, "task": task} | task_counts(own, logged)
            row |= spent.get((who, task), {"composing_seconds": 0.0, "waiting_seconds": None})
            rows.append(row | {"active_minutes": active.get((who, task))})
    return pd.DataFrame(rows)


def participant_features(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per participant of `participants`, in its order: `PATTERN_FEATURES` beside participant_id."""
    found = sessions(tables)
    logged = _logs_edits(found)
    spent = _by_participant(tables.get("turns"))
    rows = [
        {"participant_id": person["participant_id"]}
        | features_of(found.get(str(person["participant_id"]), []), _known(person, spent), logged)
        for person in records(tables["participants"])
    ]
    return pd.DataFrame(rows, columns=["participant_id", *PATTERN_FEATURES])


def _logs_edits(found: Mapping[str, list[UseStep]]) -> bool:
    return any(step.action in _LOGGED for steps in found.values() for step in steps)


def _known(person: Mapping[str, Any], spent: Mapping[str, Mapping[str, float | None]]) -> Known:
    turns = spent.get(str(person["participant_id"]), {})
    pasted = turns.get("inserted_pasted_chars")
    return Known(
        composing_seconds=turns.get("composing_seconds") or 0.0,
        waiting_seconds=turns.get("total_seconds"),
        pasted_chars=_number(person.get("pasted_chars_assistant")) if pasted is None else pasted,
        retyped_chars=_number(person.get("retyped_assistant_chars")),
        active_minutes=_number(person.get("active_minutes")),
        task_minutes=_number(person.get("task_minutes")),
    )


def _by_participant(turns: pd.DataFrame | None) -> dict[str, dict[str, float | None]]:
    """Sums over each participant's turns of the values that are known; None where none is."""
    if turns is None or turns.empty:
        return {}
    names = [n for n in ("composing_seconds", "total_seconds", "inserted_pasted_chars") if n in turns]
    numbers = turns[names].apply(pd.to_numeric, errors="coerce")
    sums = numbers.groupby(turns["participant_id"].astype(str), sort=False).sum(min_count=1)
    return {str(who): {name: _number(row[name]) for name in names} for who, row in sums.iterrows()}


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


def _number(value: Any) -> float | None:
    number = pd.to_numeric(value, errors="coerce")
    return None if pd.isna(number) else float(number)
