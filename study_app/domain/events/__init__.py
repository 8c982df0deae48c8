"""The log of events: every kind as a type, how payloads are checked and read, and the rows.

`browser` and `server` hold the kinds; the names that most callers need are here.
"""

from study_app.domain.events.details import Erased, EventDetails, Unreadable
from study_app.domain.events.kinds import (
    ACTS,
    BROWSER_KINDS,
    ERASED,
    FIELD_KINDS,
    KINDS,
    SERVER_KINDS,
    details_of,
    tells_of_reply,
)
from study_app.domain.events.log import (
    LATEST_MS,
    MAX_EVENTS,
    NAMED_FIELDS,
    PAGE_NAME,
    SERVER_PAGE,
    Batch,
    BrowserEvent,
    Event,
    saying,
    task_named,
)

__all__ = [
    "ACTS",
    "BROWSER_KINDS",
    "ERASED",
    "FIELD_KINDS",
    "KINDS",
    "LATEST_MS",
    "MAX_EVENTS",
    "NAMED_FIELDS",
    "PAGE_NAME",
    "SERVER_KINDS",
    "SERVER_PAGE",
    "Batch",
    "BrowserEvent",
    "Erased",
    "Event",
    "EventDetails",
    "Unreadable",
    "details_of",
    "saying",
    "task_named",
    "tells_of_reply",
]
