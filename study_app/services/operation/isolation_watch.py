"""A study whose programs are isolated worse than its file accepts pauses: clocks stand, submissions wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from study_app.domain.events.server import Outage
from study_app.domain.records import AuditEntry, Visit
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.queue import accepts_isolation

FELL, RECOVERED = "isolation fell", "isolation recovered"
"""What the audit log calls them."""
ALERT = "isolation_alert"
"""Where the database keeps since when, and why, the study is paused."""
HELD = "isolation_held_until"
"""Where the database keeps until when the deadlines are moved already."""
STEP = timedelta(seconds=10)
"""Deadlines are moved by as much at a time, ahead, so that none passes between two looks."""
LOOK_AGAIN = timedelta(minutes=10)
LOOK_SOON = timedelta(seconds=30)
"""While a study is paused: what was met may have been a moment's, such as a fork server that was killed then."""


class IsolationWatch:
    """Looks every second, in the process that keeps the deadlines."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._moved_until: datetime | None = None
        self._look_at = context.now() + LOOK_AGAIN

    def check(self) -> None:
        """Hold the clocks of stages with tasks while programs may not be run; a draft is never paused."""
        now = self.context.now()
        if now >= self._look_at:
            self._look_at = now + LOOK_AGAIN
            if hasattr(self.context.sandbox, "look_again"):
                self.context.sandbox.look_again()
        if accepts_isolation(self.context, launched=True):
            self._recover()
        elif self._moved_until is None or now >= self._moved_until:
            self._hold(now)

    def _hold(self, now: datetime) -> None:
        with self.context.registry.begin() as unit:
            if self.context.state(unit) == "draft":
                return
            self._look_at = min(self._look_at, now + LOOK_SOON)
            unit.lock(ALERT)
            if unit.meta_value(ALERT) is None:
                isolation = self.context.sandbox.isolation()
                detail = {"level": isolation.level, "message": isolation.message}
                kept = detail | {"since": now.isoformat(), "replica": self.context.replicas.me.name}
                unit.set_meta_value(ALERT, kept)
                unit.add_audit(AuditEntry(now, "server", FELL, isolation.message, detail))
            if (unit.meta(HELD) or "") > now.isoformat():
                # Another server of the study has moved the deadlines: once is enough.
                # Soon again: that server may go, and its deadlines are held for ten seconds only.
                self._moved_until = now + STEP / 10
                return
            unit.set_meta(HELD, (now + STEP).isoformat())
            for visit in self._held(unit):
                if unit.extend_visit(visit.participant_id, visit.stage, STEP):
                    moved = Outage(cause="isolation", seconds=STEP.total_seconds())
                    unit.record(visit.participant_id, visit.stage, now, moved)
        self._moved_until = now + STEP

    def _held(self, unit: UnitOfWork) -> Iterator[Visit]:
        """Yield the open visits in which programs are written; a quiz can be answered throughout."""
        # Simulated participants have their own clock.
        simulated = unit.simulated()
        for visit in unit.visits():
            if visit.ended_at is not None or visit.participant_id in simulated:
                continue
            person = unit.known_participant(visit.participant_id)
            if self.context.study_of(unit, person).stage(visit.stage).kind == "tasks":
                yield visit

    def _recover(self) -> None:
        self._moved_until = None
        with self.context.registry.begin(write=False) as unit:
            kept = unit.meta_value(ALERT)
            if kept is None:
                return
            fell_at = kept.get("replica", self.context.replicas.me.name)
            if fell_at != self.context.replicas.me.name and not self.context.replicas.is_gone(unit, fell_at):
                # That server pauses the study, and says itself when it is over.
                return
        with self.context.registry.begin() as unit:
            unit.lock(ALERT)
            if unit.meta_value(ALERT) != kept:
                # Another server has said so, or paused the study anew, since this one looked.
                return
            unit.set_meta_value(ALERT, None)
            level = self.context.sandbox.isolation().level
            unit.add_audit(AuditEntry(self.context.now(), "server", RECOVERED, "", {"level": level}))


def isolation_alert(unit: UnitOfWork) -> str | None:
    """Return why the study is paused, in a sentence, or None."""
    kept = unit.meta_value(ALERT)
    if kept is None:
        return None
    return (
        f"the study is paused since {kept['since'][11:19]} UTC: programs are "
        f"less isolated ({kept['level']}) than the study file accepts. {kept['message']} Clocks of stages with tasks "
        "stand still; what is submitted is kept and graded afterwards."
    )
