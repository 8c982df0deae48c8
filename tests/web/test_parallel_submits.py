"""Many presses on Submit at once, over real HTTP: one tries the examples, and other requests are answered meanwhile."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import httpx
import pytest
from support.trials.people import open_task

SLEEPS = "import time\n\ntime.sleep(600)\n"
PRESSES = 24


@pytest.mark.slow
def test_of_many_presses_at_once_one_tries_the_examples_and_the_server_serves_on(server):
    with httpx.Client(base_url=server.url, timeout=300) as client, ThreadPoolExecutor(PRESSES) as pool:
        open_task(server, client)
        pressed = [
            pool.submit(client.post, "/api/submit", json={"code": SLEEPS, "task": "trio_timer"}) for _ in range(PRESSES)
        ]
        served = [client.get(path).status_code for path in ("/healthz", "/api/state") for _ in range(5)]
        wait(pressed, return_when=FIRST_EXCEPTION)
        answers = [each.result() for each in pressed]
        assert set(served) == {200}
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: PRESSES - 1}
        refused = [answer.json() for answer in answers if answer.status_code == 409]
        # Without a reason, by which the page would leave the task: it shows the sentence.
        assert refused == [{"error": "your program is being checked already; please wait a moment"}] * (PRESSES - 1)
        [tried] = [answer.json() for answer in answers if answer.status_code == 200]
        assert tried["accepted"] is False
        assert client.post("/api/submit", json={"code": SLEEPS, "task": "trio_timer", "confirm": True}).json() == {
            "accepted": True
        }
