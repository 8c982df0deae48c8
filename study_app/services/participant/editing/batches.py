"""A batch of a page's events: which are taken, where they happened, and what the page hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from study_app.domain.errors import Malformed
from study_app.domain.events import BROWSER_KINDS, Batch, BrowserEvent, tells_of_reply
from study_app.domain.events.browser import EventRefused, OnForm, TextEvent
from study_app.services.position import Paused, Position


@dataclass(frozen=True)
class Ingested:
    """The answer to a batch of events."""

    ack: int
    place: Position
    superseded: bool
    """Another page owns the attempt now."""
    stage_before: str = ""
    """Where the participant was when the batch came."""
    decided: bool = False
    """A step of the participant's agent is decided by it."""
    lost: bool = False
    """Its edits do not fit what is saved: the page is asked for its whole text, or for all fields of its form."""


def elsewhere(form: tuple[str, int], task: str | None, event: BrowserEvent) -> bool:
    """Return whether an event changes a form, or the text of a task, at which the participant is not (any more)."""
    details = event.details
    if isinstance(details, OnForm) and details.of_form:
        return details.place != form
    if isinstance(details, EventRefused) and details.task is None:
        return False
    return isinstance(details, TextEvent) and (task is None or details.task != task)


def check_kinds(batch: Batch) -> None:
    """Refuse kinds of events that no page sends.

    Raises:
        Malformed: there is one.
    """
    strange = sorted({event.kind for event in batch.events} - BROWSER_KINDS)
    if strange:
        raise Malformed(f"'{strange[0]}' is not a kind of event that a page sends")


def check_arm(place: Position, batch: Batch) -> None:
    """Refuse events that only a reply can cause where the participant's arm has no assistant."""
    if any(tells_of_reply(event.kind, event.payload) for event in batch.events) and not place.study.has_assistant(
        place.participant.allocated
    ):
        raise Malformed("an event tells of a reply, and this participant has no assistant")


def as_state(ingested: Ingested) -> dict[str, Any]:
    """Return what the hot routes tell a page about where it stands."""
    place = ingested.place
    deadline_at = place.deadline_at
    again = {"load_again": True} if ingested.lost and not ingested.superseded else {}
    return again | {
        "ack": ingested.ack,
        "now_ms": round(place.now.timestamp() * 1000),
        "deadline_ms": round(deadline_at.timestamp() * 1000) if deadline_at else None,
        # A page that shows the stage of a paused participant hears that it is elsewhere, and is drawn again.
        "stage": place.screen if isinstance(place, Paused) else place.participant.stage,
        "step": place.participant.step,
    }
