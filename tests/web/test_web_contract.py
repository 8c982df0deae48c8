"""The participant's HTTP contract, on a real server over real HTTP."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest
from server import StudyServer

from study_app.bootstrap import open_library
from study_app.storage import open_registry


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = StudyServer(tmp_path_factory.mktemp("web")).start()
    yield server
    server.stop()


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def enter(client: httpx.Client, **fields: str) -> httpx.Response:
    return client.post("/enter", data=fields)


def participants(server) -> int:
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        count = len(unit.participants())
    registry.close()
    return count


def to_stage(server, client: httpx.Client, stage: str, arm: str | None = None) -> str:
    """Put this client's participant on a stage by the services' own means: a test need not click through."""
    from study_app.services.enrol import hashed

    registry = open_registry(server.database)
    with registry.begin() as unit:
        token = client.cookies["study_participant"]
        person = unit.participant_of_token(hashed(token), _now())
        unit.touch(person.id, stage=stage, arm=arm)
    registry.close()
    client.get("/api/state")
    return person.id


def _now():
    from datetime import UTC, datetime

    return datetime.now(UTC)  # noqa: TID251  (the server runs on the real clock)


def open_task(server, client, arm="ai"):
    """On the main tasks, with the clock running."""
    from datetime import timedelta

    from study_app.domain.participant import Visit

    enter(client)
    who = to_stage(server, client, "tasks", arm)
    registry = open_registry(server.database)
    with registry.begin() as unit:
        unit.open_visit(Visit(who, "tasks", _now(), _now() + timedelta(minutes=35)))
    registry.close()
    return who


def test_healthz_says_ok(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_a_scanners_get_creates_nothing(server, client):
    before = participants(server)
    answer = client.get("/enter", params={"PROLIFIC_PID": "a" * 24, "SESSION_ID": "s"})
    assert answer.status_code == 200
    assert ">Start</button>" in answer.text
    client.head("/enter")
    assert participants(server) == before
    assert "study_participant" not in client.cookies


def test_a_post_creates_sets_the_cookie_and_goes_on(server, client):
    before = participants(server)
    answer = enter(client, PROLIFIC_PID="p" * 24, STUDY_ID="st", SESSION_ID="se")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("study_participant=")
    assert "HttpOnly" in cookie
    assert "SameSite" in cookie
    assert "Secure" not in cookie
    assert participants(server) == before + 1


def test_behind_tls_the_cookie_is_secure(client):
    answer = client.post("/enter", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["set-cookie"]


def test_the_same_session_re_attaches_without_the_cookie(server, client):
    fields = {"PROLIFIC_PID": "q" * 24, "STUDY_ID": "st", "SESSION_ID": "mine"}
    enter(client, **fields)
    before = participants(server)
    client.cookies.clear()
    assert enter(client, **fields).status_code == 303
    assert participants(server) == before


def test_knowing_a_prolific_id_is_not_enough(server, client):
    enter(client, PROLIFIC_PID="r" * 24, SESSION_ID="mine")
    before = participants(server)
    client.cookies.clear()
    answer = enter(client, PROLIFIC_PID="r" * 24, SESSION_ID="guessed")
    assert answer.status_code == 409
    assert "study_participant" not in client.cookies
    assert participants(server) == before


def test_a_second_click_on_start_is_the_same_participant(server, client):
    enter(client)
    before = participants(server)
    enter(client)
    assert participants(server) == before


def test_another_sites_page_cannot_post(client):
    assert client.post("/enter", headers={"Origin": "https://evil.example"}).status_code == 403
    enter(client)
    answer = client.post("/api/runs", json={"code": "1"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/api/events", "/api/runs", "/api/chat", "/api/submit", "/api/open"])
@pytest.mark.parametrize("cookie", [None, "wrong"])
def test_no_or_a_wrong_identity_is_401_in_json(client, path, cookie):
    if cookie:
        client.cookies.set("study_participant", cookie)
    answer = client.post(path, json={})
    assert answer.status_code == 401
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/api/events", b"not json"),
        ("/api/events", b"[]"),
        ("/api/events", b'{"page": "p", "events": [{"seq": 0, "kind": "focus", "client_time_ms": 1}]}'),
        ("/api/events", b'{"page": "p"}'),
        ("/api/events", b'{"page": "a/../b", "events": []}'),
        ("/api/runs", b"{}"),
        ("/api/runs", b'{"code": 5}'),
        ("/api/runs", b"[" * 5000),
        ("/api/chat", b'{"message": null}'),
        ("/api/chat", b'{"message": "  "}'),
        ("/api/events", b'{"page": "p", "events": [{"seq": true, "kind": "focus", "client_time_ms": 1}]}'),
        (
            "/api/events",
            b'{"page": "p", "events": [{"seq": 1, "kind": "x", "client_time_ms": 1, "payload": {"a": NaN}}]}',
        ),
    ],
)
def test_a_malformed_body_is_400_in_json(client, path, content):
    enter(client)
    answer = client.post(path, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/events", "/api/runs", "/api/chat", "/api/submit"])
def test_a_body_over_the_limit_is_413(client, path):
    enter(client)
    answer = client.post(path, content=json.dumps({"code": "x" * 1_100_000}))
    assert answer.status_code == 413
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body"), [("/api/runs", {"code": "x" * 300_000}), ("/api/chat", {"message": "x" * 30_000})]
)
def test_a_text_over_the_stated_limit_is_413(server, client, path, body):
    open_task(server, client)
    answer = client.post(path, json=body)
    assert answer.status_code == 413
    assert answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/events", "/api/runs", "/api/chat", "/enter"])
def test_another_method_is_405_in_json(client, path):
    for method in ("PUT", "DELETE") if path == "/enter" else ("GET", "PUT"):
        answer = client.request(method, path)
        assert answer.status_code == 405
        assert answer.json()["error"]
        assert "POST" in answer.headers["allow"]


def test_an_unknown_route_is_404_in_json_for_every_method(client):
    for method in ("GET", "POST"):
        answer = client.request(method, "/api/nothing")
        assert answer.status_code == 404
        assert answer.json()["error"]


def test_every_answer_forbids_guessing_types_and_frames_of_other_sites(client):
    for path in ("/enter", "/", "/healthz", "/_stcore/health", "/api/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("fields", "status"), [({"PROLIFIC_PID": "x" * 5000}, 400), ({"label": "a\x00b"}, 400), ({"link": "nosuch"}, 409)]
)
def test_a_refusal_at_the_door_is_json_and_a_page_for_a_browser(server, client, fields, status):
    before = participants(server)
    answer = client.post("/enter", data=fields)
    assert answer.status_code == status
    assert answer.json()["error"]
    page = client.post("/enter", data=fields, headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == status
    assert "<h1>" in page.text
    assert participants(server) == before


def test_the_door_takes_both_kinds_of_form_and_nothing_else(server, client):
    before = participants(server)
    assert client.post("/enter", json={"PROLIFIC_PID": "j" * 24}).status_code == 400
    assert participants(server) == before
    form = {"PROLIFIC_PID": (None, "m" * 24), "SESSION_ID": (None, "mine")}
    assert client.post("/enter", files=form).status_code == 303
    client.cookies.clear()
    assert enter(client, PROLIFIC_PID="m" * 24, SESSION_ID="guessed").status_code == 409


@pytest.mark.parametrize(("path", "body"), [("/api/runs", {"code": "1"}), ("/api/submit", {"code": "1"})])
def test_programs_are_refused_where_no_task_is_open(client, path, body):
    enter(client)
    answer = client.post(path, json=body)
    assert answer.status_code == 409
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "batch",
    [
        {"page": "p", "events": [{"seq": 1, "kind": "allocated", "client_time_ms": 1}]},
        {"page": "p", "events": [{"seq": 1, "kind": "no_such_kind", "client_time_ms": 1}]},
        {"page": "server", "events": [{"seq": 1, "kind": "focus", "client_time_ms": 1}]},
    ],
)
def test_a_server_event_cannot_be_forged(client, batch):
    enter(client)
    answer = client.post("/api/events", json=batch)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_fields_of_an_event_beyond_the_named_ones_are_kept_as_its_payload(server, client):
    who = open_task(server, client)
    event = {"seq": 1, "kind": "resize", "client_time_ms": 5, "width": 1366, "payload": {"height": 768}}
    assert client.post("/api/events", json={"page": "p", "events": [event]}).json()["ack"] == 1
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        kept = [event.payload for event in unit.events(who) if event.kind == "resize"]
    registry.close()
    assert kept == [{"width": 1366, "height": 768}]


def test_a_batch_is_acknowledged_once_and_again_without_a_second_row(server, client):
    open_task(server, client)
    page = uuid.uuid4().hex
    client.post("/api/open", json={"page": page})
    events = [{"seq": n, "kind": "focus", "client_time_ms": 1000.0 + n, "payload": {}} for n in (1, 2, 3)]
    for _ in range(2):
        answer = client.post("/api/events", json={"page": page, "events": events})
        assert answer.status_code == 200
        assert answer.json()["ack"] == 3
        assert answer.json()["deadline_ms"] > answer.json()["now_ms"]


def test_a_newer_page_takes_over_and_the_older_is_told(server, client):
    open_task(server, client)
    client.post("/api/open", json={"page": "older"})
    client.post("/api/open", json={"page": "newer"})
    event = {"seq": 1, "kind": "focus", "client_time_ms": 5.0}
    answer = client.post("/api/events", json={"page": "older", "events": [event]})
    assert answer.status_code == 409
    assert answer.json()["reason"] == "superseded"
    assert answer.json()["ack"] == 1, "what it had seen is stored all the same"
    assert client.post("/api/events", json={"page": "newer", "events": [event]}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/runs", {"code": "1"}), ("/api/submit", {"code": "1", "confirm": True}), ("/api/chat", {"message": "Hi"})],
)
def test_a_page_that_was_replaced_neither_runs_nor_submits_nor_asks(server, client, path, body):
    open_task(server, client)
    for page in ("older", "newer"):
        client.post("/api/open", json={"page": page})
    answer = client.post(path, json=body | {"page": "older"})
    assert answer.status_code == 409
    assert answer.json()["reason"] == "superseded"
    assert client.get("/api/state").json()["step"] == 0
    assert client.post(path, json=body | {"page": "newer"}).status_code == 200


def test_a_page_that_has_not_opened_yet_may_run_already(server, client):
    open_task(server, client)
    client.post("/api/open", json={"page": "before_the_reload"})
    assert client.post("/api/runs", json={"code": "1", "page": "just_loaded"}).status_code == 200


def test_a_run_streams_lines_then_its_end_then_the_examples(server, client):
    open_task(server, client)
    code = "import time\nprint('one')\ntime.sleep(0.1)\nprint('two')\nraise ValueError('three')\n"
    with client.stream("POST", "/api/runs", json={"code": code}) as answer:
        assert answer.status_code == 200
        lines = [json.loads(line) for line in answer.iter_lines()]
    printed = [line["text"] for line in lines if line["type"] == "line" and line["stream"] == "stdout"]
    assert printed == ["one", "two"]
    end = next(line for line in lines if line["type"] == "end")
    assert (end["ended_by"], end["error_type"], end["error_line"]) == ("exit", "ValueError", 5)
    assert lines[-1]["type"] == "examples"


def test_what_is_streamed_is_not_held_up_by_compression(server, client):
    open_task(server, client)
    for path, body in (("/api/runs", {"code": "print(1)"}), ("/api/chat", {"message": "What is a nursery?"})):
        answer = client.post(path, json=body, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_second_run_replaces_the_first(server, client):
    from concurrent.futures import ThreadPoolExecutor

    open_task(server, client)

    def run(code: str):
        with httpx.Client(base_url=server.url, timeout=30, cookies=client.cookies) as another:
            return [json.loads(line) for line in another.post("/api/runs", json={"code": code}).text.splitlines()]

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run, "import time\ntime.sleep(8)\n")
        _until_running(server, client)
        second = run("print('second')\n")
        assert any(line.get("ended_by") == "cancelled" for line in first.result())
    assert any(line.get("text") == "second" for line in second)


def _until_running(server, client):
    import time

    time.sleep(0.6)


def test_hidden_checks_never_reach_the_browser(server, client):
    open_task(server, client)
    library = open_library(server.study)
    pack = library.pack("tasks/trio_timer")
    answer = client.post("/api/runs", json={"code": pack.solution})
    shown = [json.loads(line) for line in answer.text.splitlines()]
    names = {check["name"] for line in shown if line["type"] == "examples" for check in line["checks"]}
    assert names == {check.name for check in pack.examples}
    assert len(pack.checks) > len(pack.examples)


def test_a_failing_example_asks_for_confirmation_and_a_second_submit_is_none(server, client):
    open_task(server, client)
    answer = client.post("/api/submit", json={"code": "print(1)\n", "task": "trio_timer"}).json()
    assert answer["accepted"] is False
    assert answer["checks"]
    for _ in range(2):
        again = client.post("/api/submit", json={"code": "print(1)\n", "confirm": True, "task": "trio_timer"})
        assert again.json() == {"accepted": True}
    assert client.get("/api/state").json()["step"] == 1


def test_the_assistant_answers_and_the_turn_is_kept(server, client):
    open_task(server, client)
    with client.stream("POST", "/api/chat", json={"message": "What is a nursery?"}) as answer:
        assert answer.status_code == 200
        assert answer.headers["x-turn-id"]
        reply = "".join(answer.iter_text())
    assert "nursery" in reply.lower()
    kept = client.get("/api/chat/turns").json()["turns"]
    assert [turn["reply"] for turn in kept] == [reply]


def test_of_two_questions_at_once_one_is_asked(server, client):
    from concurrent.futures import ThreadPoolExecutor

    open_task(server, client)

    def ask(_number: int) -> int:
        with httpx.Client(base_url=server.url, timeout=30, cookies=client.cookies) as another:
            return another.post("/api/chat", json={"message": "What is a nursery?"}).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(ask, range(4)))
    assert statuses == [200, 409, 409, 409]
    assert len(client.get("/api/chat/turns").json()["turns"]) == 1


def test_half_a_surrogate_pair_in_a_question_spoils_nothing(server, client):
    open_task(server, client)
    asked = json.dumps({"message": "What is \ud800 a nursery?", "code": "print('\udfff')"})
    assert client.post("/api/chat", content=asked).status_code == 200
    (turn,) = client.get("/api/chat/turns").json()["turns"]
    assert turn["message"] == "What is \ufffd a nursery?"


def test_a_reply_is_kept_when_the_browser_goes_away(server, client):
    import time

    open_task(server, client)
    with client.stream(
        "POST", "/api/chat", json={"message": "Explain nurseries, cancellation and errors at length"}
    ) as a:
        first = next(a.iter_text())
    for _ in range(100):
        turn = client.get("/api/chat/turns").json()["turns"][0]
        if turn["complete"]:
            break
        time.sleep(0.2)
    assert turn["complete"]
    assert len(turn["reply"]) > len(first)
    assert not turn["stopped"]


def test_the_control_arm_is_refused_and_the_refusal_is_logged(server, client):
    who = open_task(server, client, arm="no_ai")
    answer = client.post("/api/chat", json={"message": "Write the code"})
    assert answer.status_code == 403
    assert answer.json()["error"]
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        assert "turn_refused" in [event.kind for event in unit.events(who)]
        assert unit.turns(who) == []
    registry.close()


def test_chat_is_409_where_no_task_is_open(client):
    enter(client)
    assert client.post("/api/chat", json={"message": "hello"}).status_code == 409


def test_a_deadline_ends_the_stage_with_the_saved_text_though_no_tab_is_open(server, client):
    import time
    from datetime import timedelta

    from study_app.domain.participant import Visit

    enter(client)
    who = to_stage(server, client, "tasks", "ai")
    registry = open_registry(server.database)
    with registry.begin() as unit:
        unit.open_visit(Visit(who, "tasks", _now() - timedelta(minutes=34), _now() + timedelta(seconds=2)))
    payload = {"task": "trio_timer", "text": "print('kept')\n", "source": "starter"}
    load = {"seq": 1, "kind": "load", "client_time_ms": 1.0, "payload": payload}
    assert client.post("/api/events", json={"page": "pg", "events": [load]}).status_code == 200
    time.sleep(4)
    with registry.begin(write=False) as unit:
        assert unit.participant(who).stage == "quiz"
        assert unit.visit(who, "tasks").ended_by == "deadline"
        assert [run.code for run in unit.runs(who) if run.kind == "submission"] == ["print('kept')\n"]
    registry.close()
    assert client.post("/api/runs", json={"code": "1"}).status_code == 409


@pytest.mark.parametrize("code", ["\x00", "\ud800", "def f(:\n", "x" * 300_000, "\xff\xfe" * 100, ""])
def test_whatever_is_submitted_gets_a_clear_answer(server, client, code):
    open_task(server, client)
    content = json.dumps({"code": code})
    answer = client.post("/api/runs", content=content)
    assert answer.status_code in (200, 413)
    assert "Traceback" not in answer.text or "main.py" in answer.text
