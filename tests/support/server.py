"""A real server in a separate process, for tests that use a browser or plain HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from support.warm_processes import WarmStudy

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class StudyServer:
    """`study serve` on loopback; stopped by its own process id, which is no other's before it was waited for.

    A fork of a process that has the app imported. With variables that are not the app's it is a new process, since some
    are read by imports; so it is where `forked` is false, as for figures of memory.
    """

    def __init__(
        self,
        folder: Path,
        study: Path = ROOT / "study.toml",
        *,
        console: bool = False,
        arguments: tuple[str, ...] = (),
        forked: bool = True,
        **environment: str,
    ):
        self.folder = folder
        self.study = study
        self.port = free_port()
        self.console_port = free_port()
        self.console = console
        self.arguments = arguments
        self.database = f"sqlite:///{folder}/study.db"
        self.environment = environment
        # Ours are read where a command begins, those of libraries where they are imported.
        self.forked = forked and all(name.startswith("STUDY_") for name in environment)
        self.program = [str(Path(sys.executable).with_name("study"))]
        self.process: subprocess.Popen | WarmStudy | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def console_url(self) -> str:
        return f"http://127.0.0.1:{self.console_port}"

    def start(self) -> StudyServer:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "STUDY_"))}
        environment |= {"STUDY_VAR": str(self.folder / "var"), **self.environment}
        arguments = ["serve", str(self.study), "--database", self.database, "--port", str(self.port)]
        arguments += ["--console-port", str(self.console_port)] if self.console else ["--no-console"]
        arguments += self.arguments
        log = self.folder / "server.log"
        if self.forked:
            self.process = WarmStudy(arguments, cwd=self.folder, environment=environment, out=str(log), err=str(log))
        else:
            command = [*self.program, *arguments]
            with log.open("a") as stream:
                self.process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, cwd=self.folder)
        try:
            self.wait()
        except BaseException:
            # A server that is late would go on beside the tests after this one.
            self.stop()
            raise
        return self

    def wait(self, seconds: float = 240) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not start: " + (self.folder / "server.log").read_text())

    def kill(self) -> None:
        """As a crash would: no goodbye."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def wait_until_up(address: str, seconds: float = 240) -> None:
    """Until an address answers with 200."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


def logged_errors(folder: Path) -> list[str]:
    """Lines of a server's log at the level of errors, and whatever is a traceback."""
    signs = ('"level": "error"', '"level": "critical"', "Traceback")
    return [line for line in (folder / "server.log").read_text().splitlines() if any(sign in line for sign in signs)]
