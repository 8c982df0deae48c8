"""Strangers at the console's doors are counted by address; who is signed in is not."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import PlainTextResponse

from study_app.web.admission import sign_in_gate
from study_app.web.admission.limits import SIGN_INS, STRANGERS, DoorLimits
from study_app.web.admission.sign_in_gate import SignInGate


class Seconds:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def console(monkeypatch):
    """Ask the gate, from an address, as a person with a sign-in or none; statuses, and the waits that were said."""
    clock = Seconds()

    async def signed_in(scope):
        return any(name == b"cookie" for name, _ in scope["headers"])

    monkeypatch.setattr(sign_in_gate, "_signed_in", signed_in)
    monkeypatch.setattr(sign_in_gate, "oidc", lambda: False)
    # The frame of a page has the study's title, and no study runs here.
    monkeypatch.setattr(sign_in_gate, "page", lambda _title, words, status: PlainTextResponse(words, status))

    async def behind(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gate = SignInGate(behind, [], DoorLimits(clock))

    def ask(path, method="GET", address="192.0.2.1", cookie=False, times=1, query=b""):
        sent = []

        async def send(message):
            if message["type"] == "http.response.start":
                sent.append((message["status"], dict(message["headers"]).get(b"retry-after")))

        headers = [(b"cookie", b"study_console=x")] if cookie else []
        scope = {
            "type": "http", "method": method, "path": path, "headers": headers, "query_string": query,
            "client": (address, 1), "server": ("h", 80), "scheme": "http",
        }  # fmt: skip

        async def all_of_them():
            for _ in range(times):
                await gate(scope, None, send)

        asyncio.run(all_of_them())
        return sent

    return ask, clock


def test_an_address_that_tries_many_passwords_waits_and_another_one_does_not(console):
    ask, clock = console
    tried = ask("/login", "POST", times=int(SIGN_INS.burst) + 5)
    assert [status for status, _ in tried] == [200] * int(SIGN_INS.burst) + [429] * 5
    assert tried[-1] == (429, b"2")
    assert ask("/login", "POST", address="192.0.2.2") == [(200, None)]
    # The form is shown, and what is signed in goes on, from the same address.
    assert ask("/login") == [(200, None)]
    assert ask("/", cookie=True, times=3)[0][0] == 200
    clock.now += 2
    assert ask("/login", "POST") == [(200, None)]


def test_addresses_of_one_household_of_the_sixth_version_are_one(console):
    ask, _ = console
    for number in range(int(SIGN_INS.burst)):
        ask("/login", "POST", address=f"2001:db8::{number:x}")
    assert ask("/login", "POST", address="2001:db8::ffff")[0][0] == 429
    assert ask("/login", "POST", address="2001:db8:0:1::1")[0][0] == 200


def test_tickets_and_a_providers_word_are_tries_as_passwords_are(console, monkeypatch):
    ask, _ = console
    monkeypatch.setattr(sign_in_gate, "oidc", lambda: True)
    ask("/login", query=b"ticket=x", times=int(SIGN_INS.burst))
    assert ask("/login", query=b"ticket=x")[0][0] == 429
    assert ask("/oauth2callback")[0][0] == 429


def test_requests_of_strangers_for_any_address_are_counted_and_health_is_not(console):
    ask, _ = console
    statuses = {status for status, _ in ask("/participants", times=int(STRANGERS.burst))}
    assert statuses == {401}
    assert ask("/participants") == [(429, b"1")]
    assert ask("/nowhere") == [(429, b"1")]
    assert ask("/healthz") == [(200, None)]
    assert ask("/", cookie=True) == [(200, None)]
