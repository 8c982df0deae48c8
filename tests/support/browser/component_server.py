"""A small server that speaks the workspace's protocol and remembers everything in one SQLite file.

It stands in for the real routes where a test is about the page component: it can be killed and started again, and it
keeps every event it was sent, once by (page, seq) and once as it came.
Run as `python -m support.browser.component_server PORT FILE`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import sys
import time
import uuid
from pathlib import Path

import uvicorn
from pydantic import ValidationError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from study_app.domain.editing.edits import apply_event
from study_app.domain.events import Batch, details_of
from study_app.domain.events.changes import ReplayMismatch
from study_app.web.assets import Assets

HERE = Path(__file__).parent
STARTER = 'import trio\n\n\nasync def main():\n    print("hello")\n\n\ntrio.run(main)\n'
TASKS = ["timer", "users"]
SCHEMA = """
create table if not exists events(page text, seq int, who text, kind text, payload text, client real, n int,
    primary key(page, seq));
create table if not exists received(page text, seq int);
create table if not exists pages(id integer primary key, page text unique, who text);
create table if not exists people(who text primary key, task int, deadline real, arm text);
create table if not exists turns(id text primary key, who text, message text, reply text, complete int, stopped int,
    error text, code text, at real);
create table if not exists submissions(who text, task text, code text);
"""


class Book:
    """The stand-in's memory."""

    def __init__(self, file: str) -> None:
        self.file = file
        with self.open() as db:
            db.executescript(SCHEMA)

    def open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, timeout=20)
        db.row_factory = sqlite3.Row
        return db

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self.open() as db:
            return db.execute(sql, values).fetchall()

    def person(self, who: str, minutes: float = 35, arm: str = "ai") -> sqlite3.Row:
        deadline = time.time() * 1000 + minutes * 60_000  # noqa: TID251
        self.rows("insert or ignore into people values(?, 0, ?, ?)", who, deadline, arm)
        return self.rows("select * from people where who = ?", who)[0]

    def newest_page(self, who: str) -> str | None:
        rows = self.rows("select page from pages where who = ? order by id desc limit 1", who)
        return rows[0]["page"] if rows else None

    def store(self, who: str, page: str, events: list[dict[str, object]]) -> None:
        with self.open() as db:
            for event in events:
                row = (page, event["seq"], who, event["kind"], json.dumps(event["payload"]), event["client_time_ms"])
                db.execute("insert or ignore into events values(?, ?, ?, ?, ?, ?, 0)", row)
                db.execute("insert into received values(?, ?)", (page, event["seq"]))

    def ack(self, page: str) -> int:
        ack = 0
        for row in self.rows("select seq from events where page = ? order by seq", page):
            if row["seq"] != ack + 1:
                break
            ack += 1
        return ack

    def events(self, who: str) -> list[sqlite3.Row]:
        """In the order of the pages' first events, then by number."""
        return self.rows(
            "select e.*, (select min(rowid) from events f where f.page = e.page) as first from events e "
            "where who = ? order by first, seq",
            who,
        )

    def text(self, who: str, task: str) -> str | None:
        """The editor's text by replay."""
        text: str | None = None
        for row in self.events(who):
            payload = json.loads(row["payload"])
            if payload.get("task") == task:
                try:
                    text = apply_event(text, details_of(row["kind"], payload))
                except ReplayMismatch:
                    text = None
        return text


def state_of(book: Book, who: str) -> dict[str, object]:
    person = book.person(who)
    over = person["task"] >= len(TASKS)
    stage, step = ("after", None) if over else ("tasks", person["task"])
    return {"now_ms": round(time.time() * 1000), "deadline_ms": person["deadline"], "stage": stage, "step": step}  # noqa: TID251


def refusal(book: Book, who: str, page: str) -> JSONResponse | None:
    state = state_of(book, who)
    reason = None
    if book.newest_page(who) not in (page, None):
        reason = "superseded"
    elif state["stage"] != "tasks":
        reason = "stage"
    elif state["now_ms"] >= state["deadline_ms"]:  # type: ignore[operator]
        reason = "deadline"
    if reason is None:
        return None
    return JSONResponse({"error": reason, "reason": reason, "ack": book.ack(page), **state}, 409)


