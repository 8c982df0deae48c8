"""The folder of a dataset before anything in it is read: its size, and texts that lie in it and nowhere else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from study_app.dataset.border import limits
from study_app.dataset.border.limits import beyond
from study_app.dataset.border.parquet import check_parquet


def check_folder(folder: Path) -> None:
    """Refuse a dataset that holds more than is read of one; a table that cannot be read at all is left to its reader.

    Raises:
        BeyondLimits: a file, or the folder as a whole, is too large.
    """
    most = limits.LIMITS.files
    if sum(1 for _ in islice(entries_in(folder), most + 1)) > most:
        raise beyond(folder, f"more than {most:,}", "files", most)
    for path in sorted((folder / "data").glob("*_data.*")):
        if path.is_file():
            check_table(path)


def entries_in(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what lies in a folder, in any order; links are not followed."""
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    yield entry
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue


def check_table(path: Path) -> None:
    """Refuse a table that is too large, by its size and by what its own metadata say; no cell of it is decoded.

    Raises:
        BeyondLimits: it is.
    """
    size = path.stat().st_size
    if size > limits.LIMITS.table_bytes:
        raise beyond(path, size, "bytes", limits.LIMITS.table_bytes)
    if path.suffix == ".parquet":
        check_parquet(path)


def bounded_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        BeyondLimits: it is too large.
        OSError: it cannot be read, or is a pipe or a device, which may never end.
        ValueError: it is not UTF-8.
    """
    return bounded_bytes(path).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def bounded_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        BeyondLimits: it is too large.
        OSError: it cannot be read, or is a pipe or a device, which may never end.
    """
    # A pipe without a writer would be waited for.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(f"{path}: is not a file")
        # One byte more than is allowed shows that there is more; the size that the disk states may change meanwhile.
        content = file.read(limits.LIMITS.text_bytes + 1)
    if len(content) > limits.LIMITS.text_bytes:
        raise beyond(path, max(path.stat().st_size, len(content)), "bytes", limits.LIMITS.text_bytes)
    return content


def text_in(folder: Path, name: object) -> str:
    """Return the text of a file that a dataset names and must hold itself.

    Raises:
        BeyondLimits: it is too large.
        OSError: it cannot be read, or lies outside the folder.
        ValueError: it is not UTF-8, or the name cannot be a path.
    """
    path = folder / str(name)
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except RuntimeError:  # links in a circle
        inside = False
    if not inside:
        raise OSError(f"{name}: is outside the dataset")
    return bounded_text(path)
