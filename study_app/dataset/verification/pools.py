"""A pool: each of its datasets by its own evidence, and its tables made from them once more."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from study_app.dataset.pooling.pool import SITES, pool
from study_app.dataset.pooling.sites import NAME
from study_app.dataset.reading.dataset import UntrustedDataset
from study_app.dataset.writing.files import sha256_of
from study_app.domain.errors import UserError


def sites_of(opened: UntrustedDataset) -> Iterator[tuple[str, Path]]:
    """Yield the datasets of a pool, each with its place in it; one that is not there is a breach."""
    entries = opened.manifest["pool"].get("sites") if isinstance(opened.manifest["pool"], dict) else None
    for entry in entries if isinstance(entries, list) else ():
        name = str(entry.get("site")) if isinstance(entry, dict) else ""
        folder = opened.path / SITES / name
        if NAME.fullmatch(name) and folder.is_dir():
            yield f"{SITES}/{name}", folder
        else:
            opened.report.add("file_missing", f"{SITES}/{name}", None, "the manifest names this site")


def check_pool(opened: UntrustedDataset) -> None:
    """Compare every file of the pool with what its sites give."""
    given = [f"{folder.name}={folder}" for _name, folder in sites_of(opened)]
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "pool"
        try:
            pool(given, made)
        except UserError as error:
            opened.report.add("table_unreadable", "", None, f"the sites cannot be pooled: {str(error).splitlines()[0]}")
            return
        # By their bytes: a pool is made of its sites alone, and the same way on every machine.
        for path in sorted((made / "data").iterdir()):
            name = f"data/{path.name}"
            own = opened.path / name
            if not own.is_file():
                opened.report.add("file_missing", name, None, "is not there, and the sites give it")
            elif sha256_of(own) != sha256_of(path):
                opened.report.add("file_altered", name, None, "is not what the sites give")
    opened.report.note(f"{len(given)} datasets, and the tables that they give")
