"""A wrong clock ends no stage: steps of the wall clock are audited, shown, and moved out of the deadlines' way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from study_app.domain.events.server import Outage
from study_app.domain.records import AuditEntry
from study_app.ports import ClockStep, UnitOfWork
from study_app.services.context import StudyContext

STEP = "clock_step"
"""The cause of the outage by which a deadline follows a step."""
STEPPED = "clock step"
"""What the audit log calls it."""
ALERT = "clock_alert"
"""Where the database keeps the newest step."""
SHOWN_FOR = timedelta(hours=24)
"""How long a step that is over is still shown."""


@dataclass(frozen=True)
class ClockAlert:
    """The newest step of the wall clock."""

    at: datetime
    seconds: float
    """Wall clock minus the server's own count."""
    state: str
    """`away`: the server goes by its own count; `back`: the clock came back; `taken`: deadlines were moved by it."""
    machine: str = ""
    replica: str = ""

    def __str__(self) -> str:
        ends = {
            "away": "the server goes on by its own count; set the machine's clock right",
            "back": "it came back by itself",
            "taken": "it stood, so the deadlines of open stages were moved by as much",
        }
        way = f"{'ahead' if self.seconds > 0 else 'back'} by {abs(self.seconds):.0f} s"
        return f"the machine's clock went {way} at {self.at:%H:%M:%S} UTC: {ends[self.state]}"


SAME_STEP_SECONDS, SAME_STEP_WITHIN = 5.0, timedelta(minutes=2)
"""Two servers on one machine see one step: how far apart they may measure it, and how far apart in time."""


class ClockWatch:
    """Looks at the clock every second, in the process that keeps the deadlines."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._away = False

    def begin(self) -> None:
        """From now on steps are taken over by this watch only."""
        if hasattr(self.context.clock, "watched"):
            self.context.clock.watched = True

    def check(self) -> None:
        """Record a step that begins or ends; take over one that stands, after the deadlines were moved."""
        clock: Any = self.context.clock
        step: ClockStep | None = clock.step() if hasattr(clock, "step") else None
        if step is None:
            if self._away:
                self._note("back")
            self._away = False
        elif step.confirmed:
            self._take(step)
        elif not self._away:
            self._away = True
            self._note("away", step)

    def _take(self, step: ClockStep) -> None:
        """Give every open stage the time back that the step would take from it, then follow the clock."""
        with self.context.registry.begin() as unit:
            now = self.context.now()
            # Two servers on one machine see the same step at the same time; deadlines must be moved by it once.
            unit.lock(ALERT)
            if self._taken_here_already(unit, step, now):
                self._away = False
                self.context.clock.adopt()  # type: ignore[attr-defined]
                return
            # Simulated participants have their own clock.
            simulated = unit.simulated()
            for visit in (visit for visit in unit.visits() if visit.participant_id not in simulated):
                # Recorded as an outage, so that the measured time of the stage is not longer by the step.
                if visit.ended_at is None and unit.extend_visit(visit.participant_id, visit.stage, step.by):
                    moved = Outage(cause=STEP, seconds=step.by.total_seconds())
                    unit.record(visit.participant_id, visit.stage, now, moved)
            self._keep(unit, ClockAlert(now, step.by.total_seconds(), "taken"))
        # Only after the commit: adopted earlier, a deadline could end a stage by the new time before it was moved.
        self._away = False
        self.context.clock.adopt()  # type: ignore[attr-defined]

    def _taken_here_already(self, unit: UnitOfWork, step: ClockStep, now: datetime) -> bool:
        """Return whether another server on this machine, whose clock it is, has moved the deadlines by this step."""
        known = clock_alert(unit)
        return (
            known is not None
            and known.state == "taken"
            and known.machine == self.context.replicas.me.machine != ""
            and known.replica != self.context.replicas.me.name
            and abs(known.seconds - step.by.total_seconds()) < SAME_STEP_SECONDS
            and abs(now - known.at) < SAME_STEP_WITHIN + abs(step.by)
        )

    def _note(self, state: str, step: ClockStep | None = None) -> None:
        with self.context.registry.begin() as unit:
            known = clock_alert(unit)
            seconds = step.by.total_seconds() if step is not None else known.seconds if known is not None else 0.0
            self._keep(unit, ClockAlert(self.context.now(), seconds, state))

    def _keep(self, unit: UnitOfWork, alert: ClockAlert) -> None:
        detail = {"seconds": round(alert.seconds, 3), "state": alert.state}
        me = self.context.replicas.me
        where = {"machine": me.machine, "replica": me.name}
        unit.set_meta_value(ALERT, detail | where | {"at": alert.at.isoformat()})
        unit.add_audit(AuditEntry(alert.at, "server", STEPPED, "", detail))


def clock_alert(unit: UnitOfWork) -> ClockAlert | None:
    """Return the newest step of the clock, or None."""
    kept = unit.meta_value(ALERT)
    if kept is None:
        return None
    where = kept.get("machine", ""), kept.get("replica", "")
    return ClockAlert(datetime.fromisoformat(kept["at"]), kept["seconds"], kept["state"], *where)


def shown_alert(unit: UnitOfWork, now: datetime) -> ClockAlert | None:
    """Return the newest step while it matters: as long as it lasts, and a day after it."""
    alert = clock_alert(unit)
    if alert is None or (alert.state != "away" and now - alert.at > SHOWN_FOR):
        return None
    return alert
