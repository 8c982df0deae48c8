"""The append-only log of events, within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from study_app.domain.events import BrowserEvent, Event, EventDetails
from study_app.domain.records import (
    Kind,
    Stored,
)


class EventLog(Protocol):
    """The append-only log, within one transaction."""

    def record(self, participant_id: str, stage: str, at: datetime, details: EventDetails) -> Event:
        """Append one event of the server's own; it takes the next number of the page `server`."""
        ...

    def store_batch(
        self,
        participant_id: str,
        page: str,
        stage: str,
        at: datetime,
        events: Sequence[BrowserEvent],
        late: Mapping[int, str] | None = None,
    ) -> Stored:
        """Append what is new of a batch; an event already stored changes nothing.

        Args:
            participant_id: whose.
            page: the browser page that sent it.
            stage: where the participant is.
            at: now.
            events: the batch.
            late: number -> stage of the events that were sent before that stage's deadline and arrive after it.
        """
        ...

    def acknowledged(self, participant_id: str, page: str) -> int:
        """Return the highest number up to which every event of the page is stored; 0 for an unknown page."""
        ...

    def pages(self, participant_id: str) -> dict[str, int]:
        """Page -> the number up to which its events were stored, whatever is in the log now."""
        ...

    def events(self, participant_id: str | None = None) -> Iterator[Event]:
        """Events in fixed order: participant, then as stored; all participants without an argument."""
        ...

    def events_of(self, participant_id: str, kinds: Collection[str], stage: str | None = None) -> list[Event]:
        """Return a participant's events of these kinds, of one stage or of all, as stored."""
        ...

    def events_of_kind(self, kind: Kind, event: str) -> list[Event]:
        """Events of one kind, of all participants of one kind."""
        ...

    def latest_moment(self) -> datetime | None:
        """When the newest event of a real participant was stored; None before there is one."""
        ...

    def latest(self, participant_id: str, page: str, kinds: Sequence[str]) -> dict[str, Event]:
        """Return the last event of each of these kinds that a page sent."""
        ...

    def erase_events(self, event_ids: Collection[int]) -> None:
        """Put a tombstone in the place of the payloads of these events; the rows stay, and the chain holds."""
        ...

    def erase_payloads(self, participant_id: str) -> None:
        """Erase everything a participant wrote: codes, texts, messages, answers; ledger and stages stay."""
        ...
