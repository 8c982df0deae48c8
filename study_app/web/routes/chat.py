"""POST /api/chat, /api/chat/stop, /api/decisions and GET /api/chat/turns: the assistant, in arms that have one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from study_app.domain.sentences import REFUSALS
from study_app.services.participant.agent.answering import StepAnswer
from study_app.services.participant.agent.working import Frame
from study_app.services.participant.chatting.questions import BudgetSpent, ReplyInProgress
from study_app.services.participant.chatting.replies import StreamingTurn
from study_app.services.participant.programs.taking import check_code
from study_app.web.requests import (
    AsciiJSON,
    error,
    field,
    json_body,
    name_in,
    page_name,
    participant,
    route,
    whole_number,
)
from study_app.web.texts import text

SEPARATOR = "\x1e"
"""Around the JSON of an agent's step in the middle of a reply, and before the JSON that tells the reply's failure."""


@route
async def chat(request: Request) -> Response:
    """Ask; the reply streams as plain text."""
    app, who = await participant(request)
    value = await json_body(request)
    message = field(value, "message", str)
    page, code = page_name(value), field(value, "code", str, required=False)
    seq = whole_number(value, "seq")
    check_code(code or "")
    try:
        asked = await app.help.ask(who.id, message, page, code, seq)
    except ReplyInProgress:
        return error(409, text("assistant.in_progress"), reason="in_progress")
    except BudgetSpent as spent:
        words = text(spent.message_key).replace("{minutes}", f"{spent.wait_minutes:.0f}")
        return error(429, words, reason="budget", retry_after=round(spent.wait_minutes * 60) or None)
    # A proxy that buffers would show the reply in one piece at its end.
    headers = {"X-Turn-Id": asked.turn_id, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    # Waited for before the answer begins: a provider that fails at once can then be a 503, which no started stream can
    # become.
    first = await anext(asked.text, None)
    if first is None and asked.failure() is not None:
        return error(503, _kindly(asked), reason=asked.failure(), turn_id=asked.turn_id)
    return StreamingResponse(_stream(first or "", asked), media_type="text/plain", headers=headers)


async def _stream(first: str | Frame, asked: StreamingTurn) -> AsyncIterator[bytes]:
    yield _encoded(first)
    async for piece in asked.text:
        yield _encoded(piece)
    if asked.failure() is not None:
        yield (SEPARATOR + json.dumps({"error": _kindly(asked)})).encode()


def _encoded(piece: str | Frame) -> bytes:
    if isinstance(piece, Frame):
        return f"{SEPARATOR}{json.dumps(piece.content)}{SEPARATOR}".encode()
    # An agent writes what it likes: the mark of a step may not stand in its text.
    return piece.replace(SEPARATOR, "").encode()


def _kindly(asked: StreamingTurn) -> str:
    known = {"rate_limit", "overloaded", "timeout", "connection", "refused", "too_long"}
    kind = asked.failure()
    return text(f"assistant.failed.{kind if kind in known else 'other'}")


@route
async def stop(request: Request) -> Response:
    """End the reply on the participant's wish."""
    app, who = await participant(request)
    value = await json_body(request)
    turn_id = name_in(value, "turn_id")
    return AsciiJSON({"stopped": await run_in_threadpool(app.help.stop, who.id, turn_id)})


@route
async def decide(request: Request) -> Response:
    """Decide on a step of an assistant that acts; the answer says what counts, and how the program stands."""
    app, who = await participant(request)
    value = await json_body(request)
    answer = StepAnswer(
        action_id=name_in(value, "action_id"),
        decision=name_in(value, "decision"),
        code=field(value, "code", str, required=False),
        words=field(value, "words", str, required=False),
        page=page_name(value),
        seq=whole_number(value, "seq"),
    )
    decided = await run_in_threadpool(app.decisions.decide, who.id, answer)
    state = {"action_id": answer.action_id, "decision": decided.decision, "code": decided.code}
    return AsciiJSON(state) if decided.counts else error(409, REFUSALS("step_decided"), reason="decided", **state)


@route
async def turns(request: Request) -> Response:
    """Return the conversation with the treatment of the participant's stage, also of a reply in progress."""
    app, who = await participant(request)
    kept = await run_in_threadpool(app.help.conversation, who)
    actions = await run_in_threadpool(app.help.actions_in, who, kept)
    shown = [
        {
            "turn_id": turn.id,
            "message": turn.message,
            "reply": turn.reply,
            "complete": turn.complete,
            "stopped": turn.stopped_by_participant,
            "error": None if turn.error is None else text("assistant.failed.other"),
            "actions": actions.get(turn.id, []),
        }
        for turn in kept
    ]
    return AsciiJSON({"turns": shown})


ROUTES = [
    Route("/api/chat", chat, methods=["POST"]),
    Route("/api/chat/stop", stop, methods=["POST"]),
    Route("/api/decisions", decide, methods=["POST"]),
    Route("/api/chat/turns", turns, methods=["GET"]),
]
