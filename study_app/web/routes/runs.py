"""POST /api/runs, /api/runs/stop and /api/submit: programs, with their output streamed as it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from study_app.web.requests import AsciiJSON, field, json_body, page_name, participant, route, whole_number
from study_app.web.texts import text


@route
async def run(request: Request) -> Response:
    """Run a program; newline-delimited JSON."""
    app, who = await participant(request)
    value = await json_body(request)
    code = field(value, "code", str)
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def emit(line: dict[str, Any] | None) -> None:
        # From the run's own thread; the loop is gone only when the server stops.
        if not loop.is_closed():
            loop.call_soon_threadsafe(lines.put_nowait, line)

    page, seq = page_name(value), whole_number(value, "seq")
    await run_in_threadpool(app.work.run, who.id, code, emit, page, seq)
    return StreamingResponse(_stream(lines), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


async def _stream(lines: asyncio.Queue[dict[str, Any] | None]) -> AsyncIterator[bytes]:
    while (line := await lines.get()) is not None:
        if line["type"] == "end":
            line = line | {"message": _in_words(line)}
        yield json.dumps(line).encode() + b"\n"


def _in_words(end: dict[str, Any]) -> str:
    """Limits explained to the participant."""
    return "" if end["ended_by"] == "exit" else text(f"run.{end['ended_by']}").replace("{limit}", end.get("limit", ""))


@route
async def stop(request: Request) -> Response:
    """Kill the participant's run."""
    app, who = await participant(request)
    return AsciiJSON({"stopped": app.work.stop(who.id)})


@route
async def submit(request: Request) -> Response:
    """End the task with this program."""
    app, who = await participant(request)
    value = await json_body(request)
    done = await run_in_threadpool(
        app.work.submit,
        who.id,
        field(value, "code", str),
        page_name(value),
        whole_number(value, "seq"),
        bool(field(value, "confirm", bool, required=False)),
        field(value, "task", str, required=False),
    )
    if done.accepted:
        return AsciiJSON({"accepted": True})
    return AsciiJSON({"accepted": False, "reason": "examples_fail", "checks": list(done.checks)})


ROUTES = [
    Route("/api/runs", run, methods=["POST"]),
    Route("/api/runs/stop", stop, methods=["POST"]),
    Route("/api/submit", submit, methods=["POST"]),
]
