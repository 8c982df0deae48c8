"""A message of blank lines, or an honest paste with many, holds no other request up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.trials.people import open_task

BLANK = "x" + "\n" * 4000 + "x"
PASTE = "why is my output empty?\n" + "\n".join(
    ["tick 1", *([""] * 400), "Traceback (most recent call last):", "KeyError: 2"]
)


def ask_for_health(url: str, done: Callable[[], bool]) -> None:
    """Ask for `/healthz` until `done`; an answer that takes 30 seconds raises."""
    with httpx.Client(base_url=url, timeout=30) as client:
        while not done():
            assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "message", [BLANK, PASTE, "\t" * 8000 + "?", "why " * 4000], ids=["blank", "paste", "tabs", "why"]
)
def test_the_server_goes_on_answering_while_such_a_message_is_read(server, client, message):
    open_task(server, client)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lambda: client.post("/api/chat", json={"message": message}))
        ask_for_health(server.url, asked.done)
    reply = asked.result()
    assert reply.status_code == 200
    assert reply.text.strip()
