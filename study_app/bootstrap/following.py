"""Go on with a study whose files change: by an amendment, or by an author."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from study_app.bootstrap.app import App, Author
from study_app.bootstrap.contents import SECONDS_PER_WORD, open_assistants, open_library, open_texts
from study_app.bootstrap.start_checks import keep_draft
from study_app.content.watched import written
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.study import protocol_hash
from study_app.services.author.following import FollowedFiles
from study_app.services.author.previews import AuthorPreviews

log = logging.getLogger(__name__)
AGAIN = timedelta(seconds=10)
"""Between two looks at files that are not those of an amendment."""


def reload(app: App) -> None:
    """Go on with the study as its files are now.

    Raises:
        ProblemsFound: they are broken; then nothing has changed.
    """
    library = open_library(app.settings.study_file)
    # Screens are drawn from these: a text that is missing shows here and not on a participant's page.
    texts = open_texts(library)
    assistants = open_assistants(library, app.settings, SECONDS_PER_WORD, app.model_watch.is_replaced)
    app.world.take(library.study, library, assistants)
    app.library, app.texts = library, texts


def follow_amendments(app: App) -> None:
    """Let a running server take an amendment over when a new participant arrives, or its sweeper looks."""
    failed: dict[str, datetime] = {}

    def follow() -> None:
        with app.world.registry.begin(write=False) as unit:
            newest = unit.newest_version()
        if newest is None or newest == app.world.study_hash:
            return
        now = app.world.now()
        # A server whose copy of the files is old would otherwise read and hash them at each arrival.
        if newest in failed and now - failed[newest] < AGAIN:
            return
        # Only files of the locked version are taken: a half-copied folder has the hash of no locked version.
        library = open_library(app.settings.study_file)
        if protocol_hash(library.study, dict(library.materials())) == newest:
            reload(app)
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

    app.world.follow = quietly


def follow_files(app: App, *, previews_too: bool = True) -> Author:
    """Let the study follow its files from now on; the server watches them (`author.files.look`).

    Of two processes over one database only one also moves the previews.
    """
    previews = AuthorPreviews(app.world)

    def load() -> None:
        reload(app)
        with app.world.registry.begin() as unit:
            keep_draft(app.world, unit)
        if previews_too:
            previews.follow()

    file = app.settings.study_file
    app.world.clock_stopped = lambda _participant_id: previews.stopped
    app.author = Author(FollowedFiles(str(file), lambda: written(file), load), previews)
    return app.author
