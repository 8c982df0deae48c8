"""POST and GET /api/answers: a page of a form is handed in, or shown again. POST /api/interview: one is left."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from study_app.domain.quiz.answering import AnswerFault
from study_app.services.participant.answers import ShownPage
from study_app.services.participant.editing.batches import Ingested, as_state
from study_app.web.requests import (
    AsciiJSON,
    BadRequest,
    error,
    field,
    json_body,
    name_in,
    page_name,
    participant,
    route,
    whole_number,
)
from study_app.web.texts import text, texts

LONGEST_STEP = 6
"""Digits."""


@route
async def hand_in(request: Request) -> Response:
    """Hand in what stands on the page's screen; 409 with a reason where it cannot be taken as it is now."""
    app, who = await participant(request)
    value = await json_body(request)
    screen = ShownPage(
        page=page_name(value, required=True) or "",
        seq=whole_number(value, "seq", required=True) or 0,
        stage=name_in(value, "stage"),
        step=whole_number(value, "step", required=True) or 0,
        shown=field(value, "shown", dict),
    )
    handed = await run_in_threadpool(app.answers.submit, who.id, screen)
    if handed.behind:
        return error(409, "events of this page before the press are missing; send them first", reason="behind")
    if handed.differs:
        return error(409, "the page shows something else than its events give", reason="differs")
    place = await run_in_threadpool(app.session.peek, who.id)
    state = as_state(Ingested(0, place, superseded=False)) | {"accepted": handed.accepted}
    return AsciiJSON(state | {"faults": {name: in_words(fault) for name, fault in handed.faults.items()}})


@route
async def leave_question(request: Request) -> Response:
    """Skip the question of an interview, or stop the interview."""
    app, who = await participant(request)
    value = await json_body(request)
    place = name_in(value, "stage"), whole_number(value, "step", required=True) or 0
    page, act = page_name(value, required=True) or "", name_in(value, "act")
    if act not in ("skipped", "stopped"):
        raise BadRequest(400, "the field 'act' must be skipped or stopped")
    handed = await run_in_threadpool(app.interviews.leave_question, who.id, *place, page, act)
    now = await run_in_threadpool(app.session.peek, who.id)
    return AsciiJSON(as_state(Ingested(0, now, superseded=False)) | {"accepted": handed.accepted})


@route
async def draft(request: Request) -> Response:
    """Return what stands in the fields of a form by the events stored so far, and which page shows it."""
    app, who = await participant(request)
    stage, step = request.query_params.get("stage", ""), request.query_params.get("step", "0")
    if not step.isdecimal() or len(step) > LONGEST_STEP:
        raise BadRequest(400, "the field 'step' must be a whole number")
    found = await run_in_threadpool(app.answers.draft, who.id, stage, int(step))
    return AsciiJSON({"page": found.page, "values": dict(found.values)})


def in_words(fault: AnswerFault) -> dict[str, str]:
    """Return a fault as the participant reads it."""
    figures = texts().figures
    values = {
        # The ends of a range as they may be typed; a length is only read.
        name: (figures.number if name == "limit" else figures.typed)(found) if isinstance(found, int | float) else found
        for name, found in fault.values.items()
    }
    return {"code": fault.code, "words": text(f"form.fault_{fault.code}", **values)}


ROUTES = [
    Route("/api/answers", hand_in, methods=["POST"]),
    Route("/api/answers", draft, methods=["GET"]),
    Route("/api/interview", leave_question, methods=["POST"]),
]
