"""POST /api/runs, /api/runs/stop and /api/submit: programs, with their output streamed as it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from study_app.content.shown import examples_in, limit_in
from study_app.domain.content.content_library import ContentLibrary
from study_app.services.participant.programs.submitting import SubmissionInProgress
from study_app.services.participant.runs import CONCURRENT_RUNS
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
from study_app.web.texts import language, text, texts

_TRYING = CapacityLimiter(CONCURRENT_RUNS)
"""Submissions whose examples are tried, or wait to be, in this process at once; the others wait without a thread."""


@route
async def run(request: Request) -> Response:
    """Run a program; newline-delimited JSON."""
    app, who = await participant(request)
    value = await json_body(request)
    code = field(value, "code", str)
    loop = asyncio.get_running_loop()
    # Without a bound: the sandbox caps what a run prints, and its thread must never wait for a slow browser.
    lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def emit(line: dict[str, Any] | None) -> None:
        # From the run's own thread; the loop is gone only when the server stops.
        if not loop.is_closed():
            loop.call_soon_threadsafe(lines.put_nowait, line)

    page, seq = page_name(value), whole_number(value, "seq")
    await run_in_threadpool(app.work.run, who.id, code, emit, page, seq)
    content = app.context.content_of(who)
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(_stream(lines, content), media_type="application/x-ndjson", headers=headers)


async def _stream(lines: asyncio.Queue[dict[str, Any] | None], content: ContentLibrary) -> AsyncIterator[bytes]:
    while (line := await lines.get()) is not None:
        yield json.dumps(_in_words(line, content)).encode() + b"\n"


def _in_words(line: dict[str, Any], content: ContentLibrary) -> dict[str, Any]:
    """Return a line as the participant reads it: limits explained, verdicts in their language."""
    if line["type"] == "examples":
        return {"type": "examples", "checks": _examples(content, line["task"], line["checks"])}
    if line["type"] != "end":
        return line
    pack, ended_by = line.pop("pack", None), line["ended_by"]
    limit = limit_in(texts(), content.pack(pack).limits, ended_by) if pack else ""
    return line | {"message": "" if ended_by == "exit" else text(f"run.{ended_by}", limit=limit)}


def _examples(content: ContentLibrary, task: str, checks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return examples_in(texts(), content.said(language()), task, checks)


@route
async def stop(request: Request) -> Response:
    """Kill the participant's run."""
    app, who = await participant(request)
    return AsciiJSON({"stopped": await run_in_threadpool(app.work.stop, who.id)})


@route
async def submit(request: Request) -> Response:
    """End the task with this program."""
    app, who = await participant(request)
    value = await json_body(request)
    confirm = bool(field(value, "confirm", bool, required=False))
    impossible = field(value, "impossible", str, required=False)
    given = (
        who.id,
        field(value, "code", str),
        page_name(value),
        whole_number(value, "seq"),
        confirm,
        name_in(value, "task", required=False),
        impossible,
    )
    # In threads that nothing else needs: while programs run, every other request and the deadlines go on.
    limiter = None if confirm or impossible is not None else _TRYING
    try:
        done = await to_thread.run_sync(app.submitting.submit, *given, limiter=limiter)
    except SubmissionInProgress as tried:
        # Without a reason by which the page would leave the task.
        return error(409, str(tried))
    if done.accepted:
        return AsciiJSON({"accepted": True})
    place = await run_in_threadpool(app.session.peek, who.id)
    task = place.pack_name if place.stage is not None and place.stage.kind == "tasks" else ""
    checks = _examples(app.context.content_of(who), task, done.checks)
    return AsciiJSON({"accepted": False, "reason": "examples_fail", "checks": checks})


ROUTES = [
    Route("/api/runs", run, methods=["POST"]),
    Route("/api/runs/stop", stop, methods=["POST"]),
    Route("/api/submit", submit, methods=["POST"]),
]
