"""One table collected elsewhere, with a plan that says what its columns mean."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.data.cells import read_cells
from analysis.data.dataset import Dataset, DeclaredArm, StudyMeta, Tables, by_content, check_participants
from analysis.data.own_names import own_name_problems
from analysis.data.plain_cells import MISSING, with_points, without_marks
from study_app.dataset.border import limits
from study_app.domain.errors import Problem, ProblemsFound, UserError

_TEXT = ("arm", "participant_id", "stratum", "site")
OF_GROUPS = ("stratum", "site")
"""Our columns of which every word is a label where the plan maps them: a group may be called NA."""


def load_plain(path: Path, columns: Mapping[str, str], labels: Mapping[str, Collection[str]]) -> Dataset:
    """Open a CSV or Parquet table; no column name is reserved before the plan has named it.

    Args:
        path: the table.
        columns: our column name -> theirs.
        labels: our column name -> words that are labels in it, and not marks of missing values.

    Raises:
        UserError: it cannot be read, or no row names an arm.
        ProblemsFound: columns that the plan names are missing, ids come twice, rows do not have the header's cells, or
            a name that the analysis reads holds something else.
    """
    kept = {columns.get(name, name): words for name, words in labels.items()}
    kept |= {columns[name]: MISSING for name in OF_GROUPS if name in columns}
    raw, warnings = _delimited(path, kept)
    _check_mapping(raw, columns, path.name)
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
    _check_blanks(names, columns.get("arm", "arm"), path.name)
    if not names:
        raise UserError(f"{path}: no row names an arm; give a table with one row for each person and their arm")
    study = StudyMeta(id=path.stem, title=path.stem, arms=tuple(DeclaredArm(name) for name in sorted(names)))
    tables = Tables({}, {"participants": table})
    return Dataset(path, tables, study, digest, warnings=tuple(warnings), plain=True)


def _check_blanks(names: Iterable[str], column: str, file: str) -> None:
    """Refuse arms that blanks alone tell apart: they look the same wherever they are shown.

    Raises:
        ProblemsFound: all of them.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(" ".join(name.split()), []).append(name)
    problems = [
        Problem(file, f"column {column}", f"{', '.join(map(repr, several))} differ in blanks alone", "write them alike")
        for several in found.values() if len(several) > 1
    ]  # fmt: skip
    if problems:
        raise ProblemsFound(problems)


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


def _delimited(path: Path, kept: Mapping[str, Collection[str]]) -> tuple[pd.DataFrame, list[str]]:
    """Return the cells, and a sentence where semicolons, tabs or bars separate the columns instead of commas.

    Marks of missing values are taken as missing; another sentence says where.
    """
    mark = "," if path.suffix == ".parquet" else _mark(path)
    found, marks = without_marks(read_cells(path, mark), path.name, kept)
    if mark == ",":
        return found, marks
    name = {";": "semicolons", "\t": "tabs", "|": "bars"}[mark]
    found, commas = with_points(found)
    name += f", with commas for decimal points in {', '.join(commas)}" if commas else ""
    return found, [f"{path.name}: read as separated by {name}", *marks]


def _mark(path: Path) -> str:
    """Return what separates the names in the first line most often; a comma where nothing does.

    Raises:
        UserError: the first line is one that Excel reads as the separator's name.
    """
    try:
        with path.open(encoding="utf-8-sig") as lines:
            first = lines.readline(limits.LIMITS.row)
    except (OSError, UnicodeDecodeError):
        return ","  # reading the cells says what is wrong
    if re.fullmatch(r'"?sep=.?"?\s*', first):
        raise UserError(f"{path}: row 1 names the separator, as Excel has it; delete that line")
    # What stands in quotes is part of a name.
    return max(",;\t|", key=re.sub(r'"[^"]*"', "", first).count)


def _remedy(raw: pd.DataFrame) -> str:
    return f"use one of: {', '.join(map(str, raw.columns))}"


def _defaults(rows: int) -> dict[str, Any]:
    return {
        "participant_id": [str(number + 1) for number in range(rows)],
        "status": "completed",
        "is_simulated": 0.0,
        "is_preview": 0.0,
    }


def label(value: Any) -> str:
    """Return a value as a label: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
