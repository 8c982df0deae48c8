"""POST /api/probes: a page asks for the probe of affect that is due, sends its answer, or skips it."""

from __future__ import annotations

import math
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from study_app.services.participant.editing.batches import Ingested, as_state
from study_app.services.participant.probing.asking import ProbeAnswer, ProbeState
from study_app.web.requests import (
    AsciiJSON,
    BadRequest,
    json_body,
    name_in,
    page_name,
    participant,
    route,
    whole_number,
)

LARGEST_BODY = 2_000
ACTS = ("show", "answer", "skip")


@route
async def probe(request: Request) -> Response:
    """Carry out one act; the answer says what is on the screen, and at which seconds left the next ones are due."""
    app, who = await participant(request)
    value = await json_body(request, LARGEST_BODY)
    act, page = name_in(value, "act"), page_name(value, required=True)
    if act not in ACTS:
        raise BadRequest(400, f"the field 'act' must be one of: {', '.join(ACTS)}")
    if act == "show":
        return AsciiJSON(_said(await run_in_threadpool(app.probes.show, who.id, page)))
    names = ("valence", "arousal", "calm_desperate") if act == "answer" else ()
    answer = ProbeAnswer(**{name: whole_number(value, name) for name in names}) if names else None
    state = await run_in_threadpool(app.probes.end, who.id, page, _minute(value), answer)
    return AsciiJSON(_said(state) | {"accepted": state.accepted})


def _minute(value: dict[str, Any]) -> float:
    """Return the minute of the probe that is meant.

    Raises:
        BadRequest: it is missing, or no number.
    """
    found = value.get("minute")
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise BadRequest(400, "the field 'minute' must be a number")
    return found


def _said(state: ProbeState) -> dict[str, Any]:
    shown = state.shown
    return as_state(Ingested(0, state.place, superseded=False)) | {
        "probe": None if shown is None else {"minute": shown.shown.minute, "left_ms": round(state.shown_for * 1000)},
        "due_ms": [round(seconds * 1000) for seconds in state.left],
    }


ROUTES = [Route("/api/probes", probe, methods=["POST"])]
