"""The server and the browser of `study simulate --browser`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from study_app.domain.errors import InfrastructureError, UserError
from study_app.settings import Settings
from study_app.simulation.simulation import KEY

_POLL = 0.1
_A_MOMENT = 1000
"""Milliseconds."""
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def served(settings: Settings, patience: float) -> Iterator[str]:
    """Run `study serve` in a separate process.

    Args:
        settings: as for `serve`; the port is chosen here.
        patience: seconds to wait for its first answer.

    Yields:
        Its address.
    """
    # The port may be taken between closing it here and the server's start; the server then ends with that message.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "study_app.cli", "serve", str(settings.study_file), "--database"]
    command += [settings.database, "--port", str(port), "--host", "127.0.0.1", "--no-console"]
    environment = {name: value for name, value in os.environ.items() if name != KEY}
    # A file and not a pipe, which no one would read: a full pipe stops the server in the middle of a write.
    with tempfile.TemporaryFile("w+") as messages:
        process = subprocess.Popen(
            command, env=environment | {"STUDY_VAR": str(settings.var)}, stdout=messages, stderr=messages
        )
        try:
            if not _answers(url, process, patience):
                messages.seek(0)
                raise InfrastructureError("the server for the browser did not start: " + messages.read().strip()[-500:])
            yield url
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(url: str, process: subprocess.Popen[bytes], patience: float) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(_POLL)
    return False


@contextmanager
def chromium(patience: float) -> Iterator[Any]:
    """Start Chromium, the installed one where there is one.

    Args:
        patience: seconds that anything on a page may take.

    Yields:
        The context of a profile on disk: what one participant's pages load and compile is there for the next one's.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise UserError(
            "--browser: Playwright is not installed; install it into the same environment (pip install playwright)"
        ) from None
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, sync_playwright() as playwright:
        try:
            context = playwright.chromium.launch_persistent_context(
                profile, executable_path=found, args=["--no-sandbox"], viewport={"width": 1366, "height": 768}
            )
        except Error as error:
            reason = str(error).strip().splitlines()[0]
            raise UserError(
                f"--browser: Chromium does not start ({reason}); install it with playwright install chromium"
            ) from None
        context.set_default_timeout(patience * 1000)
        try:
            yield context
        except Error as error:
            raise InfrastructureError(f"the browser: {str(error).strip().splitlines()[0]}") from error
        finally:
            context.close()


def fresh_page(context: Any, url: str, cookie: tuple[str, str]) -> Any:
    """Return a page of a browser that knows nothing of who was there before, but for files from the server.

    Args:
        context: of `chromium`.
        url: of the server.
        cookie: name and value by which the server knows the participant.
    """
    context.clear_cookies()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "local_storage,indexeddb"})
    session.detach()
    name, value = cookie
    context.add_cookies([{"name": name, "value": value, "url": url}])
    return page


def settle(page: Any) -> None:
    """Wait until a page has drawn what it was asked for."""
    # Streamlit says that a script runs only some time after the click; asked at once, the page still looks settled.
    page.wait_for_timeout(200)
    # Not by a function that the page evaluates again and again: its content security policy refuses that.
    page.locator('[data-test-script-state="running"]').first.wait_for(state="detached")


def click_if_there(what: Any) -> None:
    """Click what may go or be disabled at any moment; the caller looks again."""
    from playwright.sync_api import TimeoutError as Gone

    with suppress(Gone):
        what.click(timeout=_A_MOMENT)
