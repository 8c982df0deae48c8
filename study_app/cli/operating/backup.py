"""`study backup` and `study restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study_app import __version__
from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    StudyFile,
    app,
    command,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.clock import SystemClock
from study_app.domain.errors import StudyError
from study_app.settings import Settings

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="File of the backup.")]


@app.command()
@command
def backup(
    file: BackupFile,
    database: DatabaseOption = None,
    with_secrets: Annotated[
        bool,
        typer.Option(
            "--with-secrets",
            help="Also the sealing key and the console's accounts: anyone with the file can then open the seed.",
            envvar="STUDY_WITH_SECRETS",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the database and the anchors into one file, while the study runs; the sealing key stays out.

    Example: study backup backups/monday.zip
    """
    from study_app.storage.backup.copying import back_up

    settings = settings_of(STUDY, database)
    made = back_up(settings.database, settings.var, file, SystemClock().now(), __version__, secrets=with_secrets)
    count = sum((part.lines or 1) - 1 for part in made.parts)
    if as_json:
        say_json({"file": str(file), "rows": count, **made.model_dump(by_alias=True)})
        return
    say(f"{file}: {count:,} rows of the study '{made.study_id}' ({made.state}), {file.stat().st_size / 1e6:.1f} MB")
    if not with_secrets:
        say("The sealing key is not in it: keep a copy of it somewhere else (study launch printed one).")


@app.command()
@command
def restore(
    file: BackupFile,
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    anchors: Annotated[
        Path | None,
        typer.Option("--anchor", help="Anchors that were kept elsewhere (study witness).", envvar="STUDY_ANCHOR"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Replace what the database holds.", envvar="STUDY_YES")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup back into an empty database, on either kind of database; every hash is compared first.

    Places of the ledger that any anchor names and the backup lacks are never given again.

    Example: study restore backups/monday.zip --database postgresql://study@localhost/trial
    """
    from study_app.storage.backup.copying import restore as put_back

    settings = settings_of(study, database)
    done = put_back(settings.database, settings.var, file, SystemClock().now(), anchors, yes=yes)
    found = _first_look(settings)
    if as_json:
        say_json({"study_id": done.study_id, "made_at": done.made_at, "rows": done.rows, "warnings": found})
        return
    say(f"{done.rows:,} rows of the study '{done.study_id}' as of {done.made_at} are put back.")
    for line in found:
        say(f"Warning: {line}")


def _first_look(settings: Settings) -> list[str]:
    """Compare with the anchors, as the next start would, and record what is lost."""
    try:
        running = start(settings, changed_ok=True)
    except StudyError as problem:
        reason = next(iter(str(problem).splitlines()), "")
        return [f"the study could not be opened ({reason}); its next start compares the database with its anchors"]
    try:
        return running.anchoring.check()
    finally:
        running.close()
