"""The codebook as a document for people."""

from __future__ import annotations

from collections.abc import Sequence

from study_app.dataset.schema.columns import Column, TableSchema
from study_app.dataset.schema.tables import EVENTS
from study_app.domain.events.reference import event_tables


def codebook(tables: Sequence[TableSchema], introduction: str) -> str:
    """Markdown: every column of every table with type, unit, range and caption."""
    parts = ["# Codebook", introduction]
    for table in tables:
        parts += [f"## {table.name}", f"{table.caption}.", _rows(table)]
    if EVENTS.name in (table.name for table in tables):
        parts += ["## Payloads of events", "Keys of `events.payload` by `events.kind`.", event_tables(level=3)]
    return "\n\n".join(parts) + "\n"


def _rows(table: TableSchema) -> str:
    lines = ["| column | type | unit | values | meaning |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_column_line(column) for column in table.columns)])


def _column_line(column: Column) -> str:
    cells = (f"`{column.name}`", column.type, column.unit, _values(column), column.caption)
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _values(column: Column) -> str:
    """Return the range, and what its values mean where they have labels."""
    labelled = "; ".join(f"{value} = {label}" for value, label in column.labels)
    if not labelled:
        return column.range
    # Levels are among the labels; of a scale the labels name its ends only.
    return labelled if column.levels else f"{column.range} ({labelled})" if column.range else labelled


def _plain(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")
