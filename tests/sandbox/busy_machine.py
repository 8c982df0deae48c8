"""Processes that hold every core, for tests of what must not depend on the machine's load."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep the cores of this machine busy with endless loops, spread over them, while the block runs."""
    cores = sorted(os.sched_getaffinity(0))
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        for number, process in enumerate(running):
            os.sched_setaffinity(process.pid, {cores[number % len(cores)]})
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
