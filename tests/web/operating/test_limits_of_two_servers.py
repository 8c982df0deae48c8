"""Limits of requests are those of the study: who has used them up at one server finds them used up at another."""

from __future__ import annotations

import httpx
import pytest
from support.replicas.two_servers import Servers

from study_app.web.admission.limits import KINDS

ASKED = "/api/submit"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_participant_who_is_held_back_at_one_server_is_held_back_at_the_other(tmp_path, postgres_url):
    burst = int(KINDS[ASKED].burst)
    with Servers(tmp_path, postgres_url) as servers, httpx.Client(timeout=60) as client:
        first, second = servers.urls
        entered = client.post(f"{first}/enter", headers={"Origin": first})
        cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}

        def passes(server: str) -> bool:
            return client.post(f"{server}{ASKED}", json={}, headers=cookie).status_code != 429

        # Kept at its end: on a slow machine some of it flows in again before the other server hears.
        while passes(first):
            pass
        passed = 0
        while passes(second) and passed <= burst:
            passed += 1
            while passes(first):
                pass
        # By itself it would have let pass a whole burst.
        assert passed < burst / 2
        # Others do not pay for it.
        entered = client.post(f"{second}/enter", headers={"Origin": second})
        cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
        assert passes(second)
