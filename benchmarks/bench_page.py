"""Weight and wait of the workspace's first load, in both arms: bytes over the wire, and time until typing is accepted.

    python benchmarks/bench_page.py --repeats 5

A participant whose clock already runs opens the workspace in headless Chromium with an empty cache: everything that
crosses the wire is counted by the DevTools protocol (`Network.loadingFinished`, encoded bytes with headers; frames of
the websocket by their payload), until two seconds after the editor took its first key. Prints JSON; 1 if over a limit.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "trial")]

from conftest import ARGUMENTS, chromium_path  # noqa: E402
from playwright.sync_api import Browser, CDPSession, sync_playwright  # noqa: E402
from server import StudyServer  # noqa: E402

from study_app.domain.participant import Visit  # noqa: E402
from study_app.services.enrol import hashed  # noqa: E402
from study_app.storage import open_registry  # noqa: E402

LIMIT_MB = 3.5
LIMIT_SECONDS = 3.0
ARMS = ("ai", "no_ai")
SETTLED_MS = 2000
"""What the page fetches after it has become usable still counts as its first load."""
TYPED = "a"


class Wire:
    """What one page fetches, as Chromium's network stack counts it."""

    def __init__(self, session: CDPSession) -> None:
        self.kinds: dict[str, tuple[str, str]] = {}
        self.bytes: Counter[str] = Counter()
        self.files: Counter[str] = Counter()
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketFrameReceived", self._frame)
        session.on("Network.webSocketFrameSent", self._frame)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _asked(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = (event.get("type", "Other"), event["request"]["url"])

    def _finished(self, event: dict[str, Any]) -> None:
        kind, url = self.kinds.get(event["requestId"], ("Other", ""))
        self.bytes[kind] += round(event["encodedDataLength"])
        self.files[url.split("?", 1)[0].rsplit("/", 1)[-1]] += round(event["encodedDataLength"])

    def _frame(self, event: dict[str, Any]) -> None:
        response = event["response"]
        payload = response["payloadData"]
        self.bytes["WebSocket"] += len(payload) * 3 // 4 if response["opcode"] == 2 else len(payload.encode())


def placed(server: StudyServer, arm: str) -> str:
    """A participant of the arm on the main tasks, clock running; returns their cookie."""
    cookie = httpx.post(f"{server.url}/enter").cookies["study_participant"]
    now = datetime.now(UTC)  # noqa: TID251
    registry = open_registry(server.database)
    with registry.begin() as unit:
        person = unit.participant_of_token(hashed(cookie), now)
        unit.touch(person.id, stage="tasks", arm=arm)
        unit.open_visit(Visit(person.id, "tasks", now, now + timedelta(minutes=60)))
    registry.close()
    return cookie


def first_load(browser: Browser, server: StudyServer, arm: str) -> dict[str, Any]:
    """One load with nothing cached."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.add_cookies([{"name": "study_participant", "value": placed(server, arm), "url": server.url}])
    page = context.new_page()
    wire = Wire(context.new_cdp_session(page))
    began = time.perf_counter()
    page.goto(server.url, wait_until="commit")
    editor = page.get_by_role("textbox", name="Code editor")
    editor.wait_for(timeout=30_000)
    before = editor.inner_text()
    page.evaluate("document.querySelector('.cm-content').focus()")
    page.keyboard.type(TYPED)
    page.wait_for_function("before => document.querySelector('.cm-content').innerText !== before", arg=before)
    usable = time.perf_counter() - began
    page.wait_for_timeout(SETTLED_MS)
    context.close()
    return {"seconds": usable, "bytes": dict(wire.bytes), "files": dict(wire.files.most_common(12))}


def summary(loads: list[dict[str, Any]]) -> dict[str, Any]:
    """Of several loads of one arm: the last one's bytes, since they are the same, and the times' middle and end."""
    last = loads[-1]
    return {
        "wire_mb": round(sum(last["bytes"].values()) / 1e6, 3),
        "bytes_by_type": dict(sorted(last["bytes"].items(), key=lambda pair: -pair[1])),
        "largest_files": last["files"],
        "usable_seconds_median": round(statistics.median(load["seconds"] for load in loads), 2),
        "usable_seconds_max": round(max(load["seconds"] for load in loads), 2),
        "loads": len(loads),
    }


def measure(repeats: int) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="study-page-"))
    server = StudyServer(folder).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            first_load(browser, server, ARMS[0])  # The server's and the browser's own start are not the page's.
            loads = {arm: [] for arm in ARMS}
            for _ in range(repeats):
                for arm in ARMS:
                    loads[arm].append(first_load(browser, server, arm))
            browser.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    arms = {arm: summary(found) for arm, found in loads.items()}
    limits = {"wire_mb": LIMIT_MB, "usable_seconds": LIMIT_SECONDS}
    return {"limits": limits, "cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 1), "arms": arms}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    report = measure(parser.parse_args().repeats)
    print(json.dumps(report, indent=2))
    arms = report["arms"].values()
    over = any(arm["wire_mb"] > LIMIT_MB or arm["usable_seconds_median"] > LIMIT_SECONDS for arm in arms)
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
