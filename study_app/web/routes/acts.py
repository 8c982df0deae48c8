"""POST /api/act: the buttons of pages that ask nothing, so that a press outlives a lost connection or a restart."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from study_app.services.participant.editing.batches import Ingested, as_state
from study_app.web.requests import json_body, name_in, participant, route

LARGEST_BODY = 4_000


@route
async def act(request: Request) -> Response:
    """Carry out what was pressed; the answer says where the participant now is."""
    app, who = await participant(request)
    value = await json_body(request, LARGEST_BODY)
    stage, name = (name_in(value, key) for key in ("stage", "act"))
    choices = {key: value.get(key) is True for key in ("pledged", "erase")}
    place = await run_in_threadpool(lambda: app.session.act(who.id, stage, name, **choices))
    return JSONResponse(as_state(Ingested(0, place, superseded=False)) | {"screen": place.screen})


ROUTES = [Route("/api/act", act, methods=["POST"])]
