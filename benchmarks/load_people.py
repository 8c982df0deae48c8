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
PARTS = ("events", "runs", "chat", "agent")

OF_AGENTS = ("agent_first_step", "agent_after_a_decision", "agent")
"""From asking to the first step, from a decision to what comes after it, and the whole turn, thinking included."""
MARK = b"\x1e"
LOOKS = (1.0, 4.0)
"""Seconds that a person looks at a step before they decide."""


@dataclass
class Tally:
    """What all of them met."""

    latency: dict[str, list[float]] = field(
        default_factory=lambda: {
            name: [] for name in ("events", "runs", "runs_beyond_the_program", "chat_first", "chat", *OF_AGENTS)
        }
    )
    applied: int = 0
    """Changes of agents that the pages made."""
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
        self.seq, self.text = 1, ""
        self.acting = False
        """An assistant that acts is at work: its person looks on, and types nothing."""
        self.sending = asyncio.Lock()

    async def work(self, seconds: float, parts: tuple[str, ...]) -> None:
        """Until the time is over."""
        end = time.monotonic() + seconds
        await asyncio.sleep(self.rng.random() * EVERY)
        side = [asyncio.create_task(self._now_and_then(self._run, end))] if "runs" in parts else []
        side += [asyncio.create_task(self._now_and_then(self._ask, end))] if "chat" in parts else []
        side += [asyncio.create_task(self._now_and_then(self._ask_agent, end))] if "agent" in parts else []
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
        load = _event(1, "load", {"task": TASK, "text": "", "source": "starter"})
        await self._send(http, [load])
        while time.monotonic() < end:
            began = time.monotonic()
            if not self.acting:
                await self._send(http, [])
            await asyncio.sleep(max(0.0, think(self.rng) - (time.monotonic() - began)))
        await http.close()

    async def _send(self, http: Connection, events: list[dict]) -> None:
        """Send these events, or ten typed characters where there are none."""
        async with self.sending:
            for _ in range(0 if events else EDITS):
                start = len(self.text)
                events.append(self._edit("typed", start, start, "x\n"[start % 40 == 39]))
            self.tally.sent[self.who, self.page], self.tally.texts[self.who] = self.seq, self.text
            try:
                answer = await http.post("/api/events", json.dumps({"page": self.page, "events": events}).encode())
                self.tally.latency["events"].append(answer.total)
                if answer.status != 200 or json.loads(answer.body)["ack"] != self.seq:
                    self.tally.errors.append(f"events {answer.status} {answer.body[:80]!r}")
            except (OSError, ValueError, asyncio.IncompleteReadError) as problem:
                self.tally.errors.append(f"events {problem!r}")
                await http.close()

    def _edit(self, kind: str, start: int, end: int, insert: str, **more: str) -> dict:
        self.seq += 1
        self.text = self.text[:start] + insert + self.text[end:]
        change = {"from": start, "to": end, "insert": insert}
        payload = {"task": TASK, "kind": kind, "changes": [change], "length": len(self.text), **more}
        return _event(self.seq, "edit", payload)

    async def _ask_agent(self) -> None:
        """Ask an assistant that acts, and approve each of its steps after a look at it."""
        async with self.sending:
            self.acting = True
        asking, deciding = Connection(self.url, self.cookie), Connection(self.url, self.cookie)
        frames: asyncio.Queue[dict | None] = asyncio.Queue()
        asking.heard = Frames(frames).heard
        answers = asyncio.create_task(self._decide(deciding, frames))
        try:
            body = {"message": "please write the whole program", "page": self.page, "code": self.text, "seq": self.seq}
            answer = await asking.post("/api/chat", json.dumps(body).encode())
            if answer.status != 200 or b'"tool": "report"' not in answer.body:
                self.tally.errors.append(f"agent {answer.status} {answer.body[-200:]!r}")
            self.tally.latency["agent"].append(answer.total)
            first = answer.arrived(b'"type": "action"')
            self.tally.latency["agent_first_step"].append(answer.total if first is None else first)
        finally:
            frames.put_nowait(None)
            await answers
            self.acting = False
            await asking.close()
            await deciding.close()

    async def _decide(self, http: Connection, frames: asyncio.Queue[dict | None]) -> None:
        decided_at = None
        while (frame := await frames.get()) is not None:
            if decided_at is not None:
                self.tally.latency["agent_after_a_decision"].append(time.monotonic() - decided_at)
                decided_at = None
            if frame["type"] != "action" or not (frame["waits"] or frame["tool"] == "edit"):
                continue
            if frame["waits"]:
                await asyncio.sleep(self.rng.uniform(*LOOKS))
            decided_at = time.monotonic()
            if frame["tool"] == "edit":
                more = {"action_id": frame["action_id"]}
                said = self._edit("agent", frame["start"], frame["end"], frame["input"]["new"], **more)
                self.tally.applied += 1
            else:
                self.seq += 1
                payload = {"action_id": frame["action_id"], "decision": "approve"}
                said = _event(self.seq, "agent_answered", payload)
            await self._send(http, [said])

    async def _run(self) -> None:
        http = Connection(self.url, self.cookie)
        solves = self.rng.random() < SOLVE
        code = SOLUTION if solves else FAILING
        answer = await http.post("/api/runs", json.dumps({"code": code, "page": self.page}).encode())
        await http.close()
        if answer.status != 200:
            self.tally.errors.append(f"run {answer.status} {answer.body[:200]!r}")
            return
        lines = [json.loads(line) for line in answer.body.splitlines()]
        examples = answer.arrived(b'"type": "examples"')
        self.tally.latency["runs"].append(answer.total if examples is None else examples)
        own = sum(line.get("wall_seconds") or 0.0 for line in lines)
        self.tally.latency["runs_beyond_the_program"].append(answer.total - own)
        ended = any(line.get("ended_by") == "exit" for line in lines)
        passed = [check["passed"] for line in lines if line["type"] == "examples" for check in line["checks"]]
        if not ended or not passed or all(passed) != solves:
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


class Frames:
    """Takes the steps out of the pieces of a streamed reply."""

    def __init__(self, found: asyncio.Queue[dict | None]) -> None:
        self._found = found
        self._rest = b""

    def heard(self, piece: bytes) -> None:
        *whole, self._rest = (self._rest + piece).split(MARK)
        for part in whole:
            if part.startswith(b'{"type"'):
                self._found.put_nowait(json.loads(part))


def _event(seq: int, kind: str, payload: dict) -> dict:
    now = time.time() * 1000  # noqa: TID251
    return {"seq": seq, "kind": kind, "client_time_ms": now, "mono_ms": time.monotonic() * 1000, "payload": payload}


async def enrolled(url: str, database: str, count: int, minutes: float = 60) -> dict[str, str]:
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
            unit.open_visit(Visit(person.id, "tasks", now, now + timedelta(minutes=minutes)))
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
