"""Participants in the workspace, all at once: events, runs and chat over real HTTP, beside oTree's page submit.

    python benchmarks/bench_load.py --participants 200 --seconds 300 --peer

One server process, the client on the same machine. Each participant sends a batch of 10 edits every 2 s, runs a
program every 30 s and asks the embedded assistant every 30 s. `--peer` measures oTree (from PyPI, in an environment of
its own) under the same think time. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "trial"))

from server import StudyServer, free_port  # noqa: E402

from study_app.domain.participant import Visit  # noqa: E402
from study_app.services.enrol import hashed  # noqa: E402
from study_app.storage import open_registry  # noqa: E402

PROGRAM = "import trio\n\nasync def main():\n    await trio.sleep(0.2)\n    print('done')\n\ntrio.run(main)\n"


def memory_mb(pid: int) -> float:
    """Resident memory of a process, without its children."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def quantiles(seconds: list[float]) -> dict[str, float]:
    if len(seconds) < 2:
        return {"n": len(seconds)}
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "n": len(seconds),
        "p50_ms": round(cuts[49] * 1000, 1),
        "p95_ms": round(cuts[94] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
        "max_ms": round(max(seconds) * 1000, 1),
    }


class Tally:
    def __init__(self) -> None:
        self.latency: dict[str, list[float]] = {"events": [], "runs": [], "chat_first": [], "chat": []}
        self.errors: list[str] = []
        self.sent: dict[str, int] = {}


async def participant(url: str, cookie: str, who: str, seconds: float, tally: Tally) -> None:
    """One person at work."""
    page, seq, text = uuid.uuid4().hex, 0, ""
    rng = random.Random(who)
    end = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=4)
    async with httpx.AsyncClient(
        base_url=url, cookies={"study_participant": cookie}, timeout=60, limits=limits
    ) as http:
        await asyncio.sleep(rng.random() * 2)
        await http.post("/api/open", json={"page": page})
        side = [asyncio.create_task(runner(http, page, end, rng, tally))]
        side.append(asyncio.create_task(asker(http, page, end, rng, tally)))
        while time.monotonic() < end:
            events = []
            if seq == 0:
                seq = 1
                events.append(event(1, "load", {"task": "trio_timer", "text": "", "source": "starter"}))
            for _ in range(10):
                seq += 1
                change = {"from": len(text), "to": len(text), "insert": "x"}
                text += "x"
                payload = {"task": "trio_timer", "kind": "typed", "changes": [change], "length": len(text)}
                events.append(event(seq, "edit", payload))
            began = time.perf_counter()
            answer = await http.post("/api/events", json={"page": page, "events": events})
            tally.latency["events"].append(time.perf_counter() - began)
            if answer.status_code != 200 or answer.json()["ack"] != seq:
                tally.errors.append(f"events {answer.status_code} {answer.text[:80]}")
            tally.sent[who] = seq
            await asyncio.sleep(max(0.0, rng.uniform(1.0, 3.0) - (time.perf_counter() - began)))
        await asyncio.gather(*side)


def event(seq: int, kind: str, payload: dict) -> dict:
    return {"seq": seq, "kind": kind, "client_time_ms": time.time() * 1000, "payload": payload}  # noqa: TID251


async def runner(http: httpx.AsyncClient, page: str, end: float, rng: random.Random, tally: Tally) -> None:
    await asyncio.sleep(rng.random() * 30)
    while time.monotonic() < end:
        began = time.perf_counter()
        answer = await http.post("/api/runs", json={"code": PROGRAM, "page": page})
        tally.latency["runs"].append(time.perf_counter() - began)
        if answer.status_code != 200 or '"done"' not in answer.text:
            tally.errors.append(f"run {answer.status_code} {answer.text[:200]}")
        await asyncio.sleep(30)


async def asker(http: httpx.AsyncClient, page: str, end: float, rng: random.Random, tally: Tally) -> None:
    await asyncio.sleep(rng.random() * 30)
    while time.monotonic() < end:
        began, first = time.perf_counter(), None
        async with http.stream("POST", "/api/chat", json={"message": "What is a nursery?", "page": page}) as answer:
            async for _ in answer.aiter_bytes():
                first = first or time.perf_counter() - began
        if answer.status_code != 200:
            tally.errors.append(f"chat {answer.status_code}")
        else:
            tally.latency["chat_first"].append(first or 0.0)
            tally.latency["chat"].append(time.perf_counter() - began)
        await asyncio.sleep(30)


def enrolled(server: StudyServer, count: int) -> dict[str, str]:
    """Participants on the main tasks with the clock running; id -> cookie."""
    cookies = []
    for _ in range(count):
        answer = httpx.post(f"{server.url}/enter")
        cookies.append(answer.cookies["study_participant"])
    registry = open_registry(server.database)
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


async def load(server: StudyServer, people: dict[str, str], seconds: float) -> Tally:
    tally = Tally()
    await asyncio.gather(*(participant(server.url, cookie, who, seconds, tally) for who, cookie in people.items()))
    return tally


def stored(server: StudyServer, tally: Tally) -> dict[str, int]:
    """Lost and doubled events, counted in the database."""
    registry = open_registry(server.database)
    lost = doubled = total = 0
    with registry.begin(write=False) as unit:
        for who, sent in tally.sent.items():
            seqs = [e.seq for e in unit.events(who) if e.kind in ("load", "edit")]
            total += len(seqs)
            doubled += len(seqs) - len(set(seqs))
            lost += len(set(range(1, sent + 1)) - set(seqs))
    registry.close()
    return {"events_stored": total, "events_lost": lost, "events_doubled": doubled}


