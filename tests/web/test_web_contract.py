"""What a participant's page may ask of the server, on a real server over real HTTP."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest
from support.trials.people import enter, now, open_task, to_stage

from study_app.bootstrap import open_library
from study_app.storage import open_registry


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "path", ["/api/events", "/api/runs", "/api/chat", "/api/submit", "/api/open", "/api/decisions"]
)
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
        ("/api/events", {"page": "left-open", "events": [{"seq": 1, "kind": "blur", "client_time_ms": 1}]}),
        ("/api/open", {"page": "left-open"}),
        ("/api/act", {"stage": "consent", "act": "disagree"}),
    ],
)
def test_what_a_page_drawn_for_another_person_sends_is_not_taken_as_theirs_who_came_in_since(client, path, content):
    enter(client)
    answer = client.post(path, json=content, headers={"study-participant": "who-was-here-before"})
    assert answer.status_code == 401
    here = client.get("/api/state").json()
    assert here["stage"] == "consent"
    assert client.post("/api/events", json={"page": "left-open", "events": []}).json()["ack"] == 0


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
        ("/api/decisions", b'{"action_id": "a"}'),
        ("/api/decisions", b'{"action_id": "a", "decision": "perhaps"}'),
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


@pytest.mark.parametrize("path", ["/api/events", "/api/runs", "/api/chat", "/api/submit", "/api/decisions"])
def test_a_body_over_the_limit_is_413(client, path):
    enter(client)
    answer = client.post(path, content=json.dumps({"code": "x" * 1_100_000}))
    assert answer.status_code == 413
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/runs", {"code": "x" * 64_001}),
        ("/api/submit", {"code": "x" * 64_001}),
        ("/api/chat", {"message": "Why?", "code": "é" * 32_001}),
        ("/api/chat", {"message": "x" * 30_000}),
    ],
)
def test_a_text_over_the_stated_limit_is_413(server, client, path, body):
    open_task(server, client)
    answer = client.post(path, json=body)
    assert answer.status_code == 413
    assert answer.json()["error"]


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


def test_a_run_streams_its_lines_its_end_and_the_examples(server, client):
    open_task(server, client)
    code = "import time\nprint('one')\nprint('two')\nraise ValueError('three')\n"
    with client.stream("POST", "/api/runs", json={"code": code}) as answer:
        assert answer.status_code == 200
        lines = [json.loads(line) for line in answer.iter_lines()]
    printed = [line["text"] for line in lines if line["type"] == "line" and line["stream"] == "stdout"]
    assert printed == ["one", "two"]
    end = next(line for line in lines if line["type"] == "end")
    assert (end["ended_by"], end["error_type"], end["error_line"]) == ("exit", "ValueError", 4)
    assert sorted(line["type"] for line in lines if line["type"] != "line") == ["end", "examples"]


def test_the_examples_of_a_program_that_waits_come_before_its_end_and_are_kept_when_it_is_stopped(server, client):
    open_task(server, client)
    code = "import time\nif __name__ == '__main__':\n    time.sleep(11)\n"
    with client.stream("POST", "/api/runs", json={"code": code}) as answer:
        kinds, shown = [], []
        for line in map(json.loads, answer.iter_lines()):
            kinds.append(line["type"])
            if line["type"] == "examples":
                shown = line["checks"]
                client.post("/api/runs/stop", json={})
            elif line["type"] == "end":
                assert line["ended_by"] == "cancelled"
    assert kinds == ["examples", "end"]
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        (run,) = [run for person in unit.participants() for run in unit.runs(person.id) if run.code == code]
    registry.close()
    assert [check["name"] for check in run.checks] == [check["name"] for check in shown]


def test_what_is_streamed_is_not_held_up_by_compression(server, client):
    open_task(server, client)
    for path, body in (("/api/runs", {"code": "print(1)"}), ("/api/chat", {"message": "What is a nursery?"})):
        answer = client.post(path, json=body, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_second_run_replaces_the_first(server, client):
    open_task(server, client)
    code = "import time\nif __name__ == '__main__':\n    print('first', flush=True)\n    time.sleep(11)\n"
    with (
        httpx.Client(base_url=server.url, timeout=60, cookies=client.cookies) as another,
        another.stream("POST", "/api/runs", json={"code": code}) as answer,
    ):
        first = map(json.loads, answer.iter_lines())
        # From its first line on it runs, however busy the machine is.
        assert any(line.get("text") == "first" for line in first)
        second = client.post("/api/runs", json={"code": "print('second')\n"}, timeout=60).text
        assert any(line.get("ended_by") == "cancelled" for line in first)
    assert any(json.loads(line).get("text") == "second" for line in second.splitlines())


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


def test_a_second_click_without_a_task_never_submits_the_next_one(server, client):
    open_task(server, client)
    for _ in range(3):
        assert client.post("/api/submit", json={"code": "print(1)\n", "confirm": True}).json() == {"accepted": True}
    assert client.get("/api/state").json()["step"] == 1


@pytest.mark.parametrize("path", ["/api/runs", "/api/submit", "/api/chat"])
def test_a_number_that_no_page_counts_to_is_malformed(server, client, path):
    open_task(server, client)
    for seq in (10**30, -1, 2**31, 1.5, True, "3"):
        body = {"code": "print(1)\n", "message": "Why?", "confirm": True, "task": "trio_timer", "seq": seq}
        answer = client.post(path, json=body)
        assert answer.status_code == 400
        assert "seq" in answer.json()["error"]


def test_the_assistant_answers_and_the_turn_is_kept(server, client):
    open_task(server, client)
    with client.stream("POST", "/api/chat", json={"message": "What is a nursery?"}) as answer:
        assert answer.status_code == 200
        assert answer.headers["x-turn-id"]
        reply = "".join(answer.iter_text())
    assert "nursery" in reply.lower()
    kept = client.get("/api/chat/turns").json()["turns"]
    assert [turn["reply"] for turn in kept] == [reply]


@pytest.mark.parametrize("arm", ["ai", "no_ai"])
def test_a_decision_is_refused_in_arms_whose_assistant_does_not_act(server, client, arm):
    open_task(server, client, arm)
    answer = client.post("/api/decisions", json={"action_id": "a", "decision": "approve"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "arm")


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
    import sqlite3
    import time
    from datetime import timedelta

    from study_app.domain.records import Visit

    enter(client)
    who = to_stage(server, client, "tasks", "ai")
    registry = open_registry(server.database)
    with registry.begin() as unit:
        unit.open_visit(Visit(who, "tasks", now() - timedelta(minutes=34), now() + timedelta(minutes=5)))
    payload = {"task": "trio_timer", "text": "print('kept')\n", "source": "starter"}
    load = {"seq": 1, "kind": "load", "client_time_ms": 1.0, "payload": payload}
    assert client.post("/api/events", json={"page": "pg", "events": [load]}).status_code == 200
    with sqlite3.connect(server.folder / "study.db", timeout=30) as database:
        at = round((now().timestamp() + 1) * 1000)
        database.execute("update visits set deadline_at = ? where participant_id = ? and stage = 'tasks'", (at, who))
    for _ in range(300):
        with registry.begin(write=False) as unit:
            if unit.visit(who, "tasks").ended_by:
                break
        time.sleep(0.2)
    with registry.begin(write=False) as unit:
        assert unit.participant(who).stage == "quiz"
        assert unit.visit(who, "tasks").ended_by == "deadline"
        assert [run.code for run in unit.runs(who) if run.kind == "submission"] == ["print('kept')\n"]
    registry.close()
    assert client.post("/api/runs", json={"code": "1"}).status_code == 409


@pytest.mark.sampled(3)
@pytest.mark.parametrize("code", ["\x00", "\ud800", "def f(:\n", "x" * 300_000, "\xff\xfe" * 100, ""])
def test_whatever_is_submitted_gets_a_clear_answer(server, client, code):
    open_task(server, client)
    content = json.dumps({"code": code})
    answer = client.post("/api/runs", content=content)
    assert answer.status_code in (200, 413)
    assert "Traceback" not in answer.text or "main.py" in answer.text
