"""Datasets as versions wrote them that did not have some columns yet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

from support.trials.quiz_study import rewrite_table


def without(dataset: Path, table: str, columns: tuple[str, ...]) -> None:
    """Take columns out of a table, and say so in the manifest, as a version that did not write them."""

    def change(text: str) -> str:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        out = io.StringIO()
        names = [name for name in rows[0] if name not in columns]
        writer = csv.DictWriter(out, names, lineterminator="\r\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    rewrite_table(dataset, table, change)
    manifest = json.loads((dataset / "manifest.json").read_text())
    for entry in manifest["files"]:
        if f"_description-{table}_data.csv" in entry["path"]:
            entry["sha256"] = hashlib.sha256((dataset / entry["path"]).read_bytes()).hexdigest()
    (dataset / "manifest.json").write_text(json.dumps(manifest))
