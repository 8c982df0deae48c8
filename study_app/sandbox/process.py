"""One run as its parent sees it: feed the job in, read what comes out, end it when a limit is reached."""

from __future__ import annotations

import json
import math
import os
import re
import select
import signal
import time
from collections import deque
from collections.abc import Callable
from itertools import count, pairwise, takewhile
from typing import Any

from study_app.domain.tasks import figures
from study_app.domain.tasks.programs import EndedBy, OutputLine, Program, RunResult
from study_app.domain.tasks.reports import ChildReport, ReportedError, ReportError, parse_report
from study_app.domain.tasks.sentences import sentence
from study_app.sandbox.child import READY
from study_app.sandbox.confinement.cgroups import RunGroup
from study_app.sandbox.inside import frames
from study_app.sandbox.inside.harness import BEAT_SECONDS, MARK
from study_app.sandbox.output import Collector, clean
from study_app.sandbox.server import Ending

_POLL_SECONDS = 0.05
_START_SECONDS = 20.0
"""A child that has not started its program by then never will."""
_MOST_FIGURE_BYTES = figures.MOST_FIGURES * (figures.MOST_BYTES + 4)
_MOST_OTHER_FRAMES = 20_000
"""Frames of a run beyond one for each byte of output: of reports, figures and beats."""
_WARNING = re.compile(r"^(?:main\.py|sys):\d+: (\w*Warning): ", re.MULTILINE)
_RAISED = re.compile(
    r"^(?:\s*\|\s*)?([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Cancelled|Warning|Group))(?:: (.*))?$"
)
_LINE = re.compile(r'File "main\.py", line (\d+)')


