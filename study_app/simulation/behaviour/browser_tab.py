"""A browser tab of a simulated participant: numbers events as the workspace component does, and sends them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from study_app.bootstrap import App
from study_app.domain.events import Batch, BrowserEvent, EventDetails
from study_app.domain.events.browser import Focus, Heartbeat, Hidden, Load, Resize, Visible
from study_app.simulation.clock import SimulationClock

HEARTBEAT = 10.0
"""Seconds, as in the component."""
FLUSH = 60.0
"""Seconds between two batches. The component sends every two; fewer batches hold the same events."""
SIZES = ((1366, 768), (1440, 900), (1536, 864), (1920, 1080), (2560, 1440))

Cue = tuple[float, EventDetails]
"""Seconds from now, and what happens then."""


@dataclass
class Tab:
    """One page load."""

    app: App
    clock: SimulationClock
    participant_id: str
    rng: Random
    skew: timedelta
    """By how much the browser's clock is wrong."""
    page: str = ""
    hidden: bool = False
    _opened: datetime = field(init=False)
    _seq: int = 0
    _unsent: list[BrowserEvent] = field(default_factory=list)
    _next_beat: datetime | None = None
    _flushed: datetime = field(init=False)

    def open(self, first: Load | None = None) -> None:
        """Load the page and take the attempt over; `first` comes before the events that every page begins with."""
        self.page = f"{self.rng.getrandbits(128):032x}"
        self._seq = 0
        self._opened = self.clock.now() - timedelta(milliseconds=self.rng.randint(300, 1500))
        self._next_beat = self.clock.now() + timedelta(seconds=HEARTBEAT)
        if first is not None:
            self.add(first)
        width, height = self.rng.choice(SIZES)
        self.add(Resize(width=width, height=height - self.rng.randint(80, 140)))
        self.add(Visible())
        self.add(Focus())
        self.app.session.take_over(self.participant_id, self.page)
        self.flush()

    def add(self, details: EventDetails, at: datetime | None = None) -> None:
        """Note an event."""
        moment = at or self.clock.now()
        self._seq += 1
        self._unsent.append(
            BrowserEvent(
                seq=self._seq,
                kind=details.kind,
                client_time_ms=round((moment + self.skew).timestamp() * 1000),
                mono_ms=round((moment - self._opened) / timedelta(milliseconds=1), 1),
                payload=details.payload(),
            )
        )

    @property
    def last(self) -> int:
        """Number of the last event."""
        return self._seq

    def flush(self) -> None:
        """Send what is unsent."""
        self._flushed = self.clock.now()
        if self._unsent:
            self.app.session.ingest(self.participant_id, Batch(page=self.page, events=self._unsent))
            self._unsent = []

    def play(self, seconds: float, cues: list[Cue], until: datetime | None = None) -> Iterator[float]:
        """Let so many seconds pass with these events in them, heartbeats between, batches sent on the way.

        Args:
            seconds: how long.
            cues: events, in order of their time.
            until: the stage's end; nothing happens after it.
        """
        start = self.clock.now()
        end = start + timedelta(seconds=seconds)
        if until is not None:
            end = max(start, min(end, until))
        waiting = [(start + timedelta(seconds=after), details) for after, details in cues]
        while (now := self.clock.now()) < end:
            pause = min(self._until_flush(now), (end - now).total_seconds())
            arrived = now + timedelta(seconds=pause)
            taken = [cue for cue in waiting if cue[0] <= arrived]
            waiting = waiting[len(taken) :]
            self._note(taken, arrived)
            yield pause
            if self._until_flush(self.clock.now()) == FLUSH or self.clock.now() == until:
                self.flush()
        if until is None or self.clock.now() < until:
            self._note(waiting, self.clock.now())

    def _until_flush(self, now: datetime) -> float:
        """Seconds until the next batch is due; FLUSH where it is due now."""
        return FLUSH - (now - self._flushed).total_seconds() % FLUSH

    def _note(self, cues: list[tuple[datetime, EventDetails]], to: datetime) -> None:
        for moment, details in cues:
            self._beat(moment)
            if isinstance(details, Hidden | Visible):
                self.hidden = isinstance(details, Hidden)
            self.add(details, moment)
        self._beat(to)

    def _beat(self, to: datetime) -> None:
        while self._next_beat is not None and self._next_beat <= to:
            if not self.hidden:
                self.add(Heartbeat(focused=True), self._next_beat)
            self._next_beat += timedelta(seconds=HEARTBEAT)
