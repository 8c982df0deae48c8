"""Names that the analysis reads of any table: in one collected elsewhere they hold what it reads, or are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

import pandas as pd

from study_app.domain.errors import Problem
from study_app.domain.records import Status

FLAGS = {
    "is_simulated": "who is simulated and stays out of the analysis",
    "is_preview": "who only tried the study and stays out of the analysis",
    "received": "who received what is compared",
    "compliant": "who kept to the protocol",
}
"""Column of ones and zeros -> what the analysis reads in it."""
STATUSES: tuple[str, ...] = get_args(Status)
_MOVING = tuple(status for status in STATUSES if status != "completed")
"""Statuses by which people leave an analysis, or count as gone."""


def own_name_problems(table: pd.DataFrame, columns: Mapping[str, str], file: str) -> list[Problem]:
    """Return the cells of a table from elsewhere in which the analysis would read what they do not say.

    A status counts only where the plan maps it; one with our words that it does not map is refused, for it may say who
    is to be left out, or something else.

    Args:
        table: with our names; its index counts rows as the file has them, row 2 as 0.
        columns: our column name -> theirs.
        file: the table as the user knows it.
    """
    return [
        problem
        for name in (*FLAGS, "status")
        if name in table
        for problem in (_status if name == "status" else _flag)(table[name], columns, file)
    ]


def _flag(cells: pd.Series, columns: Mapping[str, str], file: str) -> Iterator[Problem]:
    name = str(cells.name)
    wrong = cells.notna() & ~pd.to_numeric(cells, errors="coerce").isin([0, 1])
    remedy = f"the analysis reads in '{name}' {FLAGS[name]}: write 1 and 0, or give the column another name"
    yield from _named(cells[wrong], "is neither 1 nor 0", remedy, columns, file)


def _status(cells: pd.Series, columns: Mapping[str, str], file: str) -> Iterator[Problem]:
    if "status" in columns:
        wrong, what = cells[~cells.isin(STATUSES)], "is not a status"
        yield from _named(wrong, what, f"use one of {', '.join(STATUSES)}", columns, file)
        return
    said = 'who is left out by it, the plan decides: write [columns] status = "status", or give the column another name'
    yield from _named(cells[cells.isin(_MOVING)], "", said, columns, file)


def _named(wrong: pd.Series, what: str, remedy: str, columns: Mapping[str, str], file: str) -> Iterator[Problem]:
    if wrong.empty:
        return
    name, cell = str(wrong.name), wrong.iloc[0]
    shown = "an empty cell" if pd.isna(cell) else f"{cell:g}" if isinstance(cell, float) else repr(cell)
    more = f"({len(wrong) - 1} more like it)" if len(wrong) > 1 else ""
    key = f"row {int(wrong.index[0]) + 2}, column {columns.get(name, name)}"
    yield Problem(file, key, " ".join(part for part in (shown, what, more) if part), remedy)
