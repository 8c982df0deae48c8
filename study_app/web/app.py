"""The participants' ASGI app: Streamlit draws, our routes carry the hot paths, a sweeper watches the deadlines."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from study_app.bootstrap import App, install
from study_app.domain.errors import StudyError, UnknownParticipant
from study_app.web import shell
from study_app.web.assets import Assets
from study_app.web.headers import SecurityHeaders
from study_app.web.options import configure_streamlit
from study_app.web.requests import COOKIE, error
from study_app.web.routes import acts, anchor, answers, chat, enter, events, runs
from study_app.web.routes.strangers import strangers

log = logging.getLogger(__name__)

SCRIPT = Path(__file__).parents[1] / "ui" / "participant.py"
SWEEP_SECONDS = 1.0

HOST_CONFIG_PATH = "/_stcore/host-config"
HOST_CONFIG = {
    "allowedOrigins": [],
    "useExternalAuthToken": False,
    "enableCustomParentMessages": False,
    "enforceDownloadInNewTab": False,
    "metricsUrl": "",
    # A dialog about a lost connection would take the focus from somebody who is typing; the workspace says it itself.
    "blockErrorDialogs": True,
    "disableFullscreenMode": True,
    "resourceCrossOriginMode": None,
}
"""What Streamlit's page asks for at its start."""


HOT = {
    (method, one.path): one.endpoint
    for one in (*events.ROUTES, *answers.ROUTES, *runs.ROUTES, *chat.ROUTES)
    for method in one.methods or ()
    if method == "POST"
}
"""Requests that the door answers itself: sessions, compression and path checks are for Streamlit's pages, and a
streamed line must not wait in a compressor."""


AGENT_PATH = "/_stcore/agent/"
STREAMLITS = ("/_stcore/", "/static/", "/media/", "/component/", "/favicon.png")
"""Addresses that are Streamlit's to answer; to any other it would send its page, with a 200."""


class Door:
    """The first to see a request: answers the hot paths at once.

    It shows the welcome page at `/` to a browser that does not take part yet, and the page that Streamlit draws into
    to one that does; Streamlit only ever draws for participants.
    """

    def __init__(self, app: ASGIApp, study: App, paths: frozenset[str]) -> None:
        self.app = app
        self.study = study
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        response = await self._answer(scope, receive, send) if scope["type"] == "http" else None
        await (response or self.app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        """What the door says itself, or None to let the request pass."""
        path, request = scope["path"], Request(scope, receive, send)
        if (endpoint := HOT.get((scope["method"], path))) is not None:
            return await endpoint(request)
        if path == HOST_CONFIG_PATH:
            return JSONResponse(HOST_CONFIG)
        if path == "/":
            known = await self._known(request)
            return shell.answer() if known else enter.welcome(dict(request.query_params))
        if path.startswith(AGENT_PATH) or not self._passes(path):
            return error(404, "there is no such address")
        return None

    def _passes(self, path: str) -> bool:
        return path in self.paths or path.startswith(("/api/", *STREAMLITS))

    async def _known(self, request: Request) -> bool:
        try:
            await run_in_threadpool(self.study.enrol.identify, request.cookies.get(COOKIE))
        except UnknownParticipant:
            return False
        except StudyError:
            return True
        return True


def _every(seconds: float, job: Callable[[], Any]) -> asyncio.Task[None]:
    async def loop() -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await run_in_threadpool(job)
            except Exception:
                log.exception("a background job failed; it is tried again")

    return asyncio.create_task(loop())


@asynccontextmanager
async def background(study: App) -> AsyncIterator[dict[str, Any]]:
    """What runs beside the requests: deadlines, grading of programs, scoring of quizzes."""
    # Streamlit logs each request with the participant's address: nobody needs that, and nobody consented to it.
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    jobs = (study.anchoring.tick, study.session.sweep, study.grading.grade_pending, study.scoring.score_handed_in)
    tasks = [_every(SWEEP_SECONDS, job) for job in jobs]
    # What is loaded now stays: later collections need not look at it.
    gc.collect()
    gc.freeze()
    try:
        yield {}
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await study.help.close()


def make(study: App) -> ASGIApp:
    """The ASGI app of a study."""
    configure_streamlit()
    import streamlit as st

    install(study)
    routes = [*anchor.ROUTES, *enter.ROUTES, *acts.ROUTES, *events.ROUTES, *answers.ROUTES, *runs.ROUTES, *chat.ROUTES]
    app = st.App(
        SCRIPT,
        routes=[*routes, *strangers(routes)],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Assets),
            Middleware(Door, study=study, paths=frozenset(route.path for route in routes)),
        ],
        lifespan=lambda _app: background(study),
        on_script_error=_script_error,
    )
    return app


def _script_error(problem: BaseException) -> bool:
    """Nobody who takes part ever meets a traceback."""
    log.error("a page failed", exc_info=problem)
    import streamlit as st

    from study_app.web.texts import text

    st.error(text("failure.page"))
    return True
