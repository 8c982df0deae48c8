"""The participants' ASGI app: Streamlit draws, our routes carry the hot paths, a sweeper watches the deadlines."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from study_app.bootstrap import App, install
from study_app.domain.errors import StudyError
from study_app.secrets.signed_arrival import signed_arrival
from study_app.web.admission.gateway import ParticipantGateway
from study_app.web.admission.limits import RequestLimits
from study_app.web.assets import Assets
from study_app.web.headers import SecurityHeaders
from study_app.web.operating import heap, pages
from study_app.web.operating.logs import quiet_streamlit
from study_app.web.options import configure_streamlit
from study_app.web.routes import acts, anchor, answers, author, chat, enter, events, probes, reminders, runs
from study_app.web.routes.not_found import strangers

log = logging.getLogger(__name__)

SCRIPT = Path(__file__).parents[1] / "ui" / "participant.py"
SWEEP_SECONDS = 1.0
WAITING_REPLIES = 128
"""Threads in which replies wait for the database and agents for their programs; they are made as they are needed."""


def _every(seconds: float, job: Callable[[], Any]) -> asyncio.Task[None]:
    async def loop() -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                # In a thread: a sweep waits for the database, and keystrokes come through this loop.
                await run_in_threadpool(job)
            except Exception:
                log.exception("a background job failed; it is tried again")

    return asyncio.create_task(loop())


@asynccontextmanager
async def background(study: App) -> AsyncIterator[dict[str, Any]]:
    """Provide what runs beside the requests: deadlines, grading of programs, scoring of quizzes."""
    # Streamlit logs each request with the participant's address: not needed, and not consented to.
    for name in ("uvicorn", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A stranger's bytes that are not HTTP are worth no line each.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    quiet_streamlit()
    # Python's own number is few more than processors: six agents whose programs sleep would keep all questions waiting.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(WAITING_REPLIES, "reply"))
    study.clock_watch.begin()
    # Before the first request: another server takes what one that is not listed does for lost.
    await run_in_threadpool(study.taking_over.tick)
    # A loop for each: a grading that takes minutes must not hold back the deadlines.
    work = (study.session.sweep, study.grading.grade_present, study.scoring.score_handed_in)
    watches = (
        study.taking_over.tick,
        study.clock_watch.check,
        study.isolation_watch.check,
        study.server_watch.check,
        study.head_signing.tick,
        study.anchoring.tick,
        study.alert_watch.tick,
        study.model_watch.tick,
    )
    jobs = (*watches, *work)
    tasks = [*(_every(SWEEP_SECONDS, job) for job in jobs), _every(heap.TRIMMED_SECONDS, heap.trim)]
    # What is loaded now stays: later collections need not look at it.
    gc.collect()
    gc.freeze()
    try:
        async with author.following(study):
            yield {}
    finally:
        study.model_watch.stop()
        for task in tasks:
            task.cancel()
        # Wait for the jobs: the database is closed next, and a job that is cut off in a thread would still use it.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await study.help.close()
        with contextlib.suppress(StudyError):
            study.taking_over.close()


def served_routes(study: App) -> list[Route]:
    """Return every route of ours."""
    routes = [
        *anchor.ROUTES,
        *enter.ROUTES,
        *acts.ROUTES,
        *events.ROUTES,
        *answers.ROUTES,
        *runs.ROUTES,
        *probes.ROUTES,
        *chat.ROUTES,
    ]
    routes += [*reminders.ROUTES, *pages.ROUTES]
    return routes + (author.ROUTES if study.author is not None else [])


def make(study: App) -> ASGIApp:
    """Return the ASGI app of a study."""
    configure_streamlit()
    import streamlit as st

    study.signed_arrival = signed_arrival(study.study.recruitment.signed_for, study.settings.environment)
    install(study)
    routes = served_routes(study)
    limits = study.context.replicas.shared = RequestLimits()
    app = st.App(
        SCRIPT,
        routes=[*routes, *strangers(routes)],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(ParticipantGateway, study=study, paths=frozenset(route.path for route in routes), limits=limits),
            Middleware(Assets),
        ],
        lifespan=lambda _app: background(study),
        on_script_error=_script_error,
    )
    return app


def _script_error(problem: BaseException) -> bool:
    """Participants never see a traceback."""
    log.error("a page failed", exc_info=problem)
    import streamlit as st

    from study_app.web.texts import text

    st.error(text("failure.page"))
    return True
