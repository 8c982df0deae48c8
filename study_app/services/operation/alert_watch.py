"""Alerts: each incident is recorded when it begins and when it is over, and sent once each time.

Incidents are in the database, so that they outlive a restart and several servers report each of them once. What cannot
be sent is tried again, and holds up nothing that goes another way; a server that ends in the middle of sending leaves a
claim that runs out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from study_app.domain.records import AuditEntry
from study_app.domain.study.operating.alerts import Channel
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.alert_rules import Machine, conditions, kinds_asked_for

log = logging.getLogger(__name__)

INCIDENTS = "alerts"
"""Where the database keeps them; also the name of the lock under which they change."""
BEGAN, OVER, SENT = "alert", "alert over", "alert sent"
"""What the audit log calls them."""
NOT_ASKED = "no one asks for it any more"
"""Why an alert is over whose condition may still hold; nothing is sent then."""
EVERY = timedelta(seconds=20)
CLAIM = timedelta(minutes=2)
"""How long another server waits before it sends what this one has begun to send."""

Moment = Literal["began", "over"]


@dataclass(frozen=True)
class AlertMessage:
    """What is sent."""

    study_id: str
    title: str
    kind: str
    moment: Moment
    text: str
    at: datetime
    since: datetime


@dataclass(frozen=True)
class Incident:
    """One incident, until another of its kind takes its place."""

    kind: str
    text: str
    since: str
    over_at: str | None = None
    owed: tuple[tuple[Moment, Channel], ...] = ()
    """What has still to be sent, and how."""
    claimed_until: str = ""
    """While a server sends."""
    waits: tuple[tuple[Channel, str], ...] = ()
    """Channels by which nothing could be sent, and until when each is left alone."""
    refused: tuple[str, ...] = ()
    """What was handed on and not taken, such as `webhook: status 404`; it is not tried again."""

    @property
    def began_at(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.since)

    @property
    def ended_at(self) -> datetime | None:
        """When it was over; None while it lasts."""
        return None if self.over_at is None else datetime.fromisoformat(self.over_at)

    def next_message(self, now: datetime) -> tuple[Moment, Channel] | None:
        """Return what is to be sent first; None while a server sends, and where nothing is owed or all has to wait."""
        if self.claimed_until > now.isoformat():
            return None
        waiting = {channel for channel, until in self.waits if until > now.isoformat()}
        return next((each for each in self.owed if each[1] not in waiting), None)


LISTS = ("owed", "waits", "refused")
"""Fields of an incident that are tuples."""
Send = Callable[[Channel, AlertMessage], str]
"""Sends by a channel and says what came of it; raises InfrastructureError where it has to be tried again."""


def incidents(unit: UnitOfWork) -> list[Incident]:
    """Return the newest incident of each kind, the latest first."""
    kept = unit.meta_value(INCIDENTS) or []
    found = [Incident(**{**each, **{name: _tuples(each.get(name, ())) for name in LISTS}}) for each in kept]
    return sorted(found, key=lambda each: each.since, reverse=True)


def _tuples(value: Sequence[Any]) -> tuple[Any, ...]:
    """Return what JSON made a list of as it was."""
    return tuple(tuple(each) if isinstance(each, list) else each for each in value)


class AlertWatch:
    """Looks at the conditions of the study file; called every second, looks more rarely.

    Args:
        context: the study.
        machine: this server's.
        send: sends a message.
    """

    def __init__(self, context: StudyContext, machine: Machine, send: Send) -> None:
        self.context = context
        self.machine = machine
        self._send = send
        self._due = context.now()
        self._first = True

    def tick(self) -> None:
        """Look, record what has changed, and send what is owed."""
        now = self.context.now()
        # A clock that was set back must not stop the alerts about it.
        if self._due - EVERY <= now < self._due:
            return
        self._due = now + EVERY
        self._look()
        while (claimed := self._claim()) is not None:
            self._deliver(*claimed)

    def _look(self) -> None:
        with self.context.registry.begin(write=False) as unit:
            found = conditions(self.context, unit, self.machine)
            before = incidents(unit)
            dropped = self._dropped(unit, found, before)
        self._first = False
        lasting = {each.kind for each in before if _lasts(each)}
        # Read first, without the lock: nearly every look finds nothing new, and several servers look.
        if not dropped and all((text is not None) == (kind in lasting) for kind, text in found.items()):
            return
        with self.context.registry.begin() as unit:
            kept = self._kept_under_lock(unit)
            for kind in dropped:
                if (incident := kept.get(kind)) is not None and _lasts(incident):
                    kept[kind] = self._ended(unit, incident, owed=(), why=NOT_ASKED)
            for kind, text in found.items():
                changed = self._changed(unit, kept.get(kind), kind, text)
                if changed is not None:
                    kept[kind] = changed
            _keep(unit, kept)

    def _dropped(self, unit: UnitOfWork, found: Mapping[str, object], before: Sequence[Incident]) -> list[str]:
        """Return kinds that last and that no one looks at any more: the table leaves them out, or the trial is over.

        What the table leaves out is looked for once, at the start: of two servers with different files one would go on
        raising what the other ends.
        """
        asked = kinds_asked_for(self.context, unit, found, first=self._first)
        return [each.kind for each in before if _lasts(each) and not asked(each.kind)]

    def _changed(self, unit: UnitOfWork, incident: Incident | None, kind: str, text: str | None) -> Incident | None:
        """Return the incident as it is from now on, recorded; None where nothing has changed."""
        now, channels = self.context.now(), self.context.study.alerts.channels
        if text is not None and not _lasts(incident):
            unit.add_audit(AuditEntry(now, "server", BEGAN, text, {"kind": kind}))
            # What could not be sent of the incident before is replaced by this one.
            return Incident(kind, text, now.isoformat(), owed=tuple(("began", each) for each in channels))
        if text is None and incident is not None and _lasts(incident):
            return self._ended(unit, incident, (*incident.owed, *(("over", each) for each in channels)))
        return None

    def _ended(
        self, unit: UnitOfWork, incident: Incident, owed: tuple[tuple[Moment, Channel], ...], why: str = ""
    ) -> Incident:
        now = self.context.now()
        detail = {"kind": incident.kind, "since": incident.since} | ({"why": why} if why else {})
        unit.add_audit(AuditEntry(now, "server", OVER, incident.text, detail))
        return replace(incident, over_at=now.isoformat(), owed=owed)

    def _claim(self) -> tuple[Incident, Moment, Channel] | None:
        """Take one message that is owed and that no server is sending."""
        now = self.context.now()
        with self.context.registry.begin(write=False) as unit:
            if not any(each.owed for each in incidents(unit)):
                return None
        with self.context.registry.begin() as unit:
            kept = self._kept_under_lock(unit)
            for each in kept.values():
                message = each.next_message(now)
                if message is not None:
                    kept[each.kind] = replace(each, claimed_until=(now + CLAIM).isoformat())
                    _keep(unit, kept)
                    return (each, *message)
        return None

    def _deliver(self, incident: Incident, moment: Moment, channel: Channel) -> None:
        study = self.context.study
        at = incident.began_at if moment == "began" else incident.ended_at or self.context.now()
        message = AlertMessage(study.id, study.title, incident.kind, moment, incident.text, at, incident.began_at)
        try:
            outcome = self._send(channel, message)
        except Exception as failure:
            # Whatever it was: the other incidents and channels are not to wait for this one.
            log.warning("an alert could not be sent yet", exc_info=failure, extra={"alert": incident.kind})
            self._postpone(incident, channel)
            return
        with self.context.registry.begin() as unit:
            kept = self._kept_under_lock(unit)
            now_kept = kept.get(incident.kind)
            # It may have been replaced by another of its kind while this one was sent.
            if now_kept is not None and now_kept.since == incident.since:
                owed = tuple(each for each in now_kept.owed if each != (moment, channel))
                refused = () if _taken(outcome) else (f"{channel}: {outcome}",)
                kept[incident.kind] = replace(
                    now_kept, owed=owed, claimed_until="", refused=(*now_kept.refused, *refused)
                )
                _keep(unit, kept)
            detail = {"kind": incident.kind, "moment": moment, "channel": channel, "outcome": outcome}
            unit.add_audit(AuditEntry(self.context.now(), "server", SENT, "", detail))

    def _postpone(self, incident: Incident, channel: Channel) -> None:
        """Leave a channel alone for a while; what is owed by another one can go at once."""
        until = (self.context.now() + CLAIM).isoformat()
        with self.context.registry.begin() as unit:
            kept = self._kept_under_lock(unit)
            found = kept.get(incident.kind)
            if found is not None and found.since == incident.since:
                waits = (*(each for each in found.waits if each[0] != channel), (channel, until))
                kept[incident.kind] = replace(found, claimed_until="", waits=waits)
                _keep(unit, kept)

    def _kept_under_lock(self, unit: UnitOfWork) -> dict[str, Incident]:
        unit.lock(INCIDENTS)
        return {each.kind: each for each in incidents(unit)}


def _taken(outcome: str) -> bool:
    """Return whether anyone was handed the message: one address of several is enough."""
    return outcome.startswith("status 2") or any(each in ("sent", "unknown") for each in outcome.split(", "))


def _lasts(incident: Incident | None) -> bool:
    return incident is not None and incident.over_at is None


def _keep(unit: UnitOfWork, kept: dict[str, Incident]) -> None:
    unit.set_meta_value(INCIDENTS, [asdict(each) for each in kept.values()])
