"""`study record`: a trial's turns as a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.records import Kind
from study_app.private_files import write_private


@app.command()
@command
def record(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    out: Annotated[Path, typer.Option("--out", help="File to write.", envvar="STUDY_OUT")] = Path("recording.jsonl"),
    of: Annotated[
        Kind,
        typer.Option("--of", help="Whose turns: real, simulated or preview ones.", envvar="STUDY_OF"),
    ] = "real",
    treatment: Annotated[
        str,
        typer.Option(
            "--treatment", help="Id of the assistant's file; needed where several were asked.", envvar="STUDY_TREATMENT"
        ),
    ] = "",
    persona: Annotated[
        str,
        typer.Option(
            "--persona",
            help="Id of the persona in which it spoke, or none; needed where it spoke in several.",
            envvar="STUDY_PERSONA",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Record the turns of a trial that is over, or of a draft, for `provider = "recorded"` to answer from.

    The recording holds messages and whole replies, but no participant, moment or arm; ids, labels, addresses and
    numbers that could tell a person are taken out.

    Example: study record --out recordings/full.jsonl --treatment full
    """
    from study_app.services.researcher.recordings.record_turns import record_turns

    _check_free(out)
    running = start(settings_of(study, database), changed_ok=True, new_database=False)
    try:
        found = record_turns(running.context, "cli", of, treatment, persona)
        write_private(out, found.content)
    finally:
        running.close()
    if as_json:
        say_json({"file": str(out), **found.to_json()})
        return
    for line in (f"{out}:", *found.lines()):
        say(line)


def _check_free(out: Path) -> None:
    """Refuse to write over a file: a protocol may state the hash of what is there.

    Raises:
        ProblemsFound: there is a file, or no folder to write it into.
    """
    if out.exists():
        raise ProblemsFound([Problem(str(out), "", "is there already", "give another name by --out")])
    if not out.absolute().parent.is_dir():
        raise ProblemsFound([Problem(str(out), "", "its folder is not there", "make the folder first")])
