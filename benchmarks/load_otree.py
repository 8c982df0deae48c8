"""oTree's page submit under the same client and think time: POST, redirect, the next page."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from load_http import Connection
from load_people import EVERY, think
from support.server import free_port

VERSION = "otree==6.0.15"
PAGE = """
from otree.api import *
class C(BaseConstants):
    NAME_IN_URL = 'workspace'
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = MANY
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
TEMPLATE = "{{ block content }}{{ formfields }}{{ next_button }}{{ endblock }}"
SETTINGS = """
SESSION_CONFIGS = [dict(name='workspace', app_sequence=['workspace'], num_demo_participants=1)]
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
KEY = "otree-rest-key: k\r\n"


def otree(count: int, seconds: float, quantiles: Callable[[list[float]], dict]) -> dict:
    """Latency of the page submit; no runs and no chat."""
    folder = Path(tempfile.mkdtemp(prefix="otree-load-"))
    try:
        programs = _environment()
        project = folder / "project"
        (project / "workspace").mkdir(parents=True)
        (project / "_static").mkdir()
        (project / "_templates").mkdir()
        (project / "settings.py").write_text(SETTINGS)
        # A round is a page; no participant can be faster than one a second.
        rounds = str(int(seconds * 2 / EVERY) + 10)
        (project / "workspace" / "__init__.py").write_text(PAGE.replace("MANY", rounds))
        (project / "workspace" / "Work.html").write_text(TEMPLATE)
        return asyncio.run(_measure(project, programs, count, seconds, quantiles))
    except subprocess.CalledProcessError as error:
        return {"not_measured": f"{error}: {(error.stderr or b'')[-300:]!r}"}
    except (OSError, RuntimeError, ValueError, KeyError, asyncio.IncompleteReadError) as error:
        return {"not_measured": repr(error)[:300]}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment() -> Path:
    """oTree in a separate environment, kept between calls; the folder of its programs."""
    folder = Path(tempfile.gettempdir()) / f"{VERSION.replace('==', '-')}-env-{os.getuid()}"
    programs = folder / "bin"
    if not (programs / "otree").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([programs / "pip", "install", "--quiet", VERSION, "requests"], check=True, stdout=sys.stderr)
    return programs


async def _measure(
    project: Path, programs: Path, count: int, seconds: float, quantiles: Callable[[list[float]], dict]
) -> dict:
    port = free_port()
    path = f"{programs}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "OTREE_PRODUCTION": "1", "OTREE_REST_KEY": "k"}
    environment.pop("DATABASE_URL", None)
    reset = [programs / "otree", "resetdb", "--noinput"]
    subprocess.run(reset, cwd=project, env=environment, check=True, capture_output=True)
    with (project / "log").open("w") as log:
        server = subprocess.Popen(
            [programs / "otree", "prodserver", str(port)],
            cwd=project,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        links = await _links(url, count)
        latency: list[float] = []
        errors: list[str] = []
        await asyncio.gather(*(_person(url, link, seconds, latency, errors) for link in links))
        return {
            "version": VERSION,
            "participants": count,
            "seconds": seconds,
            "page_submit": quantiles(latency),
            "submits_per_second": round(len(latency) / seconds, 1),
            "errors": len(errors),
            "first_errors": errors[:2],
        }
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


async def _links(url: str, count: int) -> list[str]:
    http = Connection(url)
    for _ in range(150):
        try:
            await http.get("/")
            break
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.2)
    body = json.dumps({"session_config_name": "workspace", "num_participants": count}).encode()
    made = json.loads((await http.post("/api/sessions", body, headers=KEY)).body)
    session = json.loads((await http.get(f"/api/sessions/{made['code']}", headers=KEY)).body)
    await http.close()
    return [f"/InitializeParticipant/{person['code']}" for person in session["participants"]]


async def _person(url: str, link: str, seconds: float, latency: list[float], errors: list[str]) -> None:
    rng = random.Random(link)
    end = time.monotonic() + seconds
    http = Connection(url)
    await asyncio.sleep(rng.random() * EVERY)
    page, _ = await _followed(http, await http.get(link))
    while time.monotonic() < end:
        began = time.perf_counter()
        answer = await http.post(page, b"code=" + b"x" * 200, kind="application/x-www-form-urlencoded")
        following, status = await _followed(http, answer)
        took = time.perf_counter() - began
        latency.append(took)
        if status != 200 or following == page:
            errors.append(f"{status} {following}")
            return
        page = following
        await asyncio.sleep(max(0.0, think(rng) - took))
    await http.close()


async def _followed(http: Connection, answer) -> tuple[str, int]:
    """The path and status of the page that a redirect leads to."""
    path = ""
    while answer.status in (301, 302, 303, 307):
        path = urlsplit(answer.headers["location"]).path
        answer = await http.get(path)
    return path, answer.status
