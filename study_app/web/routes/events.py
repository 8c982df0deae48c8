"""POST /api/open, /api/events and GET /api/state: the log of what a page saw, and where it is."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from study_app.bootstrap import current
from study_app.domain.events import Batch
from study_app.domain.quiz.answer_log import FORM_KINDS
from study_app.services.participant.editing.batches import Ingested, as_state
from study_app.web.requests import (
    COOKIE,
    OWNER,
    BadRequest,
    check_origin,
    json_body,
    milliseconds,
    note_asked,
    participant,
    route,
)

log = logging.getLogger(__name__)


@route
async def open_page(request: Request) -> Response:
    """Answer a page that has loaded and takes the attempt over."""
    app, who = await participant(request)
    value = await json_body(request)
    batch = _batch({"page": value.get("page"), "events": []})
    taken = await run_in_threadpool(app.session.take_over, who.id, batch.page, milliseconds(value, "mono_ms"))
    return JSONResponse(as_state(taken))


@route
async def events(request: Request) -> Response:
    """Store a batch; the answer says up to where the page may forget."""
    check_origin(request)
    session = current().session
    try:
        batch = _batch(await json_body(request))
    except BadRequest:
        # Who asks comes before what is wrong with it.
        await participant(request)
        raise
    began = time.monotonic()
    # No thread waits here: two hundred pages' batches are stored by one writer, and each awaits its own future.
    cookie, drawn_for = request.cookies.get(COOKIE), request.headers.get(OWNER, "")
    stored = await asyncio.wrap_future(session.submit(cookie, batch, drawn_for))
    note_asked(request, stored.place.participant.id)
    _measure(batch, time.monotonic() - began)
    state = as_state(stored)
    reason = _conflict(stored)
    if reason is None:
        return JSONResponse(state)
    messages = {
        "superseded": "the study was continued in another window",
        "deadline": "the time for this part is over",
        "stage": "this part of the study is over",
    }
    return JSONResponse(state | {"error": messages[reason], "reason": reason}, status_code=409)


def _measure(batch: Batch, seconds: float) -> None:
    measure = current().context.measure
    measure("study_event_store_seconds", seconds)
    # By the page's clock alone, which may be wrong by hours: its newest event is about as old as the request.
    moments = [event.client_time_ms for event in batch.events if event.client_time_ms is not None]
    if moments:
        measure("study_event_lag_seconds", (max(moments) - min(moments)) / 1000 + seconds)


def _conflict(stored: Ingested) -> str | None:
    if stored.superseded:
        return "superseded"
    place = stored.place
    if place.participant.stage != stored.stage_before:
        return "deadline"
    if place.stage is None or place.stage.kind not in ("tasks", *FORM_KINDS):
        return "stage"
    return None


def _batch(value: dict[str, Any]) -> Batch:
    try:
        return Batch.model_validate(value)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRequest(400, f"{where}: {first['msg']}") from None


@route
async def state(request: Request) -> Response:
    """Return where the participant stands."""
    app, who = await participant(request)
    place = await run_in_threadpool(app.session.peek, who.id)
    return JSONResponse(as_state(Ingested(0, place, superseded=False)))


ROUTES = [
    Route("/api/open", open_page, methods=["POST"]),
    Route("/api/events", events, methods=["POST"]),
    Route("/api/state", state, methods=["GET"]),
]
