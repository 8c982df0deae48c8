"""Rows of a derived table beside the rows that are due, column by column: the comparison that every table shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import Column, TableName, cell

TOLERANCE = 1e-9
TOLERANCE_OF_TIME = 0.01
"""Browsers' clocks are exported to the millisecond only."""
_MOST = 300
"""Characters of a sentence: a cell of a forged table may hold any text."""


def same(column: Column, found: Any, due: Any) -> bool:
    """Return whether a cell holds what it must, numbers up to rounding."""
    if found is None or due is None:
        return found is None and due is None
    if column.numeric:
        try:
            return close(found, float(due), TOLERANCE_OF_TIME if column.derived_by == "clocks" else TOLERANCE)
        # A forged cell may hold anything.
        except (TypeError, ValueError):
            return False
    return cell(column, found) == cell(column, due)


def same_cell(column: Column, found: Any, due: Any) -> bool:
    """Return whether a value is written as what is due; missing and empty text are written alike."""
    return cell(column, found) == cell(column, due)


def close(found: float | None, due: float | None, tolerance: float) -> bool:
    """Return whether two numbers agree, in absolute terms or relative to the one that is due; or both are missing."""
    if found is None or due is None:
        return found is None and due is None
    # Relative for large numbers: a float has some 16 digits, and a million has nine of them behind the point.
    return abs(found - due) <= max(tolerance, abs(due) * TOLERANCE)


def compare_rows(
    opened: UntrustedDataset,
    table: TableName,
    rows: Sequence[UntrustedRow],
    due: Sequence[Mapping[str, Any]],
    *,
    columns: Iterable[Column],
    finding: str,
    sentence: Callable[[str, Any, Any], str],
    number: str | None = None,
    agree: Callable[[Column, Any, Any], bool] = same_cell,
) -> None:
    """Report each cell that differs from what is due, and another number of rows.

    Args:
        opened: the dataset.
        table: whose rows they are.
        rows: one participant's.
        due: what these rows have to be, in their order.
        columns: the ones to compare.
        finding: name of what is reported.
        sentence: says it of a cell, by its column, what was found and what is due.
        number: says that there are more rows or fewer; None where the caller does.
        agree: whether a cell holds what it must.
    """
    file, compared = opened.relative(table), tuple(columns)
    if number is not None and len(rows) != len(due):
        opened.report.add(finding, file, rows[0].number if rows else None, number)
    # Another number of rows is said above; those that are there are compared all the same.
    for row, expected in zip(rows, due, strict=False):
        for column in compared:
            found, given = row[column.name], expected.get(column.name)
            if not agree(column, found, given):
                opened.report.add(finding, file, row.number, sentence(column.name, found, given)[:_MOST])


def beside_cluster(columns: Iterable[Column]) -> list[Column]:
    """Return the columns but for the participant's cluster, which another check compares over all tables."""
    return [column for column in columns if column.name != "cluster_id"]


def by_log(column: str, found: Any, due: Any) -> str:
    """Return the sentence of a cell that the log contradicts."""
    return f"{column} is {found!r}, the log says {due!r}"
