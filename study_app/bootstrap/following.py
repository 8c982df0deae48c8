"""Go on with a study whose files change: by an amendment, or by an author."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from study_app.assistant.interviewing.opening import open_interviewer
from study_app.bootstrap.app import App, Author
from study_app.bootstrap.contents import SECONDS_PER_WORD, open_assistants, open_library, open_texts
from study_app.bootstrap.start_checks import keep_draft
from study_app.content.library import FolderLibrary
from study_app.content.requirements import requirements_problems
from study_app.content.watched import written
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.study.study import protocol_hash
from study_app.sandbox import open_sandbox
from study_app.sandbox.packages import installation
from study_app.services.author.following import FollowedFiles
from study_app.services.author.previews import AuthorPreviews

log = logging.getLogger(__name__)
_INSTALL = "correct the import name, or name the package in the study's requirements and run study setup"
AGAIN = timedelta(seconds=10)
"""Between two looks at files that are not those of an amendment."""


def reload(app: App) -> None:
    """Go on with the study as its files are now.

    Raises:
        ProblemsFound: they are broken; then nothing has changed.
    """
    _take(app, open_library(app.settings.study_file))


def _take(app: App, library: FolderLibrary) -> None:
    # Screens are drawn from these: a text that is missing shows here and not on a participant's page.
    texts = open_texts(library)
    assistants = open_assistants(library, app.settings, SECONDS_PER_WORD, app.model_watch.is_replaced)
    app.context.take(library.study, library, assistants)
    app.library, app.texts = library, texts


def _take_draft(app: App) -> None:
    """Go on with an author's files as they are now, and with the packages and the interviewer that they need now.

    Raises:
        ProblemsFound: they are broken, or name packages that are not installed; then nothing has changed.
    """
    library, before = open_library(app.settings.study_file), app.library.package_folders
    if problems := requirements_problems(library.requirements, library.file) or _absent_packages(library):
        raise ProblemsFound(problems)
    _take(app, library)
    if app.context.interviewer is None and library.plan_files:
        app.context.interviewer = open_interviewer(app.settings.environment)
    if library.package_folders != before:
        old, app.context.sandbox = (
            app.context.sandbox,
            open_sandbox(app.settings.runner, folders=library.package_folders),
        )
        old.close()


def _absent_packages(library: FolderLibrary) -> list[Problem]:
    """Return packages of packs and banks that are not there: looked up, for a picture shall not wait for an import."""
    installed = installation(library.package_folders)
    return [
        Problem(str(library.at(file)), "packages", f"found {name!r}, which is not installed", _INSTALL)
        for file, packages in library.taught_packages.items()
        for name in installed.missing(packages)
    ]


def follow_amendments(app: App) -> None:
    """Let a running server take an amendment over when a new participant arrives, or its sweeper looks."""
    failed: dict[str, datetime] = {}

    def follow() -> None:
        with app.context.registry.begin(write=False) as unit:
            newest = unit.newest_version()
        if newest is None or newest == app.context.study_hash:
            return
        now = app.context.now()
        # A server whose copy of the files is old would otherwise read and hash them at each arrival.
        if newest in failed and now - failed[newest] < AGAIN:
            return
        # Only files of the locked version are taken: a half-copied folder has the hash of no locked version.
        library = open_library(app.settings.study_file)
        library.hold_to(newest)
        if protocol_hash(library.study, dict(library.materials())) == newest:
            _take(app, library)
            return
        if newest not in failed:
            amended = "the study was amended, and the files here are of another version; bring them up to date"
            log.error(amended, extra={"version": newest[:12]})
        failed[newest] = now

    def quietly() -> None:
        try:
            follow()
        except ProblemsFound as problem:
            log.error("an amendment could not be taken over: %s", problem)

    app.context.follow = quietly


def follow_files(app: App, *, previews_too: bool = True) -> Author:
    """Let the study follow its files from now on; the server watches them (`author.files.look`).

    Of two processes over one database only one also moves the previews.
    """
    previews = AuthorPreviews(app.context)

    def load() -> None:
        _take_draft(app)
        with app.context.registry.begin() as unit:
            keep_draft(app.context, unit)
        if previews_too:
            previews.follow()

    file = app.settings.study_file
    app.context.clock_stopped = lambda _participant_id: previews.stopped
    app.author = Author(FollowedFiles(str(file), lambda: written(file), load), previews)
    return app.author
