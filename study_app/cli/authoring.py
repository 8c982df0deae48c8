"""`study setup`: what a study's author does before the first check."""

from __future__ import annotations

from typing import Annotated

import typer

from study_app.cli.common import STUDY, AsJson, StudyFile, app, command, err, say, say_json
from study_app.content.library import FolderLibrary
from study_app.content.requirements import pinned, set_up
from study_app.content.study_file import read_study
from study_app.domain.errors import UserError


@app.command()
@command
def setup(
    study: StudyFile = STUDY,
    pin: Annotated[
        bool,
        typer.Option("--pin", help="Write the installed versions into the requirements file.", envvar="STUDY_PIN"),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Install the packages that the study brings, into a folder beside it that no upgrade of study-app touches.

    Example: study setup my_trial/study.toml
    """
    library = FolderLibrary(read_study(study), study.resolve().parent, str(study))
    requirements = library.requirements
    if requirements is None:
        raise UserError(f'{study}: requirements: the study names none; add requirements = "requirements.txt"')
    if not requirements.installed:
        err.print(f"Installing {requirements.file} ...", markup=False)
    versions = set_up(requirements)
    if pin and requirements.unpinned:
        requirements.file.write_text(pinned(requirements), encoding="utf-8")
        # The file's text is part of the folder's name.
        requirements = FolderLibrary(library.study, library.root, library.file).requirements
        assert requirements is not None
        versions = set_up(requirements)
    if as_json:
        say_json({"folder": str(requirements.folder), "versions": versions, "unpinned": requirements.unpinned})
        return
    say(f"{requirements.folder}: {', '.join(f'{name} {version}' for name, version in versions.items())}")
    for line in requirements.unpinned:
        say(f"warning: {requirements.file}: '{line}' leaves the version open; name it by ==, or run study setup --pin")