class RunningProgram:
    """Follows one run.

    Args:
        program: what is run, its seed set.
        pipes: job (write), standard output, standard error, report (read), not blocking.
        ending: how the child ended, once it has.
        on_line: called with each line as it arrives.
        cancelled: polled; once true the run is killed.
        group: the run's cgroup, None where it has none.
    """

    def __init__(
        self,
        program: Program,
        pipes: list[int],
        ending: Ending,
        on_line: Callable[[OutputLine], None] | None,
        cancelled: Callable[[], bool] | None,
        group: RunGroup | None = None,
    ) -> None:
        self._program = program
        self._group = group
        self._ending = ending
        self._cancelled = cancelled
        nonce = (program.call or {}).get("nonce")
        marker = f"{MARK}{nonce} ".encode() if nonce else None
        self._output = Collector(program.limits.output_bytes, on_line, marker)
        self._job = memoryview(_job(program))
        self._job_pipe, *readers = pipes
        self._names: dict[int, str] = dict(zip(readers, ("stdout", "stderr", "report"), strict=True))
        self._report = bytearray()
        self._figures = bytearray()
        self._frames = frames.Reader()
        # A program can send frames that hold nothing, which no cap on bytes counts: each costs the reader all the same.
        self._frames_left = program.limits.output_bytes + _MOST_OTHER_FRAMES
        self._beats: deque[float] = deque(maxlen=_most_beats(program))
        self._origin = time.monotonic()
        self._ready = False
        self._stopped: EndedBy | None = None

    def to_its_end(self, kill: Callable[[], None], *, again: bool = False) -> RunResult | None:
        """Follow the run until it ends.

        Args:
            kill: ends the child by SIGKILL.
            again: whether the run can be repeated.

        Returns:
            The result, or None where the run was lost with its fork server, or is to be repeated because someone else
            killed it, as a kernel without memory does. A program may kill itself, too: what can be repeated no more
            has ended so.
        """
        try:
            self._follow(kill)
        except BaseException:
            kill()
            raise
        finally:
            self._close_pipes()
        return None if again and self._killed_by_others() else self._result()

    def _follow(self, kill: Callable[[], None]) -> None:
        # `poll` and not `select`, which cannot watch descriptors from 1024 on: a busy server has that many.
        poller = select.poll()
        for descriptor in self._names:
            poller.register(descriptor, select.POLLIN)
        poller.register(self._job_pipe, select.POLLOUT)
        open_pipes = len(self._names)
        while open_pipes:
            for descriptor, _ in poller.poll(self._wait_milliseconds()):
                if descriptor == self._job_pipe:
                    self._feed_job(poller)
                elif not self._read(descriptor):
                    poller.unregister(descriptor)
                    open_pipes -= 1
            self._stop_if_due(kill)
        # Closed pipes are not the end of the process: it may have closed them itself and go on.
        while not self._ending.done.wait(self._wait_milliseconds() / 1000):
            self._stop_if_due(kill)

    def _close_pipes(self) -> None:
        for descriptor in (self._job_pipe, *self._names):
            if descriptor >= 0:
                os.close(descriptor)
        self._job_pipe = -1

    def _seconds(self) -> float:
        return time.monotonic() - self._origin

    def _wait_milliseconds(self) -> float:
        # A millisecond more than is left: woken too early, the loop would spin until the limit.
        limit = self._program.limits.wall_seconds if self._ready else _START_SECONDS
        left = max(limit - self._seconds(), 0.0) if self._stopped is None else 1.0
        return 1000 * min(left + 0.001, _POLL_SECONDS if self._cancelled else left + 0.001)

    def _feed_job(self, poller: Any) -> None:
        try:
            # In pieces, as the pipe takes them: a program may be longer than a pipe's buffer.
            self._job = self._job[os.write(self._job_pipe, self._job[:65536]) :]
        except BlockingIOError:
            return
        # A child that died early is reported by its exit status; the rest of its job is of no use.
        except OSError:
            self._job = self._job[:0]
        if not self._job:
            poller.unregister(self._job_pipe)
            os.close(self._job_pipe)
            self._job_pipe = -1

    def _read(self, descriptor: int) -> bool:
        """Take in what one pipe has; False at its end."""
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return True
        name = self._names[descriptor]
        if name == "report":
            self._take_report(data)
        elif data:
            self._output.feed("stdout" if name == "stdout" else "stderr", data, self._seconds())
        return bool(data)

    def _take_report(self, data: bytes) -> None:
        if not self._ready and data[:1] == READY:
            # The clock starts when the program does: fork and lockdown must not cost participants their seconds.
            self._ready = True
            self._origin = time.monotonic()
            data = data[1:]
        if not self._ready:
            # The reason why the program was not started.
            self._keep(data)
            return
        for tag, content in self._frames.feed(data):
            self._frames_left -= 1
            if self._frames_left < 0:
                return
            if tag == frames.REPORTED:
                self._keep(content)
            elif tag == frames.FIGURE:
                self._figures += content[: max(_MOST_FIGURE_BYTES - len(self._figures), 0)]
            elif tag == frames.BEAT:
                self._beats.append(self._seconds())
            else:
                self._output.feed("stdout" if tag == frames.STDOUT else "stderr", content, self._seconds())

    def _keep(self, data: bytes) -> None:
        # One byte beyond the cap shows that there was more.
        self._report += data[: max(self._program.report_bytes + 1 - len(self._report), 0)]

    def _stop_if_due(self, kill: Callable[[], None]) -> None:
        if self._stopped is not None:
            return
        limit = self._program.limits.wall_seconds if self._ready else _START_SECONDS
        if self._output.full or self._frames_left < 0:
            self._stopped = "output"
        elif self._cancelled is not None and self._cancelled():
            self._stopped = "cancelled"
        elif self._seconds() >= limit:
            self._stopped = "time" if self._ready else "infrastructure"
        if self._stopped is not None:
            kill()

    def _killed_by_others(self) -> bool:
        """Return whether the child was killed for none of its limits and on no one's wish."""
        if self._stopped is not None or self._ending.exit_status != -signal.SIGKILL:
            return False
        return not self._ready or self._ended_by(self._parsed()[0]) == "exit"

    def _result(self) -> RunResult | None:
        # A lost fork server is not the program's fault, and the run is repeated; but one that we stopped ourselves has
        # its result.
        lost = self._ending.exit_status is None and self._stopped is None
        if lost and (self._ending.started or not self._ready):
            return None
        seconds = self._seconds()
        self._output.finish(seconds)
        report, problem = self._parsed()
        ended_by = self._ended_by(report)
        for text in _explain(ended_by, self._ending.exit_status, self._program):
            # Of a limit the page speaks in the participant's language.
            self._output.note(text, seconds, shown=ended_by == "exit")
        stderr = self._output.text("stderr")
        return RunResult(
            stdout=self._output.text("stdout"),
            stderr=stderr,
            lines=tuple(self._output.lines),
            order=self._output.order,
            figures=figures.shown(figures.split(bytes(self._figures))),
            exit_status=self._ending.exit_status,
            ended_by=ended_by,
            wall_seconds=seconds,
            isolation="off",
            scheduler_seed=self._program.seed or 0,
            observation=self._observation(report, problem),
            warning_types=tuple(dict.fromkeys(_WARNING.findall(stderr))),
            **_error(report.error, stderr, self._ending.exit_status),
        )

    def _parsed(self) -> tuple[ChildReport, str]:
        """Return the child's report, and why there is none where there is none."""
        try:
            return parse_report(bytes(self._report), self._program.report_bytes), ""
        except ReportError as error:
            return ChildReport(), str(error) if self._report else ""

    def _ended_by(self, report: ChildReport) -> EndedBy:
        if self._stopped is not None:
            return self._stopped
        # Never by what the report says: from READY on it may be the program's.
        if not self._ready:
            return "infrastructure"
        status = self._ending.exit_status
        # The kernel kills for memory and we kill for time by the same signal; only the group's counter tells which.
        if status == -signal.SIGKILL and self._group is not None and self._group.out_of_memory():
            return "memory"
        cpu = self._program.limits.cpu_seconds
        # At the hard limit the kernel kills with the signal that we use, too.
        if status == -signal.SIGXCPU or (status == -signal.SIGKILL and self._ending.cpu_seconds >= cpu):
            return "cpu"
        if report.error is not None and report.error.type == "MemoryError":
            return "memory"
        return "exit"

    def _observation(self, report: ChildReport, problem: str) -> dict[str, Any] | None:
        """Return what the child reported, and what the parent saw with its own clock."""
        call = self._program.call
        if call is None:
            return None
        reported = report.call
        reported = reported if reported is not None and reported.get("nonce") == call.get("nonce") else None
        marks = self._output.marks
        nothing = (None, len(self._output.lines))
        start, first = marks.get("start", nothing)
        end, last = marks.get("end", nothing)
        if start is not None and end is not None:
            # A program may write past its streams; then the later mark may be read first.
            start = min(start, end)
        seen: dict[str, Any] = {"started": start, "ended": end, "first_line": first, "last_line": max(last, first)}
        seen |= {"stalled": self._stalled(start, end), "problem": problem, "size": report.size}
        seen["begun"] = self._begun()
        return {"reported": reported, "forged": self._output.forged, **seen}

    def _begun(self) -> list[float]:
        """Return when each call of a series began, as far as it came."""
        marks = self._output.marks
        numbers = takewhile(lambda number: f"call {number}" in marks, count())
        return [marks[f"call {number}"][0] for number in numbers]

    def _stalled(self, start: float | None, end: float | None) -> float:
        """Seconds that the call's event loop stood still at most, beyond the time between two beats."""
        if not (self._program.call or {}).get("beats") or start is None or end is None:
            return 0.0
        moments = [start, *(beat for beat in self._beats if start < beat < end), end]
        return max(max(later - earlier for earlier, later in pairwise(moments)) - BEAT_SECONDS, 0.0)


