"""The cells of a table file as text: a row that does not have the header's cells is refused, never cut or filled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from study_app.dataset.border import limits
from study_app.dataset.border.holding import PER_CELL, HeldSize, held_rows
from study_app.dataset.border.parquet import batches
from study_app.dataset.schema.csv_rows import csv_rows, repeated, uneven
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.text_files import decode_text

_MOST_NAMED = 20
_UNEVEN = "give every row one cell for each column; a cell that holds a separator or a line break stands in quotes"


def read_cells(path: Path, mark: str = ",") -> pd.DataFrame:
    """Return the cells of a CSV file as text, or of a Parquet file as they are; empty ones missing.

    `mark` separates columns.

    Blank lines are skipped. Columns without a name and without a cell, which separators at the end of every line
    make, are left out. The index counts rows as the file has them: its first row of data, row 2, is 0.

    Raises:
        BeyondLimits: it holds more than is read of a table.
        UserError: the file cannot be read as a table.
        ProblemsFound: rows with more or fewer cells than the header, names that two columns have.
    """
    try:
        if path.suffix == ".parquet":
            _check_held(path)
            return pd.read_parquet(path)
        rows = list(held_rows(csv_rows(path, mark, "utf-8-sig"), path))
    except (ValueError, OSError) as error:
        if path.suffix != ".parquet" and path.is_file() and path.stat().st_size <= limits.LIMITS.text_bytes:
            decode_text(path.read_bytes(), str(path))  # says which encoding it has instead
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: cannot be read as a table ({reason}); export it again") from None
    held = [(number, cells) for number, cells in rows if cells]
    if not held:
        raise UserError(f"{path}: cannot be read as a table (it is empty); export it again")
    (first, header), body = held[0], held[1:]
    _check_shape(path.name, first, header, body)
    return _frame(header, body)


def _check_held(path: Path) -> None:
    """Refuse a Parquet file whose cells take more memory than there is, before any of them is kept."""
    held = HeldSize(path)
    for batch in batches(path):
        held.add(batch.nbytes + PER_CELL * batch.num_rows * batch.num_columns)


def _check_shape(file: str, first: int, header: Sequence[str], body: Iterable[tuple[int, Sequence[str]]]) -> None:
    problems = [
        Problem(file, f"row {first}", f"two columns are named '{name}'", "give each column a name that no other has")
        for name in repeated(header)
    ]
    wrong = [(number, found) for number, cells in body if (found := uneven(header, cells))]
    problems += [Problem(file, f"row {number}", found, _UNEVEN) for number, found in wrong[:_MOST_NAMED]]
    if len(wrong) > _MOST_NAMED:
        problems.append(Problem(file, "", f"has {len(wrong) - _MOST_NAMED} more rows like these", _UNEVEN))
    if problems:
        raise ProblemsFound(problems)


def _frame(header: Sequence[str], body: Sequence[tuple[int, Sequence[str]]]) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    index = pd.Index([number - 2 for number, _ in body])
    for place, name in enumerate(header):
        column = pd.Series([cells[place] or None for _, cells in body], index, dtype="str")
        if name or column.notna().any():
            columns[name or f"column {place + 1}"] = column
    return pd.DataFrame(columns, index=index)
