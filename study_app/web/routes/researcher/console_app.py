"""The console's ASGI app: Streamlit draws the boards, our routes carry sign-in, downloads and replays."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp

from study_app.bootstrap import App, install
from study_app.web.admission.sign_in_gate import SignInGate
from study_app.web.assets import Assets
from study_app.web.headers import SecurityHeaders
from study_app.web.operating.logs import quiet_streamlit
from study_app.web.routes import picture
from study_app.web.routes.author import following
from study_app.web.routes.researcher import console, console_files, console_password

log = logging.getLogger(__name__)

SCRIPT = Path(__file__).parents[3] / "ui" / "console" / "app.py"


def make(study: App) -> ASGIApp:
    """Return the console of a study."""
    import streamlit as st

    install(study)
    routes = [*console.ROUTES, *console_password.ROUTES, *console_files.ROUTES, *picture.ROUTES]
    middleware = [Middleware(SecurityHeaders), Middleware(SignInGate, routes=routes), Middleware(Assets)]

    @asynccontextmanager
    async def background(_app: object) -> AsyncIterator[dict[str, Any]]:
        quiet_streamlit()
        async with following(study):
            yield {}

    return st.App(SCRIPT, routes=routes, middleware=middleware, lifespan=background, on_script_error=_script_error)


def _script_error(problem: BaseException) -> bool:
    """Return a sentence instead of a traceback; the log has the rest."""
    log.error("a board failed", exc_info=problem)
    import streamlit as st

    st.error(f"This board could not be drawn ({type(problem).__name__}). The server's log says why.")
    return True
