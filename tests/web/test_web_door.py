"""The ways in, and what every answer has in common, on a real server over real HTTP."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import httpx
import pytest
from support.trials.people import enter, participants


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


@pytest.mark.parametrize("origin", ["http://[", "null", "http://", "", "http://a@b:c"])
def test_an_origin_that_cannot_be_read_is_another_site(client, origin):
    enter(client)
    assert client.post("/api/runs", json={"code": "1"}, headers={"Origin": origin}).status_code == 403


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
        rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert (rules["default-src"], rules["frame-ancestors"], rules["form-action"]) == ("'self'",) * 3
        # Whatever gets into a page as a script does not run: neither in its text nor from another site.
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(rules["script-src"].split())


def test_of_the_scripts_in_a_page_those_of_the_app_run_and_no_others(server, client):
    stranger = httpx.get(f"{server.url}/")
    enter(client)
    for answer in (stranger, client.get("/")):
        scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
        hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts]
        assert len(scripts) == 1
        assert re.findall(r"'sha256-[^']+'", answer.headers["content-security-policy"]) == hashes


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


def test_a_short_link_leads_to_the_welcome_page_of_its_link(client):
    answer = client.get("/i/abc-DEF_123", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/enter?link=abc-DEF_123")
    assert client.post("/i/abc", follow_redirects=False).status_code in (404, 405)
