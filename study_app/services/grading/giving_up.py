"""When to stop: what fails again and again while other programs run is put aside for a person, and blocks nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from study_app.domain.errors import InfrastructureError, SandboxUnavailable
from study_app.domain.tasks.programs import Program
from study_app.ports import Sandbox

MOST_TRIES = 8
"""With the pauses between them about six minutes; longer than a sandbox takes to come back after a failure."""
HEALTHY = "print('healthy')"
"""A program whose run shows that programs can be run here."""
_REMEDY = "look at the program in its replay and at the server's log, then let it be tried again"


class Tries:
    """How often something failed while the server was well; kept in this process, so that a restart tries anew."""

    def __init__(self) -> None:
        self._failed: Counter[str] = Counter()

    def failed(self, name: str, error: Exception, runs_here: Callable[[], bool]) -> str | None:
        """Count a failure; returns the reason for putting it aside, None where it is to be tried again.

        Args:
            name: of what failed.
            error: how.
            runs_here: whether a program with the same packages and limits can be run now; asked where it matters.
        """
        ours = isinstance(error, InfrastructureError)
        # A database that is away, or a sandbox that is down, is down for all: nothing is learnt of this one.
        if ours and not (isinstance(error, SandboxUnavailable) and runs_here()):
            return None
        self._failed[name] += 1
        if self._failed[name] < MOST_TRIES:
            return None
        del self._failed[name]
        what = f"tried {MOST_TRIES} times, and each time other programs ran" if ours else f"tried {MOST_TRIES} times"
        return f"{what}: {type(error).__name__}: {error}"[:380] + f"; {_REMEDY}"

    def done(self, name: str) -> None:
        """Forget what it counted."""
        self._failed.pop(name, None)


def runs(sandbox: Sandbox, program: Program) -> bool:
    """Return whether a program that only prints runs to its end here."""
    try:
        result = sandbox.run(program)
    except SandboxUnavailable:
        return False
    return result.ended_by == "exit" and result.exit_status == 0
