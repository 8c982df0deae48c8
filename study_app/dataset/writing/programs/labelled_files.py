"""Tables as SPSS (.sav) and Stata (.dta) read them: numbers, moments and texts, with labels of columns and values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from study_app.dataset.schema import Column, TableSchema
from study_app.dataset.writing.copied_rows import LongCells, Values, in_parts, read_rows

MOST_ROWS = 100_000
"""Rows of one file, which is made in memory; what follows stands in a further file."""


@dataclass(frozen=True)
class Limits:
    """What a program can hold."""

    cell: int
    """Bytes of a text: SPSS gives every cell of a column the width of its longest."""
    name: int
    label: int
    """Bytes of what a column is."""
    value_label: int
    reserved: frozenset[str]
    """Names that no column may have, in lower case."""


LIMITS: Mapping[str, Limits] = {
    "sav": Limits(2_000, 64, 256, 120, frozenset("all and by eq ge gt le lt ne not or to with".split())),
    "dta": Limits(
        32_000,
        32,
        80,
        32_000,
        frozenset(
            "aggregate array boolean break byte case catch class colvector complex const continue default delegate "
            "delete do double else eltypedef end enum explicit export external float for friend function global goto "
            "if in inline int local long namespace new null numeric operator pointer polymorphic pragma private "
            "protected public quad real rowvector scalar short signed static string struct super switch template "
            "this throw transmorphic try typedef typename unsigned using vector version virtual void while with".split()
        ),
    ),
}


def names_for(names: Sequence[str], limits: Limits) -> dict[str, str]:
    """Return each column's name as the program can have it: no two alike, whatever their case."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        plain = plain if plain[:1].isalpha() else f"v{plain}"
        if plain.lower() in limits.reserved or re.fullmatch(r"str\d+|strL", plain):
            plain += "_"
        shown, number = plain[: limits.name], 1
        while shown.lower() in taken:
            number += 1
            shown = f"{plain[: limits.name - len(str(number)) - 1]}_{number}"
        taken.add(shown.lower())
        found[name] = shown
    return found


def write_labelled(
    folder: Path, tables: Sequence[tuple[TableSchema, Path]], fmt: Literal["sav", "dta"]
) -> Mapping[str, Mapping[str, str]]:
    """Write each table beside its CSV file; arguments and result as `write_copies`."""
    limits = LIMITS[fmt]
    long_cells = LongCells(folder, limits.cell, wide=False, strips=True)
    renamed: dict[str, Mapping[str, str]] = {}
    for table, path in tables:
        names = names_for(table.names, limits)
        for part, rows in in_parts(read_rows(path, table, long_cells), MOST_ROWS):
            ending = f".{fmt}" if part == 1 else f"_part-{part}.{fmt}"
            _write(path.with_name(path.stem + ending), table, rows, names, fmt)
        if changed := {name: shown for name, shown in names.items() if name != shown}:
            renamed[table.name] = changed
    return renamed


def _write(
    path: Path, table: TableSchema, rows: Sequence[Values], names: Mapping[str, str], fmt: Literal["sav", "dta"]
) -> None:
    import pandas as pd
    import pyreadstat

    limits = LIMITS[fmt]
    frame = pd.DataFrame({names[c.name]: _column(c, [row[c.name] for row in rows]) for c in table.columns})
    given: dict[str, Any] = {
        "file_label": _shortened(table.caption, 64),
        "column_labels": {names[c.name]: _shortened(c.caption, limits.label) for c in table.columns},
        "variable_value_labels": {
            names[c.name]: labels for c in table.columns if (labels := _labels(c, limits, texts=fmt == "sav"))
        },
    }
    if fmt == "dta":
        pyreadstat.write_dta(frame, str(path), **given)
        _without_time(path, fmt)
        return
    moments = {names[c.name]: "DATETIME23.3" for c in table.columns if c.type == "time"}
    kinds = {"number": "scale", "time": "scale"}
    measures = {names[c.name]: kinds.get(c.type, "nominal") for c in table.columns if not _counts(c)}
    pyreadstat.write_sav(
        frame, str(path), row_compress=True, variable_format=moments, variable_measure=measures, **given
    )
    _without_time(path, fmt)


def _without_time(path: Path, fmt: str) -> None:
    """Put a fixed date in the place of the moment of writing, so that equal tables are equal files."""
    with path.open("r+b") as handle:
        head = handle.read(512)
        mark = b"<timestamp>"
        # SPSS: day and time follow 92 bytes of the header; Stata: after a mark and the length of the text.
        place, date = (92, b"01 Jan 8000:00:00") if fmt == "sav" else (head.find(mark) + len(mark) + 1, _STATA_DATE)
        handle.seek(place)
        handle.write(date)


_STATA_DATE = b"01 Jan 1980 00:00"


def _counts(column: Column) -> bool:
    return column.type == "integer" and not column.levels


def _column(column: Column, values: list[Any]) -> Any:
    import pandas as pd

    if column.numeric:
        return pd.Series(values, dtype="float64")
    if column.type == "time":
        # Neither program knows of time zones; every moment of a dataset is in UTC.
        moments = [None if value is None else value.replace(tzinfo=None) for value in values]
        return pd.Series(moments, dtype="datetime64[ms]")
    return pd.Series(["" if value is None else value for value in values], dtype="object")


def _labels(column: Column, limits: Limits, *, texts: bool) -> dict[Any, str]:
    """Return what values mean; of texts only where the program has labels for them."""
    if column.type == "boolean":
        return {0: "no", 1: "yes"}
    if column.type in ("integer", "number"):
        return {int(value): _shortened(label, limits.value_label) for value, label in column.meanings if _whole(value)}
    if column.type == "text" and texts:
        return {value: _shortened(label, limits.value_label) for value, label in column.labels}
    return {}


def _whole(value: str) -> bool:
    return re.fullmatch(r"-?\d+", value) is not None


def _shortened(text: str, most: int) -> str:
    """Return a label of at most so many bytes; the codebook has the whole of it."""
    plain = " ".join(text.split())
    raw = plain.encode()
    return plain if len(raw) <= most else raw[: most - 3].decode(errors="ignore").rstrip() + "..."