def make_routes(book: Book) -> list[Route]:
    stopped: set[str] = set()

    def route(path: str, method: str = "POST"):
        def add(handler):
            async def guarded(request: Request) -> Response:
                who = request.cookies.get("study_participant")
                if not who:
                    return JSONResponse({"error": "no identity"}, 401)
                return await handler(who, json.loads(await request.body() or "{}"))

            routes.append(Route(path, guarded, methods=[method]))
            return handler

        return add

    routes: list[Route] = []

    @route("/api/open")
    async def open_page(who: str, body: dict) -> Response:
        book.rows("insert or ignore into pages(page, who) values(?, ?)", body["page"], who)
        return JSONResponse({"ack": book.ack(body["page"]), **state_of(book, who)})

    @route("/api/events")
    async def events(who: str, body: dict) -> Response:
        try:
            Batch.model_validate(body)
        except ValidationError as problem:
            return JSONResponse({"error": problem.errors()[0]["msg"]}, 400)
        refused = refusal(book, who, body["page"])
        if refused is None:
            book.store(who, body["page"], body["events"])
            return JSONResponse({"ack": book.ack(body["page"]), **state_of(book, who)})
        return refused

    @route("/api/runs")
    async def run(who: str, body: dict) -> Response:
        async def lines():
            yield {"type": "queued", "ahead": 0}
            error = "NameError" if "oops" in body["code"] else None
            started = time.monotonic()
            for text in re.findall(r'print\("([^"]*)"\)', body["code"]):
                await asyncio.sleep(0.05)
                yield {"type": "line", "stream": "stdout", "text": text, "seconds": time.monotonic() - started}
            for seconds in re.findall(r"sleep\((\d+)\)", body["code"]):
                for _ in range(int(seconds) * 20):
                    await asyncio.sleep(0.05)
                    if who in stopped:
                        stopped.discard(who)
                        yield {"type": "end", "run_id": "1", "ended_by": "cancelled", "message": "", "wall_seconds": 1}
                        return
            if error:
                frames = [f'  File "main.py", line {number}, in call' for number in range(1, 40)]
                for text in ["Traceback (most recent call last):", *frames, "NameError: name 'oops' is not defined"]:
                    yield {"type": "line", "stream": "stderr", "text": text}
            end = {"ended_by": "exit", "message": "", "error_type": error, "error_line": 5 if error else None}
            yield {"type": "end", "run_id": "1", "wall_seconds": time.monotonic() - started, **end}
            if "slow_examples" in body["code"]:
                await asyncio.sleep(2)
            yield {"type": "examples", "checks": checks_of(body["code"])}

        async def encoded():
            async for line in lines():
                yield json.dumps(line) + "\n"

        return StreamingResponse(encoded(), media_type="application/x-ndjson")

    @route("/api/runs/stop")
    async def stop_run(who: str, body: dict) -> Response:
        stopped.add(who)
        return JSONResponse({"stopped": True})

    @route("/api/submit")
    async def submit(who: str, body: dict) -> Response:
        refused = refusal(book, who, body["page"])
        if refused is not None:
            return refused
        checks = checks_of(body["code"])
        if not body["confirm"] and not all(check["passed"] for check in checks):
            return JSONResponse({"accepted": False, "reason": "examples_fail", "checks": checks})
        task = TASKS[book.person(who)["task"]]
        book.rows("insert into submissions values(?, ?, ?)", who, task, body["code"])
        book.rows("update people set task = task + 1 where who = ?", who)
        return JSONResponse({"accepted": True})

    @route("/api/chat")
    async def chat(who: str, body: dict) -> Response:
        if "unavailable" in body["message"]:
            return JSONResponse({"error": "The assistant is not available at the moment."}, 503)
        turn = uuid.uuid4().hex
        values = (turn, who, body["message"], "", 0, 0, None, body.get("code"), time.time())  # noqa: TID251
        book.rows("insert into turns values(?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)
        return StreamingResponse(
            speak(book, turn, body["message"], stopped), media_type="text/plain", headers={"X-Turn-Id": turn}
        )

    @route("/api/chat/stop")
    async def stop_chat(who: str, body: dict) -> Response:
        stopped.add(body["turn_id"])
        return JSONResponse({"stopped": True})

    @route("/api/chat/turns", "GET")
    async def turns(who: str, body: dict) -> Response:
        return JSONResponse({"turns": turns_of(book, who)})

    return routes


REPLY = """A **nursery** runs several tasks and waits for all of them. `move_on_after` gives them a limit:

```python
async def greet(name: str) -> None:
    await trio.sleep(0.5)
    print(f"Hello, {name}!")  # after half a second


async with trio.open_nursery() as nursery:
    nursery.start_soon(greet, "Ada")
```

1. Open the nursery inside the timeout.
2. Start each child with `start_soon`.

Tell me if an error appears."""


async def speak(book: Book, turn: str, message: str, stopped: set[str]):
    """The canned reply, word by word, which is finished whether or not anybody listens."""
    words: asyncio.Queue[str | None] = asyncio.Queue()

    async def compose() -> None:
        async for word in reply_to(book, turn, message, stopped):
            words.put_nowait(word)
        words.put_nowait(None)

    composing.add(task := asyncio.create_task(compose()))
    task.add_done_callback(composing.discard)
    while (word := await words.get()) is not None:
        yield word


composing: set[asyncio.Task[None]] = set()


async def reply_to(book: Book, turn: str, message: str, stopped: set[str]):
    pace = 0.25 if "slowly" in message else 0.0 if message.startswith("say:") else 0.01
    said = ""
    text = "<img src=x onerror=alert(1)> " + REPLY if "markup" in message else REPLY
    if message.startswith("say:"):
        text = message.removeprefix("say:").strip()
    for word in re.findall(r"\s*\S+\s*", text):
        await asyncio.sleep(pace)
        if turn in stopped:
            book.rows("update turns set stopped = 1, complete = 0 where id = ?", turn)
            return
        said += word
        book.rows("update turns set reply = ? where id = ?", said, turn)
        yield word
        if "break off" in message and len(said) > 60:
            book.rows("update turns set error = 'cut' where id = ?", turn)
            yield "\x1e" + json.dumps({"error": "The assistant had to stop."})
            return
    book.rows("update turns set complete = 1 where id = ?", turn)


def turns_of(book: Book, who: str) -> list[dict[str, object]]:
    rows = book.rows("select * from turns where who = ? order by at", who)
    keys = ("message", "reply", "error")
    return [
        {"turn_id": row["id"], "complete": bool(row["complete"]), "stopped": bool(row["stopped"])}
        | {key: row[key] for key in keys}
        for row in rows
    ]


def checks_of(code: str) -> list[dict[str, object]]:
    return [
        {"name": "prints a greeting", "passed": "print(" in code, "message": ""},
        {"name": "waits for every user", "passed": "done" in code, "message": "expected done as the last line"},
    ]


def make_app(file: str):
    from streamlit import App

    book = Book(file)
    routes, middleware = make_routes(book), [Middleware(Assets)]
    return App(HERE / "component_page.py", routes=routes, middleware=middleware, secrets={"book": file})


if __name__ == "__main__":
    port, file = sys.argv[1:]
    uvicorn.run(make_app(file), port=int(port), log_level="warning")
