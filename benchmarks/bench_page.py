"""Weight and wait of the first pages: bytes over the wire, and time until they can be read and typed into.

    python benchmarks/bench_page.py --repeats 5 [--only fast|slow]

A participant whose clock already runs opens the workspace in headless Chromium with an empty cache: everything that
crosses the wire is counted by the DevTools protocol (`Network.loadingFinished`, encoded bytes with headers; frames of
the websocket by their payload), until two seconds after the editor took its first key.

The slow line (400 kbit/s, 400 ms to and fro) is the browser's own throttle: from the welcome page over `Start`, pressed
at once, to the consent page, and from there to the workspace, in one browser with one cache. A page counts as blank
while it shows no word. Prints JSON; 1 if over a limit.
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
sys.path[:0] = [str(ROOT / "tests")]

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright  # noqa: E402
from support.browser.launching import ARGUMENTS, chromium_path  # noqa: E402
from support.server import StudyServer  # noqa: E402

from study_app.domain.records import Visit  # noqa: E402
from study_app.services.identity import hashed  # noqa: E402
from study_app.storage import open_registry  # noqa: E402

LIMIT_MB = 1.7
LIMIT_SECONDS = 3.0
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""400 kbit/s each way, 400 ms."""
SLOW_LIMITS = {
    "welcome_seconds": 3.0,
    "consent_seconds": 30.0,
    "workspace_seconds": 10.0,
    "blank_seconds": 2.0,
    "consent_mb": 1.3,
    "workspace_mb": 1.7,
}
WORDS = """
(() => {
  const spells = window.__spells = { blank: 0, longest: 0, last: performance.now() };
  setInterval(() => {
    const now = performance.now(), words = document.body && document.body.innerText.trim().length > 0;
    spells.blank = words ? 0 : spells.blank + now - spells.last;
    spells.longest = Math.max(spells.longest, spells.blank);
    spells.last = now;
  }, 50);
})();
"""
"""Keeps the longest spell, in ms, in which the document has been there without a word in sight."""
ARMS = ("ai", "no_ai")
SETTLED_MS = 2000
"""What the page fetches after it has become usable still counts as its first load."""
TYPED = "a"


class Wire:
    """What one page fetches, as Chromium's network stack counts it."""

    def __init__(self, session: CDPSession, *, cache: bool = False) -> None:
        self.kinds: dict[str, tuple[str, str]] = {}
        self.bytes: Counter[str] = Counter()
        self.files: Counter[str] = Counter()
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketFrameReceived", self._frame)
        session.on("Network.webSocketFrameSent", self._frame)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": not cache})

    def _asked(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = (event.get("type", "Other"), event["request"]["url"])

    def _finished(self, event: dict[str, Any]) -> None:
        kind, url = self.kinds.get(event["requestId"], ("Other", ""))
        self.bytes[kind] += round(event["encodedDataLength"])
        self.files[url.split("?", 1)[0].rsplit("/", 1)[-1]] += round(event["encodedDataLength"])

    @property
    def megabytes(self) -> float:
        """Everything so far."""
        return round(sum(self.bytes.values()) / 1e6, 3)

    def _frame(self, event: dict[str, Any]) -> None:
        response = event["response"]
        payload = response["payloadData"]
        self.bytes["WebSocket"] += len(payload) * 3 // 4 if response["opcode"] == 2 else len(payload.encode())


def placed(server: StudyServer, arm: str, cookie: str | None = None) -> str:
    """A participant of the arm on the main tasks, clock running; returns their cookie."""
    cookie = cookie or httpx.post(f"{server.url}/enter").cookies["study_participant"]
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
    typed(page)
    usable = time.perf_counter() - began
    page.wait_for_timeout(SETTLED_MS)
    context.close()
    return {"seconds": usable, "bytes": dict(wire.bytes), "files": dict(wire.files.most_common(12))}


def typed(page: Page) -> None:
    """Until the editor has taken a key."""
    editor = page.get_by_role("textbox", name="Code editor")
    editor.wait_for(timeout=120_000)
    before = editor.inner_text()
    page.evaluate("document.querySelector('.cm-content').focus()")
    page.keyboard.type(TYPED)
    page.wait_for_function("before => document.querySelector('.cm-content').innerText !== before", arg=before)


def slow_load(browser: Browser, server: StudyServer, arm: str) -> dict[str, float]:
    """From the welcome page to the workspace on a slow line."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.add_init_script(WORDS)
    page = context.new_page()
    session = context.new_cdp_session(page)
    wire = Wire(session, cache=True)
    session.send("Network.emulateNetworkConditions", SLOW)
    found: dict[str, float] = {}

    def blank() -> None:
        """The longest wordless spell of this page, and its time to the first paint where that was longer."""
        longest = page.evaluate("window.__spells.longest") / 1000
        found["blank_seconds"] = round(max(found.get("blank_seconds", 0.0), longest), 2)

    began = time.perf_counter()
    page.goto(f"{server.url}/enter", wait_until="commit")
    page.get_by_role("button", name="Start").wait_for()
    found["welcome_seconds"] = round(time.perf_counter() - began, 2)
    blank()
    began = time.perf_counter()
    page.get_by_role("button", name="Start").click(no_wait_after=True)
    page.get_by_role("button", name="I agree").wait_for(timeout=120_000)
    found["consent_seconds"] = round(time.perf_counter() - began, 2)
    found["consent_mb"] = wire.megabytes
    blank()
    cookie = next(c["value"] for c in context.cookies() if c["name"] == "study_participant")
    placed(server, arm, cookie)
    began = time.perf_counter()
    page.goto(server.url, wait_until="commit")
    typed(page)
    found["workspace_seconds"] = round(time.perf_counter() - began, 2)
    blank()
    page.wait_for_timeout(SETTLED_MS)
    found["workspace_mb"] = wire.megabytes
    context.close()
    return found


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


def measure(repeats: int, only: str) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="study-page-"))
    server = StudyServer(folder, forked=False).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            first_load(browser, server, ARMS[0])  # The server's and the browser's own start are not the page's.
            loads = {arm: [] for arm in ARMS}
            for _ in range(repeats if only != "slow" else 0):
                for arm in ARMS:
                    loads[arm].append(first_load(browser, server, arm))
            slow = {arm: slow_load(browser, server, arm) for arm in ARMS if only != "fast"}
            browser.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    limits = {"wire_mb": LIMIT_MB, "usable_seconds": LIMIT_SECONDS, "slow_line": SLOW_LIMITS}
    arms = {arm: summary(found) for arm, found in loads.items() if found}
    machine = {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 1)}
    return {"limits": limits, **machine, "arms": arms, "slow_line": slow}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("fast", "slow", "both"), default="both")
    arguments = parser.parse_args()
    report = measure(arguments.repeats, arguments.only)
    print(json.dumps(report, indent=2))
    arms = report["arms"].values()
    over = any(arm["wire_mb"] > LIMIT_MB or arm["usable_seconds_median"] > LIMIT_SECONDS for arm in arms)
    over |= any(found[name] > limit for found in report["slow_line"].values() for name, limit in SLOW_LIMITS.items())
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
