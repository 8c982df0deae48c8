"""A stranger, and a participant who asks too much, do not stop the others."""

from __future__ import annotations

import json
import socket

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.people import enter, open_task
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from study_app.web.admission.limits import ARRIVALS, SILENT_SHARE, Buckets, KnownCookies, Rate, RequestLimits, hashed
from study_app.web.admission.networks import network_of


class Seconds:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 30)), max_size=40))
def test_a_bucket_never_gives_more_than_its_size_and_what_flowed_in(takes):
    clock = Seconds()
    buckets = Buckets(Rate(burst=10, per_second=2), clock)
    given_away, start = 0.0, clock.now
    for pause, amount in takes:
        clock.now += pause
        if buckets.take("a", amount) == 0:
            given_away += min(amount, 10)
        assert given_away <= 10 + 2 * (clock.now - start) + 1e-6


ASKED_IN_TURN = st.lists(st.tuples(st.integers(0, 2), st.floats(0, 0.5)), max_size=60)
"""Servers that are asked for one each, and the seconds before."""


@given(ASKED_IN_TURN, st.integers(1, 9))
def test_who_asks_at_several_servers_gets_what_one_gives_and_what_none_has_heard_of(asked, every):
    """`every`: requests between two rounds in which the servers hear of each other."""
    clock, rate = Seconds(), Rate(burst=10, per_second=2)
    servers = [Buckets(rate, clock) for _ in range(3)]
    said: list[dict[str, float]] = [{}, {}, {}]
    passed, start = 0, clock.now
    for number, (at, pause) in enumerate(asked * 5):
        clock.now += pause
        passed += servers[at].take("a") == 0
        if number % every == 0:
            for source, server in enumerate(servers):
                before, said[source] = said[source].get("a", 0.0), server.said()
                taken = said[source].get("a", 0.0)
                for target in {0, 1, 2} - {source}:
                    servers[target].hear("a", taken - before if taken >= before else taken)
        # Half a bucket of each is not worth a word, nor is the share at two of the three.
        silent = 3 * rate.burst / 2 + 2 * SILENT_SHARE * rate.per_second * (clock.now - start)
        assert passed <= rate.burst + rate.per_second * (clock.now - start) + silent + every


def test_a_person_at_one_server_keeps_the_whole_of_their_limits_where_there_are_others():
    clock = Seconds()
    here, there = RequestLimits(clock), RequestLimits(clock)
    for person in range(20):
        assert there.participant(f"there{person}", "/api/chat", 100) == 0
    here.hear({"there": there.said() or {}})
    assert there.said() is None
    assert sum(here.participant("here", "/api/chat", 100) == 0 for _ in range(100)) == 20


def test_what_was_asked_of_one_server_is_gone_at_the_other_and_comes_back_as_it_flows_in():
    clock = Seconds()
    here, there = RequestLimits(clock), RequestLimits(clock)
    here.hear({"there": there.said() or {}})
    assert sum(there.participant("greedy", "/api/chat", 100) == 0 for _ in range(100)) == 20
    assert sum(there.stranger("10.0.0.1", arrives=True) == 0 for _ in range(1000)) == 300
    said = there.said()
    # Twice the same, as when nothing more was taken: it counts once.
    here.hear({"there": said})
    here.hear({"there": said})
    assert here.participant("greedy", "/api/chat", 100) == pytest.approx(2.0)
    assert here.stranger("10.0.0.1", arrives=True) > 0
    assert here.participant("other", "/api/chat", 100) == 0
    assert here.stranger("10.0.0.2", arrives=True) == 0
    clock.now += 2.1
    assert here.participant("greedy", "/api/chat", 100) == 0


def test_a_server_that_starts_turns_no_one_away_for_what_was_asked_of_another_before():
    clock = Seconds()
    there = RequestLimits(clock)
    # Within the limits for five minutes: far more than a bucket holds, and nearly all of it has flowed in again.
    for _ in range(300):
        assert there.participant("busy", "/api/runs", 100) == 0
        clock.now += 0.9
    here = RequestLimits(clock)
    here.hear({"there": there.said() or {}})
    assert here.participant("busy", "/api/runs", 100) == 0
    # From then on it counts what is asked of the other as well, one that had nothing to say at first included.
    for _ in range(30):
        there.participant("busy", "/api/runs", 100)
    assert sum(there.participant("late", "/api/chat", 100) == 0 for _ in range(30)) == 20
    here.hear({"there": there.said() or {}})
    assert sum(here.participant("busy", "/api/runs", 100) == 0 for _ in range(60)) < 40
    assert here.participant("late", "/api/chat", 100) > 0


def test_servers_tell_each_other_neither_addresses_nor_who_it_is():
    limits = RequestLimits(Seconds())
    for _ in range(1000):
        limits.stranger("10.0.0.1", arrives=True)
        limits.participant("greedy", "/api/chat", 100)
    said = json.dumps(limits.said())
    assert "10.0.0.1" not in said
    assert "greedy" not in said
    assert {len(name) for kind, names in (limits.said() or {}).items() if kind == "arrivals" for name in names} == {5}


def test_the_wait_that_is_named_is_enough():
    clock = Seconds()
    buckets = Buckets(Rate(burst=3, per_second=0.5), clock)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    clock.now += buckets.take("a") + 1e-9
    assert buckets.take("a") == 0


