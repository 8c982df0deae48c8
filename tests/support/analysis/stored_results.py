"""A stored dataset and the results that it must give at every commit.

A change of a figure that is meant: `python tests/support/analysis/stored_results.py`, and a line in CHANGELOG.md that
says which figure changed and why.
"""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

from analysis.cli import results_text
from analysis.data.load import load
from analysis.pipeline.analyse import analyse

HERE = Path(__file__).parents[2] / "analysis" / "pipeline" / "stored"
DATASET, RESULTS = HERE / "dataset.tar.gz", HERE / "results.json.gz"
DIGITS = 10
"""Significant digits that are compared: the last ones depend on the processor that multiplies matrices."""


def unpacked(folder: Path) -> Path:
    """Unpack the stored dataset below a folder."""
    with tarfile.open(DATASET) as archive:
        archive.extractall(folder, filter="data")
    return folder / "dataset"


def results_of(dataset: Path) -> str:
    """Return results.json as text, without the versions of what made it."""
    found = json.loads(results_text(analyse(load(dataset))))
    del found["provenance"]
    return json.dumps(rounded(found), indent=1, ensure_ascii=False) + "\n"


def rounded(value: Any) -> Any:
    """The same with every number to so many digits."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.{DIGITS - 1}e}") if isinstance(value, float) else value


def expected() -> str:
    """Return the stored results."""
    return gzip.decompress(RESULTS.read_bytes()).decode()


def store_results(folder: Path) -> None:
    """Write what the stored dataset gives now."""
    RESULTS.write_bytes(gzip.compress(results_of(unpacked(folder)).encode(), mtime=0))


def store_dataset(dataset: Path) -> None:
    """Pack a dataset, to the same bytes for the same files."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(path for path in dataset.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(f"dataset/{path.relative_to(dataset).as_posix()}")
            entry.size = path.stat().st_size
            archive.addfile(entry, BytesIO(path.read_bytes()))
    HERE.mkdir(exist_ok=True)
    DATASET.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as temporary:
        store_results(Path(temporary))
    sys.stdout.write(f"{RESULTS} is written; say in CHANGELOG.md which figure changed and why\n")
