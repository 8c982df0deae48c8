"""New processes that need not import the app again: forks of a server that has imported it once.

A new process of Python spends most of its time on imports. Here each command still has its own process, folder,
environment, streams and exit status. Servers start the installed program.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

_MAIN_HIDDEN = threading.Lock()
IMPORTED = ("study_app.cli", "study_app.bootstrap", "study_app.web.app", "study_app.web.serving", "analysis.pipeline")


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


def _study(arguments: list[str], cwd: str, environment: dict[str, str], umask: int, out: str, err: str) -> None:
    os.chdir(cwd)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    for path, stream in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), stream)
    sys.argv = ["study", *arguments]
    from study_app.cli import main

    main()


def run_study(
    arguments: Iterable[object], *, cwd: Path, environment: dict[str, str], umask: int = 0o022, timeout: float = 180
) -> subprocess.CompletedProcess[str]:
    """Run `study ARGUMENTS` to its end.

    Raises:
        subprocess.TimeoutExpired: it ran past `timeout` seconds and was killed.
    """
    command = [str(argument) for argument in arguments]
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        process = start_warm(_study, command, str(cwd), environment, umask, out.name, err.name)
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout)
        texts = [Path(stream.name).read_text(encoding="utf-8") for stream in (out, err)]
        return subprocess.CompletedProcess(command, process.exitcode, *texts)
