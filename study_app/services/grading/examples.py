"""Trying the visible examples of a task on a program, beside its run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.programs import CheckResult, Isolation, OutputLine, Program, RunResult
from study_app.ports import Sandbox
from study_app.services.grading.grading import run_visible

log = logging.getLogger(__name__)

Checks = tuple[CheckResult, ...]


def verdicts_of(sandbox: Sandbox, pack: TaskPack, code: str) -> Checks:
    """Return the verdicts of the visible examples; none where they cannot be tried."""
    try:
        checks = run_visible(sandbox, pack, code).checks
        # Without those that the busy machine left open: a participant is shown what is certain.
        return tuple(check for check in checks if check.passed is not None)
    except SandboxUnavailable:
        return ()
    except Exception:
        log.exception("the examples of a task could not be tried", extra={"task": pack.id})
        return ()


class ExamplesBeside:
    """Tries the examples while the program itself runs, so that a program that waits does not hold them up.

    Args:
        sandbox: runs them.
        pack: the task.
        code: the program.
        cancelled: polled; once true, the examples are given up.
        known: called once with the verdicts, from another thread, unless cancelled before.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        pack: TaskPack,
        code: str,
        cancelled: Callable[[], bool],
        known: Callable[[Checks], None],
    ) -> None:
        self._sandbox = _Stoppable(sandbox, cancelled)
        self._pack, self._code, self._known = pack, code, known
        self._cancelled = cancelled
        # A daemon: a server that ends does not wait for a program that waits.
        self._thread = threading.Thread(target=self._try, name="examples", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the verdicts have been passed on, or given up."""
        self._thread.join()

    def _try(self) -> None:
        checks = verdicts_of(self._sandbox, self._pack, self._code)
        # Asked again: verdicts of a program that was stopped meanwhile would be shown beside the next one.
        if not self._cancelled():
            self._known(checks)


class _Stoppable:
    """A sandbox whose every program ends once a run is cancelled."""

    def __init__(self, sandbox: Sandbox, cancelled: Callable[[], bool]) -> None:
        self._sandbox = sandbox
        self._cancelled = cancelled

    def isolation(self) -> Isolation:
        """See ports.Sandbox."""
        return self._sandbox.isolation()

    def run(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        """See ports.Sandbox."""
        # The checks bring no reason to stop; the run's is theirs.
        return self._sandbox.run(program, on_line, cancelled or self._cancelled)

    def close(self) -> None:
        """Leave the sandbox open for its owner."""
