"""Reads a trial by a copy of the code in which a column was added; run in another process, with that copy first.

Arguments: the study file, the moment, the column, folders that hold the trial's database. Exports to `csv` and
`parquet` below each, and prints what verification and analysis make of the column, a JSON list.
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from support.clock import HandClock
from support.trials.export_world import open_app
from support.trials.quiz_study import change_row

from analysis.data.load import load
from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export


def read(folder: Path, study: Path, at: datetime, column: str) -> dict[str, Any]:
    clock = HandClock()
    clock.at = at
    app = open_app(folder, clock, study)
    export(app.context, folder / "csv")
    export(app.context, folder / "parquet", fmt="parquet")
    app.close()
    honest = verify(folder / "csv")
    values = load(folder / "csv").participants[column]
    shutil.copytree(folder / "csv", folder / "forged")
    change_row(folder / "forged", "participants", lambda row: row["status"] == "completed", **{column: "12345"})
    forged = verify(folder / "forged")
    return {
        "honest": dict(honest.counts),
        "forged": [finding.message for finding in forged.findings if finding.name == "derived_differs"],
        "type": str(values.dtype),
        "values": values.dropna().tolist(),
    }


if __name__ == "__main__":
    study, at, column, *folders = sys.argv[1:]
    found = [read(Path(folder), Path(study), datetime.fromisoformat(at), column) for folder in folders]
    sys.stdout.write(json.dumps(found))
