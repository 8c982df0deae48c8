"""How much of a dataset is read: every limit, and the one error that says which of them a file goes beyond."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.domain.errors import Problem, ProblemsFound

REMEDY = "no export of a trial is so large: have it exported again"


@dataclass(frozen=True)
class DatasetLimits:
    """The most that is read; each many times what a large trial has."""

    files: int = 100_000
    """In the folder of a dataset, with its folders."""
    table_bytes: int = 4_000_000_000
    """Of a table: on disk, unpacked by its own metadata, and as text after decoding."""
    text_bytes: int = 64_000_000
    """Of any other file that is read whole, such as the manifest."""
    held_bytes: int | None = None
    """Of a table that is held whole, as it lies in memory; None: half of what this process may have."""
    rows: int = 50_000_000
    """Of a table."""
    columns: int = 5_000
    """Of a table."""
    cell: int = 4_000_000
    """Characters of a cell in CSV, bytes of one in Parquet."""
    row: int = 32_000_000
    """Characters of a row of CSV, which may span lines."""
    page_bytes: int = 128_000_000
    """Of a page of Parquet, unpacked: the least that its reader unpacks at once."""
    pages: int = 1_000_000
    """Of a Parquet file."""
    footer_bytes: int = 32_000_000
    """Of what a Parquet file says of itself."""
    project_bytes: int = 100_000_000
    """Of all that is read of a coding project, unpacked."""
    project_files: int = 20_000
    """In the archive of a coding project."""
    elements: int = 2_000_000
    """Of the XML of a coding project, attributes among them."""
    token_bytes: int = 2_000_000
    """Of one tag of it, with its attributes."""
    coders: int = 200
    """Of a coding project."""


LIMITS = DatasetLimits()
"""Those in force."""


class BeyondLimits(ProblemsFound):
    """A file holds more than is read of one; nothing of it was taken."""


def beyond(file: object, found: float | str, unit: str, limit: float, key: str = "") -> BeyondLimits:
    """Return the error of a file that goes beyond a limit.

    Args:
        file: as a person knows it.
        found: how much; a text where it is not known to the end.
        unit: of both numbers.
        limit: the most that is read.
        key: where in the file.
    """
    shown = found if isinstance(found, str) else f"{found:,}"
    return BeyondLimits([Problem(str(file), key, f"holds {shown} {unit}, and the limit is {limit:,}", REMEDY)])
