"""A message of blank lines, or an honest paste with many, holds nobody up."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from people import open_task

BLANK = "x" + "\n" * 4000 + "x"
PASTE = "why is my output empty?\n" + "\n".join(
    ["tick 1", *([""] * 400), "Traceback (most recent call last):", "KeyError: 2"]
)


def longest_health(url: str, done) -> float:
    """Seconds of the slowest `/healthz` until `done` says so."""
    worst = 0.0
    with httpx.Client(base_url=url, timeout=30) as client:
        while not done():
            began = time.monotonic()
            assert client.get("/healthz").status_code == 200
            worst = max(worst, time.monotonic() - began)
    return worst


@pytest.mark.parametrize(
    "message", [BLANK, PASTE, "\t" * 8000 + "?", "why " * 4000], ids=["blank", "paste", "tabs", "why"]
)
def test_the_server_goes_on_answering_while_such_a_message_is_read(server, client, message):
    open_task(server, client)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lambda: client.post("/api/chat", json={"message": message}))
        worst = longest_health(server.url, asked.done)
    reply = asked.result()
    assert reply.status_code == 200
    assert reply.text.strip()
    # on an idle machine milliseconds; before, 4,000 blank lines stopped everybody for minutes
    assert worst < 5.0
