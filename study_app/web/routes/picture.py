"""POST /picture/api/...: what is tried in a picture of a screen; nothing of it is stored."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from study_app.web.requests import BadRequest, error, json_body, route


async def events(request: Request) -> Response:
    """Acknowledge whatever a page sends, so that it is calm."""
    sent = (await json_body(request)).get("events")
    numbers = [event.get("seq") for event in sent if isinstance(event, dict)] if isinstance(sent, list) else []
    return JSONResponse({"ack": max((number for number in numbers if isinstance(number, int)), default=0)})


async def other(request: Request) -> Response:
    """Nothing else can be done in a picture."""
    if request.method == "POST":
        raise BadRequest(400, "this is a picture of the page; nothing can be done in it")
    return error(404, "this is a picture of the page")


ROUTES = [
    Route("/picture/api/events", route(events), methods=["POST"]),
    Route("/picture/api/open", route(events), methods=["POST"]),
    Route("/picture/api/{rest:path}", route(other), methods=["GET", "POST"]),
]
