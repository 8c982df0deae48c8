"""What the log knows: kinds of events, who may send them, and what a batch must look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

SERVER_PAGE = "server"
"""The page under which the server numbers its own events."""

BROWSER_KINDS = frozenset(
    "load edit focus blur visible hidden resize copy cut paste_attempt editor_focus editor_blur online offline "
    "heartbeat compose_start compose_end copy_reply run_pressed submit_pressed send_pressed stop_pressed notes_opened "
    "brief_scrolled storage_full".split()
)
"""Kinds that a browser page may send."""

SERVER_KINDS = frozenset(
    "entered reentered page_opened page_superseded stage_opened stage_ended consented declined screened_out eligible "
    "answered allocated task_shown task_submitted run_started run_ended program_error turn_started turn_ended "
    "turn_refused run_refused withdrew data_withdrawn finished excluded outage session_scheduled".split()
)
"""Kinds that only the server writes."""

MAX_EVENTS = 1000
"""In one batch."""

ACTS = frozenset(
    "edit run_pressed submit_pressed send_pressed stop_pressed compose_start copy cut paste_attempt "
    "copy_reply notes_opened brief_scrolled editor_focus focus answered".split()
)
"""Kinds that show a participant doing something, for active time."""


class BrowserEvent(BaseModel):
    """One event as a page sends it."""

    model_config = ConfigDict(extra="forbid")

    seq: int = Field(ge=1, le=10_000_000)
    kind: str = Field(min_length=1, max_length=40)
    client_time_ms: float = Field(ge=0, le=1e14)
    mono_ms: float | None = None
    payload: dict[str, Any] = {}


class Batch(BaseModel):
    """What POST /api/events carries."""

    model_config = ConfigDict(extra="forbid")

    page: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    events: list[BrowserEvent] = Field(max_length=MAX_EVENTS)


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
