"""A real server under a monitor: metrics, readiness, and a log without personal data."""

from __future__ import annotations

import json
import re
import sqlite3

import httpx
import pytest
from support.server import StudyServer

PLANTED = ("PlantedLabel", "PlantedText", "planted.person@example.org", "PlantedCode", "PlantedQuestion")
TOKEN = "a-token-of-the-monitor"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watched")
    server = StudyServer(folder, STUDY_METRICS_TOKEN=TOKEN, STUDY_LOG_FORMAT="json").start()
    yield server
    server.stop()


def samples(text: str) -> dict[str, float]:
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            found[name] = float(value)
    return found


def test_metrics_are_text_that_prometheus_reads_and_count_what_happens(server):
    with httpx.Client(base_url=server.url, timeout=60) as client:
        client.get("/enter")
        client.get("/healthz")
        client.get("/invented/by/PlantedLabel")
        text = client.get("/metrics").text
    found = samples(text)
    assert found['study_requests_total{method="GET",route="/healthz",status="2xx"}'] >= 1
    assert found['study_requests_total{method="GET",route="other",status="4xx"}'] >= 1
    assert found["study_database_up"] == 1
    assert (found["study_servers"], found["study_failed_runs"]) == (1, 0)
    assert found['study_queue_length{queue="grading"}'] == 0
    assert found['study_run_seconds_bucket{le="+Inf"}'] == found["study_run_seconds_count"] == 0
    assert found["process_open_fds"] > 3
    assert 'study_visits_open{stage="consent"}' in found
    assert "PlantedLabel" not in text
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+=\"[^\"]*\",?)+\})? \S+", line), line
    for name in {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}:
        assert text.count(f"# TYPE {name} ") == 1


def test_a_stranger_behind_a_proxy_does_not_read_them_and_a_token_does(server):
    address = f"{server.url}/metrics"
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"):
        assert httpx.get(address, headers={header: "203.0.113.9"}).status_code == 401
    for wrong in ("", "Bearer", "Bearer other", TOKEN):
        sent = {"X-Forwarded-For": "203.0.113.9", "Authorization": wrong}
        assert httpx.get(address, headers=sent).status_code == 401
    allowed = {"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(address, headers=allowed).status_code == 200


def test_it_is_ready_and_says_why_where_it_is_not(server):
    assert httpx.get(f"{server.url}/readyz", timeout=60).json()["status"] == "ready"


def test_whatever_people_enter_and_whatever_fails_the_log_names_nobody(server):
    with httpx.Client(base_url=server.url, timeout=60, headers={"Origin": server.url}) as client:
        client.get("/enter", params={"label": PLANTED[0], "PROLIFIC_PID": PLANTED[2]})
        client.post("/enter", data={"label": PLANTED[0], "SESSION_ID": "PlantedSession"})
        edit = {"seq": 1, "kind": "edit", "client_time_ms": 1.0, "changes": [PLANTED[1]]}
        client.post("/api/events", json={"page": "PlantedPage", "events": [edit]})
        client.post("/api/runs", json={"code": PLANTED[3]})
        client.post("/api/chat", json={"message": PLANTED[4], "code": PLANTED[3]})
        client.post("/api/answers", json={"answers": {PLANTED[0]: PLANTED[1]}})
        with sqlite3.connect(server.folder / "study.db") as database:
            (person,) = database.execute("SELECT id FROM participants").fetchone()
            # From here on every request of theirs fails inside, with a message that quotes the cell.
            database.execute("UPDATE participants SET enrolled_at = 'PlantedCell', study_hash = 'PlantedHash'")
        for path in ("/api/events", "/api/runs", "/api/chat", "/api/open"):
            client.post(path, json={"page": "PlantedPage", "events": [], "code": PLANTED[3], "message": PLANTED[4]})
        client.get("/api/state")
        client.get("/")
        errors = samples(client.get("/metrics").text)
    log = (server.folder / "server.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert any(line["level"] == "error" and "stack" in line for line in lines)
    assert any(name.startswith("study_errors_total") for name in errors)
    assert "Planted" not in log
    assert "planted.person" not in log
    assert person not in log
