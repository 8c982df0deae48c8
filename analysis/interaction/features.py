"""What participants did with the assistant, as a table.

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
from study_app.domain.interaction.features import PATTERN_FEATURES, Known, features_of
from study_app.domain.interaction.steps import UseStep

_LOGGED = {"edit", "run"}


def participant_features(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per participant of `participants`, in its order: `PATTERN_FEATURES` beside participant_id."""
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
    """Return sums over each participant's turns of the values that are known; None where none is."""
    if turns is None or turns.empty:
        return {}
    names = [n for n in ("composing_seconds", "total_seconds", "inserted_pasted_chars") if n in turns]
    numbers = turns[names].apply(pd.to_numeric, errors="coerce")
    sums = numbers.groupby(turns["participant_id"].astype(str), sort=False).sum(min_count=1)
    return {str(who): {name: _number(row[name]) for name in names} for who, row in sums.iterrows()}


def _number(value: Any) -> float | None:
    number = pd.to_numeric(value, errors="coerce")
    return None if pd.isna(number) else float(number)
