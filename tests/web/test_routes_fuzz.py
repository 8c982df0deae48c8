"""Any bytes into the routes that walks do not reach: an answer or one refusal with a sentence, and never a failure."""

from __future__ import annotations

import asyncio
import json
import os
from random import Random
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from support.hostile.hostile_values import NUMBERS, TEXTS, anything, encoded, maybe, odd_body
from support.trials.interview_study import Interviewee

from study_app.bootstrap import install
from study_app.bootstrap.following import follow_files
from study_app.services.participant.enrolment import EntryRequest
from study_app.web.requests import COOKIE
from study_app.web.routes import acts, answers, author, enter, events, picture, probes, reminders
from study_app.web.routes.researcher import console, console_files

MANY = int(os.environ.get("STUDY_FUZZED_ROUTES", "3000"))
AT_ONCE = 6
SHORT_TEXTS = tuple(text for text in TEXTS if len(text) < 3000)
"""An address is refused before it comes to a route where it is longer."""
ENTRY = ("link", "PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "label", "test", "again", "language", "prolific_token", "x")
SEEDS = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A draft that its author works on, a person at its interview, and one who is signed in to the console."""
    person = Interviewee(tmp_path_factory.mktemp("fuzz"))
    install(person.app)
    follow_files(person.app)
    person.token = person.app.enrol.enter(EntryRequest()).token
    accounts = console.accounts()
    accounts.set("a long enough password", "anna")
    known = accounts.check("a long enough password", person.app.context.now(), "anna")
    person.signed_in = accounts.sign_in(known, person.app.context.now())
    person.moving = person.app.enrol.moving_token(person.id)
    routes = [*acts.ROUTES, *answers.ROUTES, *author.ROUTES, *enter.ROUTES, *events.ROUTES, *picture.ROUTES]
    person.site = Starlette(routes=[*routes, *probes.ROUTES, *reminders.ROUTES])
    person.console = Starlette(routes=[*console.ROUTES, *console_files.ROUTES])
    yield person
    person.app.close()


def address(path: str, fields: dict) -> str:
    return f"{path}?{urlencode(fields, errors='surrogatepass')}" if fields else path


def drawn(rng: Random, names, usual: dict | None = None) -> dict:
    """Some of these fields, each with a text that a stranger may send."""
    made = {name: rng.choice(SHORT_TEXTS) for name in names if rng.random() < 0.5}
    return made | {name: value for name, value in (usual or {}).items() if rng.random() < 0.6}


def at_the_door(rng: Random, room) -> tuple:
    fields = drawn(rng, ENTRY, {"test": "1"})
    path = rng.choice(("/enter", "/enter", "/no-reminders"))
    if rng.random() < 0.3:
        return "GET", enter.SHORT + quote(rng.choice(SHORT_TEXTS) or "x", safe="", errors="surrogatepass"), b"", {}
    if rng.random() < 0.4:
        return "GET", address(path, fields | drawn(rng, ("token",))), b"", {}
    kind = rng.choice(("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""))
    body = urlencode(fields | drawn(rng, ("token",)), errors="surrogatepass").encode()
    return "POST", path, rng.choice((body, body, body, odd_body(rng)[:5000])), {"content-type": kind}


def by_the_author(rng: Random, room) -> tuple:
    screens = [screen.key for screen in room.app.author.previews.screens()]
    usual = {"screen": rng.choice(screens), "arm": rng.choice(("plain", "other")), "language": "de"}
    fields = drawn(rng, ("screen", "arm", "language", "stopped"), usual)
    return "GET", address(rng.choice(("/author/go", "/author/go", "/author/clock")), fields), b"", {}


def at_the_interview(rng: Random, room) -> tuple:
    usual = {
        "page": "p1", "stage": "talk", "step": 0, "seq": 1, "act": rng.choice(("skipped", "stopped", "answer", "show")),
        "shown": {"turn_1": rng.choice(TEXTS)}, "minute": rng.choice(NUMBERS), "events": [], "mono_ms": 0,
        "valence": rng.choice(NUMBERS), "arousal": 3, "pledged": True, "erase": anything(rng, 1),
    }  # fmt: skip
    # Stopping would end what the others of these requests are about.
    usual["act"] = "skip" if usual["act"] == "stopped" and rng.random() < 0.9 else usual["act"]
    value = {name: maybe(rng, each, 0.15) for name, each in usual.items() if rng.random() < 0.9}
    paths = ("/api/interview", "/api/answers", "/api/act", "/api/probes", "/api/open", "/picture/api/events")
    body = odd_body(rng)[:20_000] if rng.random() < 0.15 else encoded(value)
    if rng.random() < 0.2:
        place = drawn(rng, ("stage", "step"), {"stage": "talk", "step": rng.choice(("0", "1", "²", "9" * 7, "-1"))})
        return "GET", address("/api/answers", place), b"", {}
    return "POST", rng.choice(paths), body, {"content-type": "application/json"}


def in_the_console(rng: Random, room) -> tuple:
    if rng.random() < 0.3:
        body = urlencode(drawn(rng, ("name", "password", "x")), errors="surrogatepass").encode()
        return "POST", "/login", rng.choice((body, odd_body(rng)[:3000])), {}
    someone = quote(rng.choice((room.id, *SHORT_TEXTS)) or "x", safe="", errors="surrogatepass")
    wanted = drawn(rng, ("preview", "simulated", "public", "format", "ticket"), {"format": "no"})
    paths = (f"/api/replay/{someone}", f"/download/prereg.{someone}", "/download/audit.csv", "/download/enrolment.csv")
    return "GET", address(rng.choice((*paths, "/download/dataset.zip", "/login")), wanted), b"", {}


BORDERS = {
    "door": at_the_door,
    "author": by_the_author,
    "interview": at_the_interview,
    "console": in_the_console,
}


def cookies(rng: Random, room, border: str) -> str:
    own = f"{console.COOKIE}={room.signed_in}" if border == "console" else f"{COOKIE}={room.moving}"
    return rng.choice((own, own, own, own, f"{COOKIE}={room.token}", f"{COOKIE}=", "a", f"{COOKIE}=%00; x={'y' * 900}"))


async def asked(room, border: str, seed: int) -> None:
    rng = Random(seed)
    site = room.console if border == "console" else room.site
    transport = httpx.ASGITransport(site, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8501") as client:
        for _ in range(AT_ONCE):
            method, path, body, headers = BORDERS[border](rng, room)
            headers = {**headers, "cookie": cookies(rng, room, border)}
            headers["accept"] = rng.choice(("text/html", "application/json", "*/*", ""))
            try:
                answer = await client.request(method, path, content=body, headers=headers)
            except (httpx.InvalidURL, httpx.LocalProtocolError):
                continue
            assert answer.status_code < 500, (border, seed, method, path[:300], body[:300], answer.text[:500])
            if answer.status_code >= 400 and answer.headers.get("content-type", "").startswith("application/json"):
                assert answer.json()["error"], (border, seed, path)
            if answer.status_code >= 400:
                assert answer.content, (border, seed, path)


@pytest.mark.parametrize("border", BORDERS)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(SEEDS)
def test_any_request_at_a_border_is_an_answer_or_a_refusal_with_a_sentence(room, border, seed):
    asyncio.run(asked(room, border, seed))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("border", BORDERS)
def test_thousands_of_requests_at_a_border_are_answers_or_refusals(room, border):
    for seed in range(MANY // AT_ONCE):
        asyncio.run(asked(room, border, seed))
    with room.app.context.registry.begin(write=False) as unit:
        stored = [json.dumps(entry.detail) for entry in unit.audit()]
    assert not [entry for entry in stored if "\x00" in entry]
