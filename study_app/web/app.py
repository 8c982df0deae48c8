"""The participants' ASGI app: Streamlit draws, our routes carry the hot paths, a sweeper watches the deadlines."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from study_app.bootstrap import App, install
from study_app.domain.errors import StudyError, UnknownParticipant
from study_app.web.headers import SecurityHeaders
from study_app.web.options import configure_streamlit
from study_app.web.requests import COOKIE
from study_app.web.routes import chat, enter, events, runs
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


def apply_options() -> None:
    """Streamlit reads most STREAMLIT_... variables only under `streamlit run`; here they are set by hand.

    Call it after `st.App(...)`, which reads the theme file first.
    """
    from streamlit import config

    for key, option in config.get_config_options().items():
        value = os.environ.get(option.env_var)
        if value is not None:
            config.set_option(key, {"true": True, "false": False}.get(value, value))


HOT = {
    (method, one.path): one.endpoint
    for one in (*events.ROUTES, *runs.ROUTES, *chat.ROUTES)
    for method in one.methods or ()
    if method == "POST"
}
"""Requests that the door answers itself: sessions, compression and path checks are for Streamlit's pages, and a
streamed line must not wait in a compressor."""


class Door:
    """The first to see a request: answers the hot paths at once.

    It shows the welcome page at `/` to a browser that is nobody yet; Streamlit only ever draws for participants.
    """

    def __init__(self, app: ASGIApp, study: App) -> None:
        self.app = app
        self.study = study

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and (endpoint := HOT.get((scope["method"], scope["path"]))) is not None:
            response = await endpoint(Request(scope, receive, send))
            await response(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"] == "/" and not await self._known(Request(scope)):
            response = enter.welcome(dict(Request(scope).query_params))
            await response(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"] == HOST_CONFIG_PATH:
            await JSONResponse(HOST_CONFIG)(scope, receive, send)
            return
        await self.app(scope, receive, send)

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
    """What runs beside the requests: deadlines, grading."""
    # Streamlit logs each request with the participant's address: nobody needs that, and nobody consented to it.
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    tasks = [_every(SWEEP_SECONDS, study.session.sweep), _every(SWEEP_SECONDS, study.grading.grade_pending)]
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
    routes = [*enter.ROUTES, *events.ROUTES, *runs.ROUTES, *chat.ROUTES]
    app = st.App(
        SCRIPT,
        routes=[*routes, *strangers(routes)],
        middleware=[Middleware(SecurityHeaders), Middleware(Door, study=study)],
        lifespan=lambda _app: background(study),
        on_script_error=_script_error,
    )
    apply_options()
    return app


def _script_error(problem: BaseException) -> bool:
    """Nobody who takes part ever meets a traceback."""
    log.error("a page failed", exc_info=problem)
    import streamlit as st

    from study_app.web.texts import text

    st.error(text("failure.page"))
    return True
