"""A server that is killed while people are at work is reported once, by one that is left; a stopped one is not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from support.loopback_http import LoopbackHttp
from support.replicas.two_servers import Servers
from support.trials.export_world import real_study

from study_app.bootstrap import start
from study_app.services.operation.alert_watch import EVERY
from study_app.services.operation.server_watch import WATCHED
from study_app.settings import Settings
from study_app.storage import open_registry


def watched(database: str) -> dict[str, list]:
    """The servers that serve, and those that are gone, as the database keeps them."""
    with contextlib.closing(open_registry(database)) as registry, registry.begin(write=False) as unit:
        return unit.meta_value(WATCHED) or {"here": [], "gone": []}


def wait_for(found: Callable[[], bool], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.5)


def launched(folder: Path, database: str) -> tuple[Path, str]:
    """A launched study that posts its alerts, and the secret of a link to it."""
    file = real_study(folder)
    file.write_text(f"{file.read_text()}\n[alerts]\nwebhook = true\n")
    app = start(Settings(file, database, folder / "var", environment={}))
    app.lifecycle.launch()
    (link,) = app.links.create(count=1)
    app.close()
    return file, link.secret


def at_work(server: str, secret: str) -> None:
    entered = httpx.post(f"{server}/enter", data={"link": secret}, headers={"Origin": server}, timeout=60)
    cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
    body = {"stage": "consent", "act": "agree"}
    assert httpx.post(f"{server}/api/act", json=body, headers=cookie, timeout=60).status_code == 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_server_is_reported_once_by_the_one_that_is_left_and_a_stopped_one_is_not(tmp_path, postgres_url):
    file, secret = launched(tmp_path, postgres_url)
    with (
        LoopbackHttp() as hook,
        Servers(
            tmp_path, postgres_url, study=file, STUDY_VAR=str(tmp_path / "var"), STUDY_ALERT_WEBHOOK=hook.url
        ) as servers,
    ):

        def posted() -> list[dict]:
            return [each for each in hook.posted if each["kind"].startswith("server_gone")]

        stopped, left = servers.servers
        wait_for(lambda: len(watched(postgres_url)["here"]) == 2)
        at_work(left.url, secret)
        stopped.stop()
        wait_for(lambda: len(watched(postgres_url)["here"]) == 1)
        assert watched(postgres_url)["gone"] == []
        stopped.start()
        wait_for(lambda: len(watched(postgres_url)["here"]) == 2)
        servers.kill(0)
        wait_for(lambda: bool(posted()))
        # Twice as long as one look at the alerts is from the next.
        time.sleep(2 * EVERY.total_seconds() + 5)
        (alert,) = posted()
        assert alert["state"] == "firing"
        assert "ended without saying goodbye" in alert["message"]
        assert "1 participant(s) were at work" in alert["message"]
