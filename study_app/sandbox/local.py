"""Runs programs on this machine, in children of fork servers: one server for each set of packages."""

from __future__ import annotations

import itertools
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.programs import EndedBy, Isolation, OutputLine, Program, RunResult
from study_app.sandbox import packages, selftest
from study_app.sandbox.confinement import cgroups
from study_app.sandbox.confinement.bounds import resource_bounds
from study_app.sandbox.confinement.cgroups import RunGroup
from study_app.sandbox.control import Control
from study_app.sandbox.process import RunningProgram
from study_app.sandbox.server import ForkServer, Options, find_bubblewrap

_POLL_SECONDS = 0.05
_BESIDE = "name it in requirements.txt of the study and run study setup, or install it beside study-app"
LONGEST_PROGRAM = 2_000_000
"""Characters; compiling more would take the memory and the time of the run."""


class LocalSandbox:
    """Runs programs in locked-down children; safe to call from many threads.

    Args:
        options: how fork servers are started.
        max_parallel: runs at the same time; more wait. Memory in the worst case is this times a run's limit.
    """

    def __init__(self, options: Options | None = None, *, max_parallel: int = 64) -> None:
        self._options = options or Options()
        self._slots = threading.BoundedSemaphore(max_parallel)
        self._servers: dict[tuple[str, ...], ForkServer] = {}
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._closed = False
        self._isolation: Isolation | None = None
        self._bubblewrap: str | None = None
        self._groups, self._why_none = cgroups.of_this_process()
        self._testing = threading.RLock()
        self._control = Control(lambda program, on_line, cancelled: self._run_somewhere(program, on_line, cancelled))

    def isolation(self) -> Isolation:
        """Return the isolation observed by canaries; the first call runs them (about 0.5 s)."""
        with self._testing:
            if self._isolation is None:
                self._isolation = self._observe()
            return self._isolation

    def look_again(self) -> Isolation:
        """Run the canaries anew, while programs go on; what they meet counts from now on."""
        with self._testing:
            before = self._isolation
        if before is None or before.level == "off":
            with self._testing:
                self._isolation = self._observe()
                return self._isolation
        try:
            with selftest.planted_variable() as planted:
                fresh = ForkServer((), self._options, bubblewrap=self._bubblewrap)
            try:
                with self._lock:
                    self._servers, replaced = {**self._servers, (): fresh}, self._servers.get(())
                if replaced is not None:
                    replaced.retire()
                found = self._met(fresh.mechanisms, planted)
            except SandboxUnavailable:
                fresh.kill_all()
                raise
        except SandboxUnavailable as error:
            found = Isolation("off", f"Code execution is disabled: {error}.")
        self._isolation = found
        return found

    def run(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        """Run one program to its end; see `ports.Sandbox`."""
        isolation = self.isolation()
        program = admitted(program, isolation)
        if len(program.code) > LONGEST_PROGRAM:
            return _too_long(program, isolation)
        if not self._wait_for_slot(cancelled):
            return never_started(program, isolation, "cancelled")
        try:
            run = self._run_controlled if program.controlled else self._run_somewhere
            return replace(run(program, on_line, cancelled), isolation=isolation.level)
        finally:
            self._slots.release()

    def close(self) -> None:
        """End the fork servers and every run; idempotent."""
        with self._lock:
            self._closed = True
            self._control.close()
            servers, self._servers = list(self._servers.values()), {}
        for server in servers:
            server.kill_all()
        for server in servers:
            server.wait(5.0)

    def server(self, wanted: tuple[str, ...]) -> ForkServer:
        """Return the fork server for a set of packages, started or replaced where need be.

        Raises:
            SandboxUnavailable: it cannot be started, or the sandbox is closed.
        """
        key = tuple(sorted(set(wanted)))
        with self._lock:
            if self._closed:
                raise SandboxUnavailable("the sandbox is closed")
            server = self._servers.get(key)
            # Replaced from time to time: what a fork server leaks, however little, would grow over the weeks of a
            # trial.
            if server is not None and server.alive and server.runs < self._options.recycle_after:
                return server
            absent = packages.installation(self._options.folders).missing(key)
            if absent:
                raise SandboxUnavailable(f"package {', '.join(absent)} is not installed; {self._install()}")
            fresh = self._servers[key] = ForkServer(key, self._options, bubblewrap=self._bubblewrap)
        if server is not None:
            # Outside the lock, and not killed: runs under way end on the old one while new ones start on the fresh one.
            server.retire()
        return fresh

    def _install(self) -> str:
        return "name it in the study's requirements and run study setup" if self._options.folders else _BESIDE

    def _observe(self) -> Isolation:
        """Try bubblewrap first, then without it; the better of what was observed."""
        wrapper = find_bubblewrap() if self._options.bubblewrap else None
        # Bubblewrap may be installed and yet refused, as inside a container: what decides is whether a program ran.
        for candidate in [wrapper, None] if wrapper else [None]:
            self._bubblewrap = candidate
            try:
                with selftest.planted_variable() as planted:
                    mechanisms = self.server(()).mechanisms
                found = self._met(mechanisms, planted)
            except SandboxUnavailable as error:
                found = Isolation("off", f"Code execution is disabled: {error}.")
            if found.level != "off" or candidate is None:
                return found
            self._drop_servers()
        raise AssertionError("unreachable")

    def _met(self, mechanisms: dict[str, Any], planted: str) -> Isolation:
        """Return what canaries meet now, and what bounds the resources of runs."""
        bubblewrap = self._bubblewrap is not None
        found = selftest.observe(self._run_unjudged, mechanisms, bubblewrap=bubblewrap, planted=planted)
        bounds = resource_bounds(mechanisms["threads_counted"], self._groups, self._why_none)
        return replace(found, bounds=bounds)

    def _drop_servers(self) -> None:
        with self._lock:
            servers, self._servers = list(self._servers.values()), {}
        for server in servers:
            server.kill_all()

    def _run_unjudged(self, program: Program) -> RunResult:
        return self._run_somewhere(replace(program, seed=program.seed or 0), None, None)

    def _wait_for_slot(self, cancelled: Callable[[], bool] | None) -> bool:
        if cancelled is None:
            return self._slots.acquire()
        while not self._slots.acquire(timeout=_POLL_SECONDS):
            if cancelled():
                return False
        return True

    def _run_controlled(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> RunResult:
        self._control.begin()
        seconds, lag = 0.0, None
        try:
            result = self._run_somewhere(program, on_line, cancelled)
            seconds = result.wall_seconds
        finally:
            lag = self._control.end(seconds)
        return replace(result, lag_seconds=lag)

    def _run_somewhere(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> RunResult:
        """Run it; where it is lost with its fork server, or killed from outside, run it again (twice at most)."""
        shown: list[OutputLine] = []
        for attempt in range(3):
            # A seed that was set before makes the repetition print the same lines, so that what was shown can be passed
            # over.
            result = self._run_once(program, _continue_after(shown, on_line), cancelled, again=attempt == 0)
            if result is not None:
                return result
        return never_started(program, None, "infrastructure")

    def _run_once(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None,
        cancelled: Callable[[], bool] | None,
        *,
        again: bool,
    ) -> RunResult | None:
        server = self.server(program.packages)
        run_id = next(self._ids)
        with self._group_for(program) as group:
            ours, theirs = _pipes()
            try:
                ending = server.start(run_id, theirs if group is None else [*theirs, group.door])
            finally:
                _close(theirs)
            if ending is None:
                _close(ours)
                return None
            running = RunningProgram(program, ours, ending, on_line, cancelled, group)
            return running.to_its_end(lambda: server.kill(run_id), again=again)

    def _group_for(self, program: Program) -> AbstractContextManager[RunGroup | None]:
        if self._groups is None:
            return nullcontext()
        return self._groups.for_run(program.limits.memory_mb)


def _pipes() -> tuple[list[int], list[int]]:
    """Four pipes: our ends and the child's, each in the order job, out, err, report."""
    job_read, job_write = os.pipe()
    ours, theirs = [job_write], [job_read]
    for _ in range(3):
        read, write = os.pipe()
        ours.append(read)
        theirs.append(write)
    for descriptor in ours:
        # One thread serves four pipes by poll: a blocking write of the job would stand still while the program fills
        # its output.
        os.set_blocking(descriptor, False)
    return ours, theirs


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _continue_after(
    shown: list[OutputLine], on_line: Callable[[OutputLine], None] | None
) -> Callable[[OutputLine], None] | None:
    """Pass lines on, but not again those that a lost run had already shown."""
    if on_line is None:
        return None
    before = [(line.stream, line.text) for line in shown]

    def tell(line: OutputLine) -> None:
        if before and before[0] == (line.stream, line.text):
            before.pop(0)
            return
        shown.append(line)
        on_line(line)

    return tell


def _too_long(program: Program, isolation: Isolation) -> RunResult:
    text = f"The program is too long: {len(program.code):,} characters, at most {LONGEST_PROGRAM:,} are run.\n"
    line = OutputLine("stderr", text.strip(), 0.0)
    return RunResult("", text, (line,), 1, "exit", 0.0, isolation.level, program.seed or 0)


def admitted(program: Program, isolation: Isolation) -> Program:
    """Return the program as every sandbox runs it: with a seed, if programs are run at all.

    Raises:
        SandboxUnavailable: code execution is disabled.
    """
    if isolation.level == "off":
        raise SandboxUnavailable(isolation.message)
    return program if program.seed is not None else replace(program, seed=secrets.randbits(31))


def never_started(program: Program, isolation: Isolation | None, ended_by: EndedBy) -> RunResult:
    """Return the result of a program that was not run, or whose run was lost."""
    level = isolation.level if isolation else "off"
    text = "The server could not run the program; this is not its fault. Please run it again.\n"
    stderr = text if ended_by == "infrastructure" else ""
    return RunResult("", stderr, (), None, ended_by, 0.0, level, program.seed or 0)
