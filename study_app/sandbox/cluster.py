"""Runs programs on a Dask cluster: every worker process has its own fork servers.

A worker that is lost during a run takes the run with it: Dask places it on another. Where Dask gives up, the run is
repeated once, then reported as a fault of the infrastructure. Lines are stamped on the worker and sent when the run has
ended, for a future carries no stream.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from study_app.dask_cluster import CONNECT_SECONDS, dask_client
from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.programs import Isolation, IsolationLevel, OutputLine, Program, RunResult
from study_app.sandbox.local import LocalSandbox, never_started
from study_app.sandbox.server import Options

_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0
"""Beyond a run's own limit: queues and a worker's first fork server."""
_worker_sandboxes: dict[tuple[str, ...], LocalSandbox] = {}
_worker_lock = threading.Lock()


def _sandbox_of_this_worker(folders: tuple[str, ...]) -> LocalSandbox:
    with _worker_lock:
        if folders not in _worker_sandboxes:
            _worker_sandboxes[folders] = LocalSandbox(Options(folders=folders))
            atexit.register(_worker_sandboxes[folders].close)
        return _worker_sandboxes[folders]


def run_on_worker(program: Program, folders: tuple[str, ...] = ()) -> RunResult:
    """Return what a worker is asked to do."""
    return _sandbox_of_this_worker(folders).run(program)


def isolation_of_worker(folders: tuple[str, ...] = ()) -> Isolation:
    """Return the isolation that canaries observe on a worker."""
    return _sandbox_of_this_worker(folders).isolation()


class ClusterSandbox:
    """Runs programs on the workers of a Dask scheduler.

    Args:
        address: `tcp://HOST:PORT` or `tls://HOST:PORT`.
        folders: where the study's own packages are, at the same place on every worker.

    Raises:
        UserError: the extra `cluster` is not installed, or the certificates cannot be used.
        SandboxUnavailable: no scheduler answers there, or it has no worker.
    """

    def __init__(self, address: str, folders: tuple[str, ...] = ()) -> None:
        try:
            self._client: Any = dask_client(address, "STUDY_RUNNER")
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise SandboxUnavailable(
                f"no cluster answers at {address} ({error}); start its scheduler and a worker"
            ) from None
        # Not pure: Dask would give two equal programs one result, and a second run of the same text must run again.
        self._executor = self._client.get_executor(pure=False, retries=0)
        self._folders = folders
        self._isolation: Isolation | None = None
        self._lock = threading.Lock()

    def isolation(self) -> Isolation:
        """Return the weakest isolation of the workers present at the first call."""
        with self._lock:
            if self._isolation is None:
                found = list(self._client.run(isolation_of_worker, self._folders).values())
                order: tuple[IsolationLevel, ...] = get_args(IsolationLevel)
                # Dask chooses the worker of each run, so no more can be promised than what the weakest one holds.
                self._isolation = max(found, key=lambda isolation: order.index(isolation.level))
            return self._isolation

    def run(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        """Run one program on a worker; see `ports.Sandbox`. Lines are reported at the end, with the worker's stamps."""
        # Twice and no more: a program that ends every worker that it meets must not end them all.
        for _ in range(2):
            result = self._attempt(program, cancelled)
            if result is not None:
                for line in result.lines if on_line else ():
                    on_line(line)  # type: ignore[misc]
                return result
        return never_started(program, None, "infrastructure")

    def close(self) -> None:
        """Leave the cluster; its workers stay."""
        with contextlib.suppress(Exception):
            self._executor.shutdown(wait=False)
        self._client.close()

    def _attempt(self, program: Program, cancelled: Callable[[], bool] | None) -> RunResult | None:
        """Return one attempt; None where the worker was lost."""
        try:
            future = self._executor.submit(run_on_worker, program, self._folders)
            return self._await(future, program, cancelled)
        except SandboxUnavailable:
            raise
        except Exception:
            return None

    def _await(
        self, future: concurrent.futures.Future[RunResult], program: Program, cancelled: Callable[[], bool] | None
    ) -> RunResult:
        waited, limit = 0.0, program.limits.wall_seconds + _PATIENCE_SECONDS
        step = limit if cancelled is None else _POLL_SECONDS
        while waited < limit:
            with contextlib.suppress(concurrent.futures.TimeoutError):
                return future.result(timeout=step)
            waited += step
            if cancelled is not None and cancelled():
                future.cancel()
                return replace(never_started(program, self._isolation, "cancelled"))
        future.cancel()
        raise TimeoutError("the cluster did not answer")
