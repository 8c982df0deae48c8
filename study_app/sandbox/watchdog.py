"""Ends a run that holds more threads than a run may, whatever the kernel counts.

RLIMIT_NPROC holds where a run's threads are counted alone (see `lockdown.Counted`). This watch is the second wall
there, and the only one where they are not: as root inside bubblewrap, or where user namespaces are refused.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

from study_app.sandbox.confinement.lockdown import MAX_TASKS

_COUNTED_SECONDS = 0.1
_UNCOUNTED_SECONDS = 0.01
"""A program starts some ten thousand threads a second; a process table holds 32,768 by default."""
_THREADS_FIELD = 17
"""In /proc/PID/stat, counted from the field after the command's name."""


def children(pid: int) -> Iterator[int]:
    """Yield every process below one, as far as /proc tells."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/task/{pid}/children") as listing:
        for child in map(int, listing.read().split()):
            yield child
            yield from children(child)


def threads(pid: int) -> int:
    """Return how many threads a process has; 0 where it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[_THREADS_FIELD])
    except (OSError, ValueError, IndexError):
        return 0


class Watchdog:
    """Watches the runs of one fork server while there are any.

    Args:
        pid: the fork server, or what wraps it.
        busy: whether runs are under way.
        counted: whether RLIMIT_NPROC holds for each run.
    """

    def __init__(self, pid: int, busy: Callable[[], bool], *, counted: bool) -> None:
        self._pid = pid
        self._busy = busy
        self._seconds = _COUNTED_SECONDS if counted else _UNCOUNTED_SECONDS
        self._awake = threading.Event()
        self._ended = threading.Event()
        if os.path.exists(f"/proc/{pid}/stat"):
            threading.Thread(target=self._watch, name="run-watchdog", daemon=True).start()

    def wake(self) -> None:
        """Note that a run starts."""
        self._awake.set()

    def end(self) -> None:
        """Note that the fork server is gone."""
        self._ended.set()
        self._awake.set()

    def _watch(self) -> None:
        while not self._ended.is_set():
            # Asleep while nothing runs: an idle server should not look into /proc a hundred times a second.
            self._awake.wait()
            self._awake.clear()
            while self._busy() and not self._ended.wait(self._seconds):
                self._end_excess()

    def _end_excess(self) -> None:
        for pid in list(children(self._pid)):
            if threads(pid) > MAX_TASKS:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
