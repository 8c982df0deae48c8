"""GET /author/go and /author/clock: an author's way through a draft; there on `study serve --author` only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from study_app.bootstrap import App, Author, current
from study_app.domain.errors import StudyError
from study_app.services.author.following import LOOK_SECONDS
from study_app.services.participant.enrolment import TOKEN_DAYS
from study_app.web.requests import COOKIE, BadRequest, host_of, is_tls, route
from study_app.web.texts import COOKIE as LANGUAGE_COOKIE

log = logging.getLogger(__name__)

AMENDED_SECONDS = 1.0
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def _author(request: Request) -> Author:
    """Return the author of this server.

    Raises:
        BadRequest: 404 without one; 403 where another site's page asks, or this machine under another name.
    """
    author = current().author
    if author is None:
        raise BadRequest(404, "there is no such address")
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise BadRequest(403, "this request comes from another site")
    if host_of(request).rsplit(":", 1)[0] not in LOOPBACK:
        raise BadRequest(403, "open the author's pages as 127.0.0.1 or localhost")
    return author


async def go(request: Request) -> Response:
    """Put this browser on a screen, as a new participant."""
    author = _author(request)
    screen, arm, language = (request.query_params.get(name, "") for name in ("screen", "arm", "language"))
    token = await run_in_threadpool(author.previews.go, request.cookies.get(COOKIE), screen, arm, language)
    response = RedirectResponse("/", status_code=303)
    spoken = author.previews.language or current().study.offered[0]
    for name, value in ((COOKIE, token), (LANGUAGE_COOKIE, spoken)):
        seconds, tls = TOKEN_DAYS * 86_400, is_tls(request)
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=tls, path="/")
    return response


async def clock(request: Request) -> Response:
    """Stop the clock for every preview, or let it run."""
    author = _author(request)
    stopped = request.query_params.get("stopped") == "1"
    await run_in_threadpool(lambda: author.previews.set_clock(stopped=stopped))
    return RedirectResponse("/", status_code=303)


@asynccontextmanager
async def following(app: App) -> AsyncIterator[None]:
    """Look at the author's files, or for an amendment, as long as the app is served."""
    author = app.author
    look, seconds = (app.context.follow, AMENDED_SECONDS) if author is None else (author.files.look, LOOK_SECONDS)

    async def watch() -> None:
        while True:
            try:
                await run_in_threadpool(look)
            except StudyError as failure:
                log.warning("the study's version could not be looked at: %s", failure)
            except Exception:
                # A watch that ended would leave this process with the old version until its next start.
                log.exception("the study's version could not be looked at; it is tried again")
            await asyncio.sleep(seconds)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


ROUTES = [
    Route("/author/go", route(go), methods=["GET"]),
    Route("/author/clock", route(clock), methods=["GET"]),
]