def _most_beats(program: Program) -> int:
    """Return how many beats are kept: twice those of a call that lasts to its wall limit, none where none is asked."""
    asked = (program.call or {}).get("beats")
    return math.ceil(2 * program.limits.wall_seconds / BEAT_SECONDS) if asked else 0


def _job(program: Program) -> bytes:
    return json.dumps(
        {
            "code": program.code,
            "seed": program.seed,
            "clock": program.clock,
            "call": program.call,
            "memory_mb": program.limits.memory_mb,
            "cpu_seconds": program.limits.cpu_seconds,
        }
    ).encode()


def _error(error: ReportedError | None, stderr: str, status: int | None) -> dict[str, Any]:
    """Return what ended the program, as reported, else as the traceback on standard error says."""
    found: tuple[str | None, str | None, int | None]
    if error is not None:
        found = (error.type, error.message, error.line)
    elif status not in (0, None) and "Traceback (most recent call last)" in stderr:
        raised = [match for match in map(_RAISED.match, stderr.splitlines()) if match]
        lines = _LINE.findall(stderr)
        name = raised[-1].group(1).rpartition(".")[2] if raised else None
        line = int(lines[-1]) if lines and len(lines[-1]) < 7 else None
        found = (name, (raised[-1].group(2) or "") if raised else None, line)
    else:
        found = (None, None, None)
    kind, message = (None if part is None else _clean(part) for part in found[:2])
    return {"error_type": kind[:100] if kind else None, "error_message": message, "error_line": found[2]}


def _clean(text: str) -> str:
    return "\n".join(clean(line.encode("utf-8", "replace")) for line in text[:2000].split("\n"))


def _explain(ended_by: EndedBy, status: int | None, program: Program) -> list[str]:
    """Describe what happened for the participant."""
    limits = program.limits
    if ended_by == "exit" and status is not None and status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        return [sentence("ran_abruptly", name=name)]
    figures = {
        "time": f"{limits.wall_seconds:g}",
        "cpu": limits.cpu_seconds,
        "memory": limits.memory_mb,
        "output": f"{limits.output_bytes:,}",
        "infrastructure": "",
    }
    return [sentence(f"ran_{ended_by}", limit=figures[ended_by])] if ended_by in figures else []