def ours(count: int, seconds: float) -> dict:
    folder = Path(tempfile.mkdtemp(prefix="study-load-"))
    server = StudyServer(folder).start()
    try:
        people = enrolled(server, count)
        before = memory_mb(server.process.pid)
        tally = asyncio.run(load(server, people, seconds))
        after = memory_mb(server.process.pid)
        return {
            "participants": count,
            "seconds": seconds,
            "latency": {name: quantiles(values) for name, values in tally.latency.items()},
            "errors": len(tally.errors),
            "first_errors": tally.errors[:3],
            "memory_growth_mb_per_participant": round((after - before) / count, 3),
            **stored(server, tally),
        }
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


# -- oTree

OTREE_PAGE = """
from otree.api import *
class C(BaseConstants):
    NAME_IN_URL = 'typing'
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 400
class Subsession(BaseSubsession):
    pass
class Group(BaseGroup):
    pass
class Player(BasePlayer):
    code = models.LongStringField(blank=True)
class Work(Page):
    form_model = 'player'
    form_fields = ['code']
page_sequence = [Work]
"""
OTREE_TEMPLATE = "{{ block content }}{{ formfields }}{{ next_button }}{{ endblock }}"
OTREE_SETTINGS = """
SESSION_CONFIGS = [dict(name='typing', app_sequence=['typing'], num_demo_participants=1)]
SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1.0, participation_fee=0.0)
PARTICIPANT_FIELDS = []
SESSION_FIELDS = []
LANGUAGE_CODE = 'en'
REAL_WORLD_CURRENCY_CODE = 'USD'
USE_POINTS = True
ADMIN_USERNAME = 'admin'
ADMIN_PASSWORD = 'admin'
SECRET_KEY = 'bench'
"""


def otree(count: int, seconds: float) -> dict:
    """oTree's page submit (POST, redirect, GET) with the same think time, no runs and no chat."""
    folder = Path(tempfile.mkdtemp(prefix="otree-load-"))
    try:
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, folder / "env"], check=True)
        python = folder / "env" / "bin" / "python"
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, "otree==6.0.15", "requests"], check=True)
        project = folder / "project"
        (project / "typing").mkdir(parents=True)
        (project / "settings.py").write_text(OTREE_SETTINGS)
        (project / "typing" / "__init__.py").write_text(OTREE_PAGE)
        (project / "typing" / "Work.html").write_text(OTREE_TEMPLATE)
        return asyncio.run(_otree(project, folder / "env" / "bin", count, seconds))
    except (OSError, subprocess.CalledProcessError, RuntimeError, httpx.HTTPError) as error:
        return {"not_measured": str(error)[:300]}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _otree(project: Path, bin_: Path, count: int, seconds: float) -> dict:
    port = free_port()
    environment = os.environ | {"PATH": f"{bin_}:{os.environ['PATH']}", "OTREE_PRODUCTION": "1", "OTREE_REST_KEY": "k"}
    environment.pop("DATABASE_URL", None)
    subprocess.run(
        [bin_ / "otree", "resetdb", "--noinput"], cwd=project, env=environment, check=True, capture_output=True
    )
    log = (project / "log").open("w")
    server = subprocess.Popen(
        [bin_ / "otree", "prodserver", str(port)],
        cwd=project,
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        links = await _otree_links(url, count)
        latency: list[float] = []
        errors: list[str] = []
        await asyncio.gather(*(_otree_person(link, seconds, latency, errors) for link in links))
        return {
            "participants": count,
            "page_submit": quantiles(latency),
            "errors": len(errors),
            "first_errors": errors[:2],
        }
    finally:
        os.killpg(server.pid, 15)
        server.wait()


async def _otree_links(url: str, count: int) -> list[str]:
    async with httpx.AsyncClient(base_url=url, timeout=60, headers={"otree-rest-key": "k"}) as http:
        for _ in range(100):
            try:
                await http.get("/")
                break
            except httpx.HTTPError:
                await asyncio.sleep(0.2)
        body = {"session_config_name": "typing", "num_participants": count}
        made = (await http.post("/api/sessions", json=body)).json()
        code = made["code"]
        session = (await http.get(f"/api/sessions/{code}")).json()
        return [f"{url}/InitializeParticipant/{person['code']}" for person in session["participants"]]


async def _otree_person(link: str, seconds: float, latency: list[float], errors: list[str]) -> None:
    rng = random.Random(link)
    end = time.monotonic() + seconds
    async with httpx.AsyncClient(timeout=60, follow_redirects=True) as http:
        await asyncio.sleep(rng.random() * 2)
        page = str((await http.get(link)).url)
        while time.monotonic() < end:
            began = time.perf_counter()
            answer = await http.post(page, data={"code": "x" * 200})
            latency.append(time.perf_counter() - began)
            if answer.status_code != 200:
                errors.append(f"{answer.status_code} {answer.text[:80]}")
                return
            page = str(answer.url)
            await asyncio.sleep(max(0.0, rng.uniform(1.0, 3.0) - (time.perf_counter() - began)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--participants", type=int, nargs="+", default=[50])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--peer", action="store_true")
    given = parser.parse_args()
    report = []
    for count in given.participants:
        row = {"ours": ours(count, given.seconds)}
        if given.peer:
            row["otree"] = otree(count, min(given.seconds, 60))
            peer, mine = row["otree"].get("page_submit"), row["ours"]["latency"]["events"]
            if peer:
                row["ratio_p50"] = round(mine["p50_ms"] / peer["p50_ms"], 3)
                row["ratio_p95"] = round(mine["p95_ms"] / peer["p95_ms"], 3)
        report.append(row)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