def test_two_hundred_people_behind_one_address_enter_within_a_minute_and_work_on():
    clock = Seconds()
    limits = RequestLimits(clock)
    for person in range(200):
        clock.now += 0.3
        for arrives in (False, True, False, False):
            assert limits.stranger("10.0.0.1", arrives=arrives) == 0
        limits.known.add(hashed(f"cookie{person}"), f"person{person}")
    for _ in range(120):
        clock.now += 0.5
        assert all(limits.participant(f"person{person}", "/api/events", 500) == 0 for person in range(200))


def test_invented_arrivals_are_held_back_by_address():
    limits = RequestLimits(Seconds())
    taken = sum(limits.stranger("10.0.0.1", arrives=True) == 0 for _ in range(1000))
    assert taken == ARRIVALS.burst
    assert limits.stranger("10.0.0.2", arrives=True) == 0


def test_a_household_of_the_sixth_version_counts_as_one_stranger():
    limits = RequestLimits(Seconds())
    taken = sum(limits.stranger(f"2001:db8:1:2::{n:x}", arrives=True) == 0 for n in range(1000))
    assert taken == ARRIVALS.burst
    assert limits.stranger("2001:db8:1:3::1", arrives=True) == 0
    names = [network_of(each) for each in ("::ffff:10.0.0.1", "10.0.0.1", "fe80::1%eth0", "testclient", "")]
    assert names == ["10.0.0.1", "10.0.0.1", "fe80::/64", "testclient", ""]


def test_a_participants_bytes_are_limited_and_everybody_elses_are_not():
    limits = RequestLimits(Seconds())
    sent = 0
    while limits.participant("greedy", "/api/events", 1_000_000) == 0:
        sent += 1
    assert sent < 30
    assert limits.participant("other", "/api/events", 1_000_000) == 0


def test_a_cookie_is_known_for_a_while_only():
    clock = Seconds()
    known = KnownCookies(clock)
    known.add(hashed("a"), "ada")
    assert known.owner(hashed("a")) == "ada"
    assert not known.holds(hashed("b"))
    clock.now += 10_000
    assert not known.holds(hashed("a"))


def websocket(server, **headers):
    address = server.url.replace("http", "ws") + "/_stcore/stream"
    return connect(address, additional_headers=headers, open_timeout=30, proxy=None)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cookie": "study_participant=invented"},
        {"Origin": "SELF"},
        {"Origin": "SELF", "Cookie": "study_participant=x"},
    ],
)
def test_a_stranger_gets_no_websocket(server, headers):
    given_headers = {name: value.replace("SELF", server.url) for name, value in headers.items()}
    with pytest.raises(InvalidStatus) as refused, websocket(server, **given_headers):
        pass
    assert refused.value.response.status_code == 403


def test_a_participants_websocket_from_another_site_is_refused_before_streamlit_looks_anything_up(server, client):
    enter(client)
    cookie = f"study_participant={client.cookies['study_participant']}"
    with pytest.raises(InvalidStatus), websocket(server, Cookie=cookie, Origin="https://evil.example"):
        pass
    with websocket(server, Cookie=cookie, Origin=server.url):
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/_stcore/upload_file/some-session/some-file"),
        ("POST", "/_stcore/upload_file"),
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/agent/anything"),
        ("GET", "/_stcore/script-health-check"),
        ("GET", "/media/x.png"),
        ("POST", "/static/x"),
    ],
)
def test_streamlits_addresses_that_the_app_does_not_use_lead_nowhere(server, client, method, path):
    enter(client)
    answer = client.request(method, path, content=b"x" * 1000)
    assert answer.status_code == 404
    assert answer.json()["error"]


def raw(server, data: bytes, seconds: float = 30.0) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as line:
        try:
            line.sendall(data)
            return line.recv(4096)
        except (ConnectionResetError, BrokenPipeError):
            return b""


def test_a_participant_with_many_cookies_has_the_limits_of_one(server, client):
    """The same person comes in by their link in one browser after another: another cookie, the same bucket."""
    panel = {"PROLIFIC_PID": "5f0a1b2c3d4e5f6a7b8c9d0e", "STUDY_ID": "s", "SESSION_ID": "s1"}
    passed, cookies = 0, set()
    for _ in range(4):
        with httpx.Client(base_url=server.url, timeout=30) as browser:
            browser.post("/enter", data=panel)
            cookies.add(browser.cookies["study_participant"])
            browser.post("/enter", data=panel)
            assert browser.cookies["study_participant"] in cookies, "a browser that has their cookie keeps it"
            assert browser.get("/").status_code == 200
            passed += sum(browser.post("/api/chat", json={}).status_code != 429 for _ in range(20))
    assert len(cookies) == 4
    assert passed < 40, "twenty, and what flows in meanwhile"


def test_headers_without_end_are_cut_off(server, client):
    answer = raw(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 3_000_000)
    assert answer in (b"",) or answer.startswith(b"HTTP/1.1 431")
    assert client.get("/healthz").status_code == 200


def test_a_participant_who_asks_without_pause_gets_a_sentence_and_others_do_not_notice(server, client):
    open_task(server, client)
    answers = [client.post("/api/chat", json={}) for _ in range(80)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1
    assert "try again" in refused[0].json()["error"]
    with httpx.Client(base_url=server.url, timeout=30) as other:
        enter(other)
        assert other.get("/api/state").status_code == 200
