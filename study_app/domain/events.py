"""What the log knows: kinds of events, who may send them, and what a batch must look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from study_app.domain.event_shapes import problem_of

SERVER_PAGE = "server"
"""The page under which the server numbers its own events."""

BROWSER_KINDS = frozenset(
    "load edit focus blur visible hidden resize copy cut paste_attempt editor_focus editor_blur online offline "
    "heartbeat compose_start compose_end copy_reply run_pressed submit_pressed send_pressed stop_pressed notes_opened "
    "brief_scrolled panes_resized storage_full answers_shown answer_load answer_set answer_edit answer_focus".split()
)
"""Kinds that a browser page may send."""

SERVER_KINDS = frozenset(
    "entry_refused submission_late "
    "entered reentered page_opened page_superseded stage_opened stage_ended consented declined screened_out "
    "answered allocated task_shown task_submitted run_started run_ended figure_shown program_error "
    "turn_started turn_ended gate_judged "
    "turn_refused withdrew no_place place_lost edits_unapplied stage_reopened deadline_extended data_withdrawn "
    "finished excluded outage session_scheduled language_chosen order_drawn".split()
)
"""Kinds that only the server writes."""

ERASED: dict[str, Any] = {"erased": True}
"""The payload of an event whose own was erased."""

EXTENDED = "deadline_extended"
"""A researcher moved a deadline: more time to work, not time for which the clock stood."""
CLOCK_OUTAGES = frozenset({"clock_step", "reopened"})
"""Kinds of `outage` in which nothing failed that participants use: only the stage's deadline was moved."""

LATEST_MS = 1e14
"""Of a page's clocks, in milliseconds: the year 5138."""

MAX_EVENTS = 1000
"""In one batch."""

ACTS = frozenset(
    "edit run_pressed submit_pressed send_pressed stop_pressed compose_start copy cut paste_attempt "
    "copy_reply notes_opened brief_scrolled editor_focus focus answered answer_set answer_edit answer_focus".split()
)
"""Kinds that show a participant doing something, for active time."""


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
        """Each kind has its own payload."""
        problem = problem_of(self.kind, self.payload)
        if problem is not None:
            raise ValueError(f"{self.kind}: {problem}")
        return self

    @property
    def tells_of_reply(self) -> bool:
        """Whether only a participant with an assistant can cause it."""
        return tells_of_reply(self.kind, self.payload)


def tells_of_reply(kind: str, payload: dict[str, Any]) -> bool:
    """Whether a page's event says that text came from an assistant's reply."""
    return kind == "copy_reply" or payload.get("from") == "reply"


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
