"""A control beside graded runs: a process that does nothing but be on time, so that its lateness is the machine's.

It sleeps until a moment, prints that moment and goes on. How late its line arrives here is what any program's line
suffers on this machine just then: the scheduler, the pipe and this process's own reading are all in it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from study_app.domain.tasks.programs import OutputLine, Program, RunLimits, RunResult

TICK_SECONDS = 0.02
_LIFE_SECONDS = 60.0
_IDLE_SECONDS = 2.0
"""How long it goes on when no run needs it, for the next may come at once."""
_KEPT = 10_000
_START_SECONDS = 5.0

CODE = f"""
import time
due = time.monotonic()
while True:
    due = max(due + {TICK_SECONDS}, time.monotonic())
    time.sleep(max(due - time.monotonic(), 0.0))
    print(repr(due))
"""

Run = Callable[[Program, Callable[[OutputLine], None], Callable[[], bool]], RunResult]


class Control:
    """One such process for all graded runs of a sandbox, started when the first needs it.

    Args:
        run: runs the control's program in the sandbox like any other.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._ticks: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        """Moment of arrival, lateness."""
        self._users = 0
        self._idle_since = 0.0
        self._alive = False
        self._started = threading.Event()
        self._closed = False

    def begin(self) -> None:
        """Begin a run that wants a control; return once the control ticks."""
        with self._lock:
            self._users += 1
            if not self._alive and not self._closed:
                self._alive = True
                self._started.clear()
                threading.Thread(target=self._live, name="control", daemon=True).start()
        # The graded run starts after the control's first tick, so that its whole length is watched.
        self._started.wait(_START_SECONDS)

    def end(self, seconds: float) -> float | None:
        """End the run; return how late the control was at most in these last seconds.

        None where there was none.
        """
        now = time.monotonic()
        begun = now - seconds
        with self._lock:
            self._users -= 1
            self._idle_since = now
            ticks = [(at, late) for at, late in self._ticks if at >= begun]
            last = self._ticks[-1][0] if self._ticks else None
            alive = self._alive
        if not ticks and not alive:
            return None
        # One that has not come yet is late already.
        waiting = now - max(last if last is not None else begun, begun) - TICK_SECONDS if alive else 0.0
        return max([waiting, 0.0, *(late for _, late in ticks)])

    def close(self) -> None:
        """End it."""
        self._closed = True

    def _live(self) -> None:
        # A life of a minute, renewed for as long as it is wanted: the control is bounded as every run is.
        limits = RunLimits(_LIFE_SECONDS, cpu_seconds=10, output_bytes=1_000_000)
        try:
            while self._wanted():
                self._run(Program(CODE, limits=limits, seed=0), self._tick, lambda: not self._wanted())
        except Exception:  # Without a control a run has no lag; the grader knows what to do then.
            pass
        finally:
            with self._lock:
                self._alive = False
                self._ticks.clear()
            self._started.set()

    def _wanted(self) -> bool:
        with self._lock:
            return not self._closed and (self._users > 0 or time.monotonic() - self._idle_since < _IDLE_SECONDS)

    def _tick(self, line: OutputLine) -> None:
        now = time.monotonic()
        try:
            due = float(line.text)
        except ValueError:
            return
        with self._lock:
            self._ticks.append((now, now - due))
        self._started.set()
