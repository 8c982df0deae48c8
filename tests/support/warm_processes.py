"""New processes that need not import the app again: forks of a server that has imported it once.

A new process of Python spends most of its time on imports. Here each command still has its own process, folder,
environment, streams and exit status.
"""

from __future__ import annotations

import atexit
import json
import multiprocessing
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from support.paths import ROOT
from support.warm_parent import IMPORTED

_MAIN_HIDDEN = threading.Lock()

_STARTING = threading.Lock()

_PROVEN: list[Path] = []


def prove_in(folder: Path) -> None:
    """Keep what `study check` has proven of this repository's packs in a folder, which several processes may share."""
    _PROVEN[:] = [folder]


def warm_context() -> ForkServerContext:
    """The context whose processes have the app imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Hide `__main__` while a process starts.

    A new process runs the file of its parent's `__main__` again, and after an `AppTest` that is a page of Streamlit
    which only its script runner can run. One thread at a time, or one would give back what another has put there.
    """
    with _MAIN_HIDDEN:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def start_warm(target: Callable[..., object], *args: Any) -> BaseProcess:
    """Start `target(*args)` in a process that has the app imported."""
    process = warm_context().Process(target=target, args=args)
    with _no_main_module():
        process.start()
    return process


class WarmStudy:
    """`study ARGUMENTS` as a fork, with the part of `subprocess.Popen` that tests use.

    The fork's parent sends the signals and waits; so its process id is not another process's before it was waited for.
    """

    def __init__(
        self,
        arguments: Iterable[str],
        *,
        cwd: Path,
        environment: dict[str, str],
        umask: int = 0o022,
        out: str,
        err: str,
    ) -> None:
        given = {"arguments": list(arguments), "cwd": str(cwd), "environment": environment, "umask": umask}
        self.returncode: int | None = None
        self.pid: int = _parent().ask({"do": "start", "out": out, "err": err, **given})

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _parent().ask({"do": "poll", "pid": self.pid})
        return self.returncode

    def send_signal(self, number: int) -> None:
        _parent().ask({"do": "signal", "pid": self.pid, "signal": int(number)})

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("study", timeout or 0)
            time.sleep(0.02)
        return code


class _Parent:
    """The process that forks: started at the first command, ended with this one."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, str(Path(__file__).with_name("warm_parent.py")), str(theirs.fileno())]
        command += map(str, _PROVEN)
        with theirs:
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd=ROOT)
        self.socket, self.lines = ours, ours.makefile("r", encoding="utf-8")
        self.one_at_a_time = threading.Lock()
        atexit.register(self.stop)

    def ask(self, request: dict[str, object]) -> Any:
        """Ask one thing and return the answer."""
        with self.one_at_a_time:
            self.socket.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(self.lines.readline())

    def stop(self) -> None:
        """Let it end what still runs, and end."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.process.wait()


@cache
def _the_parent() -> _Parent:
    return _Parent()


def _parent() -> _Parent:
    # Several threads may start the first commands at once, and of two parents each knows its own children alone.
    with _STARTING:
        return _the_parent()


def run_study(
    arguments: Iterable[object], *, cwd: Path, environment: dict[str, str], umask: int = 0o022, timeout: float = 180
) -> subprocess.CompletedProcess[str]:
    """Run `study ARGUMENTS` to its end.

    Raises:
        subprocess.TimeoutExpired: it ran past `timeout` seconds and was killed.
    """
    command = [str(argument) for argument in arguments]
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        process = WarmStudy(command, cwd=cwd, environment=environment, umask=umask, out=out.name, err=err.name)
        try:
            code = process.wait(timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        texts = [Path(stream.name).read_text(encoding="utf-8") for stream in (out, err)]
        return subprocess.CompletedProcess(command, code, *texts)
