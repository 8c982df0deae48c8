"""`study pool, reimport`: datasets of several sites as one, and a dataset back into a database."""

from __future__ import annotations

from typing import Annotated

import typer

from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    DatasetArgument,
    Out,
    StudyFile,
    app,
    command,
    say,
    say_json,
    settings_of,
    start,
)


@app.command()
@command
def pool(
    datasets: Annotated[
        list[str], typer.Argument(metavar="DATASET...", help="Folders of datasets; NAME=FOLDER names the site.")
    ],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Pool the datasets of several sites, each kept whole with its ledger, into one that study analyze can compare.

    Example: study pool north=data/north south=data/south --out pooled
    """
    from study_app.dataset.pooling.pool import pool as write

    summary = write(datasets, out)
    if as_json:
        say_json(summary.to_json())
        return
    for line in summary.lines():
        say(line)


@app.command()
@command
def reimport(
    dataset: DatasetArgument, study: StudyFile = STUDY, database: DatabaseOption = None, as_json: AsJson = False
) -> None:
    """Put an exported dataset into a database that is not there yet; an export of it has the same tables.

    Example: study reimport data/export study.toml --database sqlite:///var/again.db
    """
    from study_app.services.researcher.exporting.reimport import reimport as restore
    from study_app.storage.restored_rows import put_back

    running = start(settings_of(study, database), changed_ok=True)
    try:
        summary = restore(running.context, dataset, put_back, who="cli")
    finally:
        running.close()
    if as_json:
        say_json(summary.to_json())
        return
    for line in summary.lines():
        say(line)


__all__ = ["pool", "reimport"]
