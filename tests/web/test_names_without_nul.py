"""By one rule every route refuses a name that no database can look up; what a participant writes may hold anything."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from support.databases import SQLITE_IS_SLOW
from support.trials.console_trial import Trial

from study_app.bootstrap import install
from study_app.bootstrap.following import follow_files
from study_app.services.participant.enrolment import EntryRequest
from study_app.web.app import served_routes
from study_app.web.requests import COOKIE
from study_app.web.routes.enter import SHORT
from study_app.web.routes.researcher import console, console_files, console_password

PLACE = {"page": "p1", "stage": "tasks", "step": 0, "seq": 1, "shown": {}}
NAMES = {
    "/api/answers": (PLACE, ("stage",)),
    "/api/interview": (PLACE | {"act": "skipped"}, ("stage", "act")),
    "/api/act": ({"stage": "tasks", "act": "continue"}, ("stage", "act")),
    "/api/probes": ({"page": "p1", "act": "show"}, ("page", "act")),
    "/api/chat/stop": ({"turn_id": "t1"}, ("turn_id",)),
    "/api/decisions": ({"action_id": "a1", "decision": "apply"}, ("action_id", "decision")),
    "/api/submit": ({"code": "1", "task": "warmup"}, ("task",)),
    "/api/open": ({"page": "p1"}, ("page",)),
    "/api/events": ({"page": "p1", "events": []}, ("page",)),
}
ENTRY = ("link", "label", "PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "move", "test", "again", "language")
ADDRESSES = [
    "/api/answers?stage=a%00b&step=0",
    f"{SHORT}a%00b",
    "/no-reminders?token=a%00b",
    "/author/go?screen=a%00b",
    "/author/go?screen=consent&arm=%00",
    *(f"/enter?{name}=a%00b" for name in ENTRY),
]
FORMS = [*(("/enter", name) for name in ENTRY), ("/no-reminders", "token")]
OF_RESEARCHERS = ["/api/replay/a%00b", "/download/prereg.a%00b", "/download/dataset.zip?format=a%00b"]


@pytest.fixture
def ask(tmp_path, database_url):
    """Asks with the cookies of a participant on a task and of a researcher; returns status and what is said."""
    trial = Trial(tmp_path, database=database_url, entry="open")
    install(trial.app)
    follow_files(trial.app)
    admitted = trial.app.enrol.enter(EntryRequest())
    trial.to_tasks(admitted.participant.id)
    trial.app.session.begin_stage(admitted.participant.id, "tasks")
    accounts = console.accounts()
    accounts.set("a long enough password", "anna")
    known = accounts.check("a long enough password", trial.app.context.now(), "anna")
    signed_in = accounts.sign_in(known, trial.app.context.now())
    site = Starlette(routes=served_routes(trial.app))
    board = Starlette(routes=[*console.ROUTES, *console_files.ROUTES, *console_password.ROUTES])

    async def asked(method: str, path: str, of: Starlette, **more) -> tuple[int, str]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(of, client=("127.0.0.1", 1)),
            base_url="http://127.0.0.1:8501",
            headers={"cookie": f"{COOKIE}={admitted.token}; {console.COOKIE}={signed_in}"},
        ) as client:
            answer = await client.request(method, path, **more)
            return answer.status_code, answer.text

    def act(method: str, path: str, *, of_researcher: bool = False, **more) -> tuple[int, str]:
        return asyncio.run(asked(method, path, board if of_researcher else site, **more))

    yield act
    trial.close()


@SQLITE_IS_SLOW
def test_a_name_that_no_database_can_look_up_is_refused_on_every_route(ask):
    for path, (body, names) in NAMES.items():
        for name in names:
            for wrong in ("a\0b", "\ud800"):
                status, said = ask("POST", path, content=json.dumps(body | {name: wrong}))
                assert (status, bool(json.loads(said)["error"])) == (400, True), (path, name, wrong, said)
    for address in ADDRESSES:
        assert ask("GET", address)[0] == 400, address
    for path, name in FORMS:
        body = urlencode({name: "a\0b"})
        kind = {"content-type": "application/x-www-form-urlencoded"}
        assert ask("POST", path, content=body, headers=kind)[0] == 400, (path, name)
    for address in OF_RESEARCHERS:
        assert ask("GET", address, of_researcher=True)[0] == 400, address
    for path in ("/login", "/password"):
        status, _ = ask("POST", path, of_researcher=True, content=urlencode({"name": "a\0b", "password": "x"}))
        assert status == 400, path
    assert ask("GET", "/login?ticket=a%00b", of_researcher=True)[0] < 500


@SQLITE_IS_SLOW
def test_what_a_participant_writes_may_hold_it(ask):
    pasted = {"text": "a\0\ud800b", "length": 4, "from": "outside", "target": "editor", "how": "paste"}
    event = {"seq": 1, "kind": "paste_attempt", "client_time_ms": 0, "mono_ms": 1, "payload": pasted}
    typed = {"page": "p1", "events": [event]}
    assert ask("POST", "/api/open", content=json.dumps({"page": "p1"}))[0] == 200
    assert ask("POST", "/api/events", content=json.dumps(typed))[0] == 200
    status, said = ask("GET", "/api/state")
    assert (status, json.loads(said)["stage"]) == (200, "tasks")
