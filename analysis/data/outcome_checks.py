"""Cells that an outcome cannot be made of: refused by row and column, never dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Outcome, Plan

_REMEDY = "write numbers with a decimal point, and leave the cell empty where the value is missing"


def cell_problems(plan: Plan, table: pd.DataFrame, file: str) -> list[Problem]:
    """Text, infinities, negative times and events other than 0/1 in the columns of the plan's outcomes.

    Args:
        plan: its outcomes, and their names in the user's own table.
        table: the participants.
        file: the table as the user knows it, for the messages; its first row of data is row 2.
    """
    found: list[Problem] = []
    for outcome in plan.outcomes:
        for column, wrong, what, remedy in _checks(outcome, table):
            if wrong.any():
                place = int(wrong.to_numpy().argmax())
                more = int(wrong.sum()) - 1
                key = f"row {place + 2}, column {plan.columns.get(column, column)}"
                cell = table[column].iloc[place]
                shown = f"{cell:g}" if isinstance(cell, float) else repr(cell)
                found.append(
                    Problem(file, key, f"{shown} {what}" + (f" ({more} more like it)" if more else ""), remedy)
                )
    return list(dict.fromkeys(found))


def _checks(outcome: Outcome, table: pd.DataFrame) -> Iterator[tuple[str, pd.Series, str, str]]:
    for column in (outcome.name, outcome.upper_column):
        if column not in table:
            continue
        numbers = pd.to_numeric(table[column], errors="coerce")
        yield column, table[column].notna() & numbers.isna(), "is not a number", _REMEDY
        yield column, numbers.isin([np.inf, -np.inf]), "is not finite", _REMEDY
        if outcome.kind == "time":
            yield column, numbers < 0, "is a time below zero", "correct it, or leave the cell empty"
    if outcome.event in table:
        flags = pd.to_numeric(table[outcome.event], errors="coerce")
        wrong = table[outcome.event].notna() & ~flags.isin([0, 1])
        yield outcome.event, wrong, "says neither yes nor no", "code 1 = the event was seen, 0 = it was not"
