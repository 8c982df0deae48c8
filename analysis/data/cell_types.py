"""What the columns of a dataset hold, by the schema that the exporter writes by; cells that do not are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study_app.dataset.border.folders import text_in
from study_app.dataset.disclosure.coarsening import recoded_levels
from study_app.dataset.schema import (
    CLUSTER,
    MODEL_TABLES,
    PERIODS,
    SESSIONS,
    STATIC_TABLES,
    Column,
    participants_table,
    quiz_types,
)
from study_app.dataset.schema.cells import parsed_json, unguard
from study_app.dataset.schema.columns import IMPORTED, ColumnType
from study_app.dataset.schema.participants import question_columns
from study_app.dataset.schema.tables import AGENT_ACTIONS, AGENT_TURN_COLUMNS
from study_app.dataset.schema.versions import read_version
from study_app.domain.errors import Problem
from study_app.domain.quiz.items import ItemType
from study_app.domain.study.quiz_roles import MAIN
from study_app.domain.study.study import Question, Study

_KINDS: dict[ColumnType, str] = {
    "integer": "a number",
    "number": "a number",
    "boolean": "a number",
    "text": "a text",
    "time": "a moment such as 2026-01-31T09:30:00.000Z",
    "json": "a JSON value",
}
Types = Mapping[str, Mapping[str, Column]]
"""Table -> column -> what it holds."""
_MOST_NAMED = 20
Mask = NDArray[np.bool_]


def dataset_types(path: Path, manifest: Mapping[str, Any], newest: Study | None, raw: Mapping[str, Any]) -> Types:
    """Return the columns of an export by table: those of every version of its study; of an import the fixed ones.

    Args:
        path: the dataset.
        manifest: as read.
        newest: the study file as types, or None.
        raw: the study file as read; where it is not a whole study, its questions still say what their columns hold.
    """
    studies = _versions(path, manifest) or ([newest] if newest is not None else [])
    prefixes = {MAIN, *quiz_types(studies, lambda folder: None)}
    every = participants_table(studies, {prefix: get_args(ItemType) for prefix in prefixes}, acts=True).columns
    people = {column.name: column for column in (*every, CLUSTER)}
    people |= {} if studies else {column.name: column for column in _asked(raw)}
    for name in _changed(studies):
        people[name] = Column(name, people[name].type, people[name].caption)
    for name, levels in recoded_levels(manifest).items():
        people |= {name: replace(people[name], levels=levels)} if name in people else {}
    tables: dict[str, Mapping[str, Column]] = {"participants": people}
    if manifest.get("allocation") == IMPORTED:
        # An import has its own layout: its events have names and not numbers.
        return tables
    for table in (*STATIC_TABLES, PERIODS, SESSIONS, AGENT_ACTIONS, *MODEL_TABLES):
        tables[table.name] = {column.name: column for column in table.columns}
    tables["turns"] = {**tables["turns"], **{column.name: column for column in AGENT_TURN_COLUMNS}}
    return tables


def _versions(path: Path, manifest: Mapping[str, Any]) -> list[Study]:
    entries = manifest.get("versions")
    found = []
    for entry in reversed(entries) if isinstance(entries, list) else ():
        try:
            found.append(read_version(text_in(path, entry["file"])))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def objects_in(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a list that was read from a file; none where it holds something else."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _asked(raw: Mapping[str, Any]) -> Iterator[Column]:
    """Columns of the questions of a study file as read."""
    for entry in (entry for stage in objects_in(raw.get("stages")) for entry in objects_in(stage.get("questions"))):
        try:
            yield from question_columns([Question.model_validate(entry)])
        except ValueError:
            continue


def _changed(studies: Sequence[Study]) -> set[str]:
    """Questions whose answers changed from one version to another, so that no one list of levels holds."""
    seen: dict[str, Column] = {}
    changed = set()
    for study in studies:
        for column in participants_table([study], {}).columns:
            if seen.setdefault(column.name, column) != column:
                changed.add(column.name)
    return changed


def typed(cells: pd.Series, column: Column, file: str, problems: list[Problem]) -> pd.Series:
    """Return a column as its schema has it, the same from CSV and from Parquet.

    Numbers are float64 (yes and no 1 and 0), moments times in UTC, JSON objects, text as people wrote it, without the
    mark that protects spreadsheets; missing cells are missing.

    Args:
        cells: as read, by `read_cells`; missing where the cell is empty.
        column: what it must hold.
        file: for the messages; its first row of data is row 2.
        problems: takes what is wrong, by row and column.
    """
    known = cells.notna().to_numpy()
    if column.type == "time":
        return _times(cells, known, column, file, problems)
    if column.type == "json":
        return _objects(cells, known, column, file, problems)
    if not column.numeric:
        return _texts(cells, known, column, file, problems)
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    values = numbers.to_numpy()
    bad = known & ~np.isfinite(values)
    _name(cells, bad, column, file, problems)
    if not bad.any():
        _name(cells, known & ~_allowed(values, column), column, file, problems)
    return numbers


# Datasets have hundreds of narrow columns, so that arrays are used where a series would cost more than its cells.


def _texts(cells: pd.Series, known: Mask, column: Column, file: str, problems: list[Problem]) -> pd.Series:
    guarded = file.endswith(".csv")
    found = [
        (unguard(cell) if guarded else cell) if has else None
        for cell, has in zip(cells.astype(object).array, known.tolist(), strict=True)
    ]
    text = pd.Series(found, index=cells.index, dtype=object)
    if column.levels:
        _name(text, known & ~text.isin(column.levels).to_numpy(), column, file, problems)
    return text


def _times(cells: pd.Series, known: Mask, column: Column, file: str, problems: list[Problem]) -> pd.Series:
    if not known.any():
        # An unnamed column of Parquet without a single value has no type at all.
        return pd.Series(pd.NaT, index=cells.index, dtype="datetime64[ms, UTC]")
    moments = pd.to_datetime(cells.astype(object).where(known, None), utc=True, format="ISO8601", errors="coerce")
    _name(cells, known & moments.isna().to_numpy(), column, file, problems)
    return moments.astype("datetime64[ms, UTC]")


def _objects(cells: pd.Series, known: Mask, column: Column, file: str, problems: list[Problem]) -> pd.Series:
    # Lists, for setting cells of a column one by one takes as long as reading the whole file.
    bad = np.zeros(len(cells), dtype=bool)
    parsed: list[Any] = [None] * len(cells)
    for place, (cell, has) in enumerate(zip(cells.array, known.tolist(), strict=True)):
        if has:
            try:
                parsed[place] = parsed_json(cell)
            except (ValueError, TypeError):
                bad[place] = True
    _name(cells, bad, column, file, problems)
    return pd.Series(parsed, index=cells.index, dtype=object)


def _allowed(numbers: NDArray[np.floating[Any]], column: Column) -> Mask:
    if column.levels:
        return np.isin(numbers, [float(level) for level in column.levels])
    if column.type == "boolean":
        return np.isin(numbers, [0.0, 1.0])
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    inside: Mask = (numbers >= low) & (numbers <= high)
    return inside


def _name(cells: pd.Series, bad: Mask, column: Column, file: str, problems: list[Problem]) -> None:
    rows = np.flatnonzero(bad)
    if not len(rows):
        return
    cell = cells.iloc[int(rows[0])]
    shown = f"{cell:g}" if isinstance(cell, float) else repr(cell)
    allowed = f"one of {column.range}" if column.levels or column.type == "boolean" else column.range
    wanted = f"{_KINDS[column.type]} ({allowed})" if allowed else _KINDS[column.type]
    wanted = allowed if column.type == "text" else wanted
    more = f" ({len(rows) - 1} more like it)" if len(rows) > 1 else ""
    key = f"row {int(cells.index[rows[0]]) + 2}, column {column.name}"
    if len(problems) < _MOST_NAMED:
        problems.append(Problem(file, key, f"{shown} is not {wanted}{more}", "correct the cell, or export again"))
