"""`study recruit`: how recruitment stands; pausing it and going on."""

from __future__ import annotations

from typing import Annotated

import typer

from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    Reason,
    StudyFile,
    app,
    command,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.domain.errors import NotAllowed


@app.command()
@command
def recruit(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    pause: Annotated[bool, typer.Option("--pause", help="Let no newcomers in.", envvar="STUDY_PAUSE")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Let newcomers in again.", envvar="STUDY_RESUME")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Say how far places and quotas are filled; pause recruitment or go on with it. Who is in goes on in any case.

    Example: study recruit --pause --reason "the fire alarm rang"
    """
    if pause and resume:
        raise NotAllowed("give --pause or --resume, not both")
    running = start(settings_of(study, database), new_database=False)
    try:
        if pause:
            running.recruiting.pause(reason, "cli")
        if resume:
            running.recruiting.resume(reason, "cli")
        view = running.recruiting.view()
    finally:
        running.close()
    if as_json:
        say_json(view.to_json())
        return
    since = view.paused_since
    say("Recruitment is open." if since is None else f"Recruitment is paused since {since:%Y-%m-%d %H:%M} UTC.")
    say(f"{view.places_taken} of {view.target_n} places are taken")
    for fill in view.quotas:
        say(f"{fill.quota.question} = {fill.quota.answer}: {fill.taken} of {fill.limit}")
