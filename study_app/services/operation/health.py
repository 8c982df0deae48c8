"""Is the server well? It is when it can write, and what it should be looked at for is said beside."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from study_app.domain.errors import InfrastructureError, StudyError
from study_app.domain.trial_state import State
from study_app.services.context import StudyContext
from study_app.services.operation.clock_watch import shown_alert
from study_app.services.operation.isolation_watch import isolation_alert
from study_app.services.retrying import retried

KEPT_SECONDS = 2.0
"""A stranger who asks again and again makes the server write no more often."""
WAIT_SECONDS = 5.0
"""How long a look waits for one that goes on: each occupies a thread that routes need."""


@dataclass(frozen=True)
class HealthReport:
    """What a look at the server found."""

    state: State
    alerts: tuple[str, ...]
    paused: bool = False
    """Programs may not be run as this machine isolates them now."""


class Health:
    """Looks at database, disk and clock."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._lock = threading.Lock()
        self._kept: tuple[float, HealthReport] | None = None

    def missing(self) -> tuple[str, ...]:
        """Return what keeps a newcomer from being served here, nothing where the server is ready.

        Raises:
            InfrastructureError: as `check`.
        """
        report = self.check()
        found = ["programs cannot be run as this machine isolates them"] if report.paused else []
        if report.state == "launched":
            with self.context.registry.begin(write=False) as unit:
                sealed = unit.meta("sealed_seed")
            try:
                # A server that cannot allocate would let people in who get no further than the allocation.
                self.context.seal.open(sealed or "")
            except StudyError:
                found.append("the sealing key is missing or another one, so no participant can be allocated")
        return tuple(found)

    def check(self) -> HealthReport:
        """Write a little and read the state.

        Raises:
            InfrastructureError: nothing can be written, or the database cannot be reached.
        """
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise InfrastructureError("the look at the database before this one does not end")
        try:
            if self._kept is not None and time.monotonic() - self._kept[0] < KEPT_SECONDS:
                return self._kept[1]
            # Forgotten before the look: a look that fails must not leave the answer of the last good one.
            self._kept = None
            report = self._look()
            self._kept = (time.monotonic(), report)
            return report
        finally:
            self._lock.release()

    def _look(self) -> HealthReport:
        # Tried again: a database may isolate transactions so strictly that the probe of another server is in the way.
        retried(self.context.registry.probe)()
        with self.context.registry.begin(write=False) as unit:
            alert = shown_alert(unit, self.context.now())
            paused = isolation_alert(unit)
            alerts = (*(() if alert is None else (str(alert),)), *(() if paused is None else (paused,)))
            return HealthReport(self.context.state(unit), alerts, paused is not None)
