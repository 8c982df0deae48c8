"""The tables once more for spreadsheets, SPSS and Stata, beside the CSV files that remain what a dataset consists of.

No cell is cut: one that a program cannot hold stands in a text file, and the program's cell names that file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from study_app.dataset.schema import TableSchema
from study_app.dataset.writing.files import CopyFormat
from study_app.dataset.writing.programs.labelled_files import write_labelled
from study_app.dataset.writing.programs.spreadsheet import write_workbook


def write_copies(
    folder: Path, study_id: str, tables: Sequence[tuple[TableSchema, Path]], fmt: CopyFormat
) -> Mapping[str, Mapping[str, str]]:
    """Write every table in a further format.

    Args:
        folder: of the dataset.
        study_id: for the names of the files.
        tables: each table with its CSV file.
        fmt: the format.

    Returns:
        Table -> column -> its name in the copy, where that is another.
    """
    if fmt == "xlsx":
        write_workbook(folder, study_id, tables)
        return {}
    return write_labelled(folder, tables, fmt)
