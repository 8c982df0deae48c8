"""Statistics for the console: computed by `study analyze --json` in a separate process, on an export of this moment.

The running app cannot compute an effect: it only starts the analysis and hands on its JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study_app.domain.errors import InfrastructureError
from study_app.domain.records import Kind
from study_app.services.context import StudyContext
from study_app.services.researcher.exporting.export import export

LIMIT_SECONDS = 300


def section(context: StudyContext, environment: Mapping[str, str], name: str, kind: Kind) -> dict[str, Any]:
    """Return one section of results.json of the participants of a kind, as masked as the trial's state demands.

    Args:
        context: the study.
        environment: handed on without the study's own variables.
        name: a section that `study analyze --section` knows.
        kind: preview and simulated participants are taken in where they are asked for.

    Raises:
        InfrastructureError: the analysis cannot be run, or takes too long.
    """
    with tempfile.TemporaryDirectory(prefix="study-statistics-") as folder:
        found: dict[str, Any] = json.loads(_analysed(context, environment, kind, Path(folder), "--section", name))
    return found


def results(context: StudyContext, environment: Mapping[str, str], kind: Kind) -> dict[str, Any]:
    """Return results.json of the participants of a kind, as masked as the trial's state demands.

    Real participants of a launched trial are analysed on shuffled labels, a dry run.

    Raises:
        InfrastructureError: the analysis cannot be run, or takes too long.
    """
    with tempfile.TemporaryDirectory(prefix="study-statistics-") as folder:
        out = Path(folder) / "results"
        _analysed(context, environment, kind, Path(folder), "--out", str(out))
        found: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return found


def _analysed(
    context: StudyContext, environment: Mapping[str, str], kind: Kind, folder: Path, *arguments: str
) -> str:  # fmt: skip
    """Run `study analyze --json` on an export of this moment; what it prints."""
    dataset = folder / "dataset"
    preview, simulated = kind == "preview", kind == "simulated"
    export(context, dataset, include_preview=preview, include_simulated=simulated)
    command = [sys.executable, "-m", "study_app.cli", "analyze", str(dataset), *arguments, "--json"]
    command += ["--include-preview"] * preview + ["--include-simulated"] * simulated
    # Without the study's settings: what computes effects reads this export, and neither database nor keys.
    handed_on = {key: value for key, value in environment.items() if not key.startswith("STUDY_")}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS, cwd=folder, env=handed_on
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InfrastructureError(f"the analysis could not be run ({type(error).__name__}); try again") from None
    if done.returncode != 0:
        said = next(iter(done.stderr.strip().splitlines()), f"exit status {done.returncode}")
        raise InfrastructureError(f"the analysis could not be run: {said.removeprefix('error: ')}")
    return done.stdout
