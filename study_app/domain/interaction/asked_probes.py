"""Probes of affect as the log has them: when each was shown, what became of it, how long the clock stood still."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from study_app.domain.events import Event
from study_app.domain.events.server import ProbeAnswered, ProbeShown

PROBE_KINDS = frozenset({ProbeShown.kind, ProbeAnswered.kind})


@dataclass(frozen=True)
class AskedProbe:
    """One probe that was shown."""

    stage: str
    shown: ProbeShown
    shown_at: datetime
    answered: ProbeAnswered | None = None
    answered_at: datetime | None = None

    @property
    def over_at(self) -> datetime:
        """When it goes away by itself."""
        return self.shown_at + timedelta(seconds=self.shown.seconds)

    def is_open(self, now: datetime) -> bool:
        """Return whether an answer would count."""
        return self.answered is None and now < self.over_at

    def stood(self, now: datetime) -> float:
        """Seconds for which the clock has stood still by now, at most those that the deadline moved by."""
        return min(max((now - self.shown_at).total_seconds(), 0.0), self.shown.seconds)

    @property
    def seconds(self) -> float:
        """Seconds for which the clock stood still in all."""
        return self.shown.seconds if self.answered is None else self.answered.seconds


def asked_probes(events: Iterable[Event]) -> list[AskedProbe]:
    """Return the probes that were shown, in order; of several answers to one the first counts."""
    found: list[AskedProbe] = []
    for event in events:
        # By kind first: nearly all events of a log are edits.
        if event.kind not in PROBE_KINDS:
            continue
        said = event.details
        if isinstance(said, ProbeShown):
            found.append(AskedProbe(event.stage, said, event.server_time))
        elif isinstance(said, ProbeAnswered):
            of = [each for each in found if (each.stage, each.shown.minute) == (event.stage, said.minute)]
            if of and of[-1].answered is None:
                at = found.index(of[-1])
                found[at] = replace(of[-1], answered=said, answered_at=event.server_time)
    return found
