"""One table collected elsewhere, with a plan that says what its columns mean."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.data.cells import read_cells
from analysis.data.dataset import Dataset, DeclaredArm, StudyMeta, Tables, by_content, check_participants
from analysis.data.own_names import own_name_problems
from study_app.dataset.border import limits
from study_app.domain.errors import Problem, ProblemsFound, UserError

MISSING = ("NA", "NaN", "nan", "N/A", ".")
"""What other programs write where a value is missing."""
_TEXT = ("arm", "participant_id", "stratum")


def load_plain(path: Path, columns: Mapping[str, str]) -> Dataset:
    """Open a CSV or Parquet table; no column name is reserved before the plan has named it.

    Args:
        path: the table.
        columns: our column name -> theirs.

    Raises:
        UserError: it cannot be read, or no row names an arm.
        ProblemsFound: columns that the plan names are missing, ids come twice, rows do not have the header's cells, or
            a name that the analysis reads holds something else.
    """
    raw, warnings = _delimited(path)
    _check_mapping(raw, columns, path.name)
    raw, marks = _without_marks(raw, path.name)
    warnings += marks
    table = pd.DataFrame({str(name): by_content(raw[name]) for name in raw.columns}, index=raw.index)
    table = table.drop(columns=list({*columns.values()} - {*columns})).assign(
        **{ours: table[theirs] for ours, theirs in columns.items()}
    )
    for name in _TEXT:
        if name in table:
            table[name] = pd.Series([None if pd.isna(v) else label(v) for v in table[name]], table.index, dtype=object)
    if wrong := own_name_problems(table, columns, path.name):
        raise ProblemsFound(wrong)
    for name, value in _defaults(len(table)).items():
        if name not in table:
            table[name] = value
    check_participants(table, path.name, ("arm",))
    table = table.reset_index(drop=True)
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    names = dict.fromkeys(table["arm"].dropna())
    if not names:
        raise UserError(f"{path}: no row names an arm; give a table with one row for each person and their arm")
    study = StudyMeta(id=path.stem, title=path.stem, arms=tuple(DeclaredArm(name) for name in sorted(names)))
    tables = Tables({}, {"participants": table})
    return Dataset(path, tables, study, digest, warnings=tuple(warnings), plain=True)


def _check_mapping(raw: pd.DataFrame, columns: Mapping[str, str], file: str) -> None:
    """Refuse names that the table does not have, and columns whose name the plan gives to another.

    Raises:
        ProblemsFound: all of it at once.
    """
    problems = []
    for ours, theirs in columns.items():
        if theirs not in raw.columns:
            problems.append(Problem(file, f"column {theirs}", "there is no such column", _remedy(raw)))
        elif ours in raw.columns and ours != theirs and ours not in columns.values():
            what = f"the plan takes the column '{theirs}' as {ours}, and this column has that name already"
            problems.append(Problem(file, f"column {ours}", what, "give one of the two another name"))
    if problems:
        raise ProblemsFound(problems)


def _delimited(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the cells, and a sentence where semicolons, tabs or bars separate the columns instead of commas."""
    mark = "," if path.suffix == ".parquet" else _mark(path)
    found = read_cells(path, mark)
    if mark == ",":
        return found, []
    name = {";": "semicolons", "\t": "tabs", "|": "bars"}[mark]
    commas = [column for column in found if _decimal_commas(found[[column]])]
    for column in commas:
        found[column] = found[column].str.replace(",", ".")
    name += f", with commas for decimal points in {', '.join(map(str, commas))}" if commas else ""
    return found, [f"{path.name}: read as separated by {name}"]


def _mark(path: Path) -> str:
    """Return what separates the names in the first line most often; a comma where nothing does."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            first = lines.readline(limits.LIMITS.row)
    except (OSError, UnicodeDecodeError):
        return ","  # reading the cells says what is wrong
    return max(",;\t|", key=first.count)


def _decimal_commas(cells: pd.DataFrame) -> bool:
    """Return whether a column holds numbers such as 3,5 and nothing else."""
    return any(
        column.dropna().str.fullmatch(r"-?\d+(,\d+)?").all() and column.str.contains(",", na=False).any()
        for _, column in cells.items()
    )


def _remedy(raw: pd.DataFrame) -> str:
    return f"use one of: {', '.join(map(str, raw.columns))}"


def _defaults(rows: int) -> dict[str, Any]:
    return {
        "participant_id": [str(number + 1) for number in range(rows)],
        "status": "completed",
        "is_simulated": 0.0,
        "is_preview": 0.0,
    }


def _without_marks(raw: pd.DataFrame, file: str) -> tuple[pd.DataFrame, list[str]]:
    """Return the cells with marks of missing values taken as missing, and a sentence that says where."""
    counts = {}
    cleaned = raw.copy()
    for name in raw.columns:
        marked = raw[name].isin(MISSING)
        # A lone point is a mark among numbers only.
        if not marked.any() or (raw[name].eq(".").any() and not _numbers(raw[name][~marked])):
            continue
        cleaned[name] = raw[name].where(~marked, None)
        counts[str(name)] = int(marked.sum())
    if not counts:
        return cleaned, []
    listed = ", ".join(f"{name} ({count})" for name, count in counts.items())
    return cleaned, [f"{file}: cells that say NA, NaN, N/A or a point are taken as missing: {listed}"]


def _numbers(cells: pd.Series) -> bool:
    known = cells.dropna()
    return bool(pd.to_numeric(known, errors="coerce").notna().all())


def label(value: Any) -> str:
    """Return a value as a label: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
