"""The stand-in server as a process that can be killed, and a browser that talks to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page
from support.browser.component_server import Book
from support.paths import ROOT

EDITOR = "Code editor"
CONFIG = """
[browser]
gatherUsageStats = false
[server]
fileWatcherType = "none"
headless = true
[theme]
primaryColor = "#22696b"
"""


class Server:
    """One address, one file of records, a process that comes and goes."""

    def __init__(self, folder: Path) -> None:
        (folder / ".streamlit").mkdir()
        (folder / ".streamlit/config.toml").write_text(CONFIG)
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.book = Book(str(folder / "book.db"))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "support.browser.component_server", str(self.port), self.book.file]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        # As long as any server of the tests may take on a busy machine.
        for _ in range(2400):
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                    if answer.read() == b"ok":
                        return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text())

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Person:
    """A participant with their own browser."""

    server: Server
    context: BrowserContext
    who: str

    @classmethod
    def arrive(cls, browser: Browser, server: Server, **context: object) -> Person:
        who = uuid.uuid4().hex
        opened = browser.new_context(viewport={"width": 1366, "height": 768}, **context)  # type: ignore[arg-type]
        opened.add_cookies([{"name": "study_participant", "value": who, "url": server.url}])
        return cls(server, opened, who)

    def open(self, query: str = "", page: Page | None = None) -> Page:
        page = page or self.context.new_page()
        page.goto(f"{self.server.url}/?{query}")
        page.get_by_label(EDITOR).wait_for(timeout=30_000)
        return page

    def events(self, kind: str | None = None) -> list[dict[str, object]]:
        rows = [dict(row) for row in self.server.book.events(self.who)]
        for row in rows:
            row["payload"] = json.loads(str(row["payload"]))
        return [row for row in rows if kind in (None, row["kind"])]

    def replayed(self, task: str = "timer") -> str | None:
        return self.server.book.text(self.who, task)

    def wait_for(self, found: object, seconds: float = 20) -> object:
        """Until the server's book satisfies `found`, a function without arguments."""
        for _ in range(int(seconds * 10)):
            value = found()  # type: ignore[operator]
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s; last events: {self.events()[-3:]}")

    def gaps(self) -> list[str]:
        """Pages whose numbers are not 1, 2, 3..."""
        pages: dict[str, list[int]] = {}
        for event in self.events():
            pages.setdefault(str(event["page"]), []).append(int(str(event["seq"])))
        return [page for page, numbers in pages.items() if sorted(numbers) != list(range(1, len(numbers) + 1))]


def editor_text(page: Page) -> str:
    """The document itself; what is drawn may be a part of it."""
    return page.evaluate("() => document.querySelector('.cm-content').cmTile.root.view.state.doc.toString()")


def paste(page: Page, text: str) -> None:
    """What a paste from another program sends to the focused element."""
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const event = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
            document.activeElement.dispatchEvent(event);
        }""",
        text,
    )
