"""The log: an event as a page sends it, a batch of them, and a row as it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from study_app.domain.events.bounds import checked
from study_app.domain.events.details import EventDetails, MalformedDetails
from study_app.domain.events.kinds import KINDS, details_of

SERVER_PAGE = "server"
"""The page under which the server numbers its own events."""

LATEST_MS = 1e14
"""Of a page's clocks, in milliseconds: the year 5138."""

MAX_EVENTS = 1000
"""In one batch."""

NAMED_FIELDS = frozenset({"seq", "kind", "client_time_ms", "mono_ms", "payload"})
"""The fields of `BrowserEvent`: `model_fields` builds its answer at each call, which every keystroke would pay."""

PAGE_NAME = r"^[A-Za-z0-9_-]{1,64}$"
"""How a page of a browser calls itself."""


class BrowserEvent(BaseModel):
    """One event as a page sends it."""

    model_config = ConfigDict(extra="forbid")

    seq: int = Field(ge=1, le=10_000_000, strict=True)
    kind: str = Field(min_length=1, max_length=40)
    client_time_ms: float = Field(ge=0, le=LATEST_MS)
    mono_ms: float | None = Field(default=None, ge=0, le=LATEST_MS)
    payload: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _further_fields(cls, value: Any) -> Any:
        """Fields beyond the named ones are the event's own: they go into its payload, so that nothing is lost."""
        if not isinstance(value, dict) or not isinstance(value.get("payload", {}), dict):
            return value
        if not (further := value.keys() - NAMED_FIELDS):
            return value
        named = {name: value[name] for name in value.keys() - further}
        return named | {"payload": {name: value[name] for name in sorted(further)} | value.get("payload", {})}

    @model_validator(mode="after")
    def _shape(self) -> BrowserEvent:
        """Return each kind has its own payload."""
        try:
            # Kept, so that what the payload says is read once on its way into the log.
            self.__dict__["details"] = checked(self.kind, self.payload)
        except MalformedDetails as error:
            raise ValueError(f"{self.kind}: {error}") from None
        return self

    @cached_property
    def details(self) -> EventDetails:
        """What it says."""
        return details_of(self.kind, self.payload)

    def saying(self, payload: dict[str, Any]) -> BrowserEvent:
        """Return the event with another payload."""
        return self.model_copy(update={"payload": payload, "details": details_of(self.kind, payload)})


class Batch(BaseModel):
    """What POST /api/events carries."""

    model_config = ConfigDict(extra="forbid")

    page: str = Field(pattern=PAGE_NAME)
    events: list[BrowserEvent] = Field(max_length=MAX_EVENTS)

    @field_validator("page")
    @classmethod
    def _not_the_servers(cls, page: str) -> str:
        if page == SERVER_PAGE:
            raise ValueError("the server numbers its own events under this name; choose another")
        return page


@dataclass(frozen=True)
class Event:
    """One row of the log."""

    participant_id: str
    page: str
    seq: int
    kind: str
    stage: str
    server_time: datetime
    client_time_ms: float | None = None
    mono_ms: float | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    event_id: int | None = None
    arrived_late: bool = False
    """It came after the deadline of its stage, and was sent before it."""
    stored: str | None = field(default=None, compare=False, repr=False)
    """The payload as the database holds it, compact JSON with sorted keys; None where the event was not read there."""

    @cached_property
    def details(self) -> EventDetails:
        """What it says, by its kind."""
        return details_of(self.kind, self.payload)


def task_named(event: Event) -> Any:
    """Return the task that the payload names, without reading what else it says; None where it names none."""
    return event.payload.get("task") if isinstance(event.payload, Mapping) else None


Details = TypeVar("Details", bound=EventDetails)


def saying(events: Iterable[Event], kind: type[Details]) -> Iterator[tuple[Event, Details]]:
    """Yield the events of one kind, each with what it says."""
    names = _NAMES.get(kind) or _names_of(kind)
    for event in events:
        # By name first: what an event of another kind says is not read.
        if event.kind in names and isinstance(event.details, kind):
            yield event, event.details


_NAMES: dict[type, frozenset[str]] = {}


def _names_of(kind: type[EventDetails]) -> frozenset[str]:
    """Return the kinds whose events may say such a thing; what says nothing may be of any."""
    named = frozenset(name for name, each in KINDS.items() if issubclass(each, kind))
    return _NAMES.setdefault(kind, named or frozenset(KINDS))
