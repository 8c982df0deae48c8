"""People in the workspace: what their pages send, and what became of it."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from load_http import Connection

from study_app.domain.records import Visit
from study_app.services.identity import hashed
from study_app.storage import open_registry

FAILING = "import trio\n\nasync def main():\n    await trio.sleep(0.2)\n    print('done')\n\ntrio.run(main)\n"
TASK = "trio_timer"
SOLUTION = (Path(__file__).parents[1] / "tasks" / TASK / "solution.py").read_text()
EDITS = 10
"""In one batch."""
EVERY = 2.0
"""Seconds between two batches of one person, drawn from 1-3."""
SIDE_EVERY = 30.0
"""Seconds between two runs, and between two questions, of one person."""
SOLVE = 1 / 3
"""Of the runs, the reference solution, whose examples take three times the programs of one that fails."""
PARTS = ("events", "runs", "chat")


@dataclass
class Tally:
    """What all of them met."""

    latency: dict[str, list[float]] = field(
        default_factory=lambda: {
            name: [] for name in ("events", "runs", "runs_beyond_the_program", "chat_first", "chat")
        }
    )
    errors: list[str] = field(default_factory=list)
    sent: dict[tuple[str, str], int] = field(default_factory=dict)
    """Participant and page -> the highest number sent."""
    texts: dict[str, str] = field(default_factory=dict)
    """Participant -> the text that their edits make."""


def think(rng: random.Random) -> float:
    """Seconds until the next page is sent; the same for us and for the peer."""
    return rng.uniform(EVERY / 2, EVERY * 1.5)


class Person:
    """One person at work."""

    def __init__(self, url: str, cookie: str, who: str, tally: Tally) -> None:
        self.url, self.cookie, self.who, self.tally = url, f"study_participant={cookie}", who, tally
        self.page = uuid.uuid4().hex
        self.rng = random.Random(who)

    async def work(self, seconds: float, parts: tuple[str, ...]) -> None:
        """Until the time is over."""
        end = time.monotonic() + seconds
        await asyncio.sleep(self.rng.random() * EVERY)
        side = [asyncio.create_task(self._now_and_then(self._run, end))] if "runs" in parts else []
        side += [asyncio.create_task(self._now_and_then(self._ask, end))] if "chat" in parts else []
        if "events" in parts:
            await self._type(end)
        await asyncio.gather(*side)

    async def _now_and_then(self, act: Callable[[], Awaitable[None]], end: float) -> None:
        await asyncio.sleep(self.rng.random() * SIDE_EVERY)
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                await act()
            except (OSError, ValueError, asyncio.IncompleteReadError) as problem:
                self.tally.errors.append(f"{act.__name__} {problem!r}")
            await asyncio.sleep(max(0.0, min(began + SIDE_EVERY, end) - time.monotonic()))

    async def _type(self, end: float) -> None:
        http = Connection(self.url, self.cookie)
        await http.post("/api/open", json.dumps({"page": self.page}).encode())
        seq, text = 1, ""
        events = [_event(1, "load", {"task": TASK, "text": "", "source": "starter"})]
        while time.monotonic() < end:
            for _ in range(EDITS):
                seq += 1
                change = {"from": len(text), "to": len(text), "insert": "x\n"[len(text) % 40 == 39]}
                text += change["insert"]
                edit = {"task": TASK, "kind": "typed", "changes": [change], "length": len(text)}
                events.append(_event(seq, "edit", edit))
            self.tally.sent[self.who, self.page], self.tally.texts[self.who] = seq, text
            try:
                answer = await http.post("/api/events", json.dumps({"page": self.page, "events": events}).encode())
                self.tally.latency["events"].append(answer.total)
                if answer.status != 200 or json.loads(answer.body)["ack"] != seq:
                    self.tally.errors.append(f"events {answer.status} {answer.body[:80]!r}")
                events = []
            except (OSError, ValueError, asyncio.IncompleteReadError) as problem:
                self.tally.errors.append(f"events {problem!r}")
                await http.close()
            await asyncio.sleep(max(0.0, think(self.rng) - answer.total))
        await http.close()

    async def _run(self) -> None:
        http = Connection(self.url, self.cookie)
        solves = self.rng.random() < SOLVE
        code = SOLUTION if solves else FAILING
        answer = await http.post("/api/runs", json.dumps({"code": code, "page": self.page}).encode())
        await http.close()
        lines = [json.loads(line) for line in answer.body.splitlines()]
        examples = answer.arrived(b'"type": "examples"')
        self.tally.latency["runs"].append(answer.total if examples is None else examples)
        own = sum(line.get("wall_seconds") or 0.0 for line in lines)
        self.tally.latency["runs_beyond_the_program"].append(answer.total - own)
        ended = any(line.get("ended_by") == "exit" for line in lines)
        passed = [check["passed"] for line in lines if line["type"] == "examples" for check in line["checks"]]
        if answer.status != 200 or not ended or not passed or all(passed) != solves:
            self.tally.errors.append(f"run {answer.status} {answer.body[:200]!r}")

    async def _ask(self) -> None:
        http = Connection(self.url, self.cookie)
        body = json.dumps({"message": "What is a nursery?", "page": self.page}).encode()
        answer = await http.post("/api/chat", body)
        await http.close()
        self.tally.latency["chat_first"].append(answer.first)
        self.tally.latency["chat"].append(answer.total)
        if answer.status != 200 or b"nursery" not in answer.body:
            self.tally.errors.append(f"chat {answer.status} {answer.body[:200]!r}")


def _event(seq: int, kind: str, payload: dict) -> dict:
    now = time.time() * 1000  # noqa: TID251
    return {"seq": seq, "kind": kind, "client_time_ms": now, "mono_ms": time.monotonic() * 1000, "payload": payload}


async def enrolled(url: str, database: str, count: int) -> dict[str, str]:
    """Participants on the main tasks with the clock running: id -> cookie."""
    cookies = []
    http = Connection(url)
    while len(cookies) < count:
        answer = await http.post("/enter", kind="application/x-www-form-urlencoded")
        if answer.status == 429:  # more than a lecture hall behind one address
            await asyncio.sleep(float(answer.headers["retry-after"]))
            continue
        cookies.append(answer.headers["set-cookie"].partition(";")[0].partition("=")[2])
    await http.close()
    registry = open_registry(database)
    now = datetime.now(UTC)  # noqa: TID251
    found = {}
    with registry.begin() as unit:
        for cookie in cookies:
            person = unit.participant_of_token(hashed(cookie), now)
            unit.touch(person.id, stage="tasks", arm="ai")
            unit.open_visit(Visit(person.id, "tasks", now, now + timedelta(minutes=60)))
            found[person.id] = cookie
    registry.close()
    return found


def stored(database: str, tally: Tally) -> dict[str, int]:
    """Lost and doubled events and wrong texts, counted in the database."""
    registry = open_registry(database)
    total = lost = doubled = wrong = 0
    with registry.begin(write=False) as unit:
        for (who, page), sent in tally.sent.items():
            numbers = [event.seq for event in unit.events(who) if event.page == page]
            total += len(numbers)
            doubled += len(numbers) - len(set(numbers))
            lost += len(set(range(1, sent + 1)) - set(numbers))
        for who, text in tally.texts.items():
            document = unit.document(who, TASK)
            wrong += document is None or document.text != text
    registry.close()
    sent_in_all = sum(tally.sent.values())
    return {
        "events_sent": sent_in_all,
        "events_stored": total,
        "events_lost": lost,
        "events_duplicated": doubled,
        "texts_wrong": wrong,
    }
