"""GET /api/anchor: where the chain of records and the ledger stand, for a witness on another machine."""

from __future__ import annotations

import hmac
import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from study_app.bootstrap import current
from study_app.web.requests import BadRequest, route

TOKEN = "STUDY_WITNESS_TOKEN"
"""Environment variable: who knows it may collect anchors; without it there is no such page."""


async def anchor(request: Request) -> Response:
    """Return the anchor of this moment; it shows hashes and numbers, and no arm."""
    app = current()
    token = app.settings.environment.get(TOKEN, "")
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        raise BadRequest(404, "there is no such page")
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise BadRequest(401, "a witness sends its token")
    kept = await run_in_threadpool(app.anchoring.now)
    return JSONResponse(json.loads(kept.line()))


ROUTES = [Route("/api/anchor", route(anchor), methods=["GET"])]
