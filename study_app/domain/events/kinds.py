"""Every kind of event, collected from the classes; who may send it, and reading a payload as its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from study_app.domain.events import browser, server
from study_app.domain.events.browser import BrokenText, CopyReply, Edit, Load, OnForm
from study_app.domain.events.details import Erased, EventDetails, MalformedDetails, Unknown, Unreadable

ERASED: dict[str, Any] = {"erased": True}
"""The payload of an event whose own was erased."""


def _kinds() -> Iterator[type[EventDetails]]:
    """Yield the classes that name a kind, pages' own first, as the modules list them."""
    for module in (browser, server):
        for value in vars(module).values():
            is_kind = isinstance(value, type) and issubclass(value, EventDetails) and "kind" in vars(value)
            if is_kind and value.__module__ == module.__name__:
                yield value


KINDS: Mapping[str, type[EventDetails]] = {each.kind: each for each in _kinds()}
"""Kind -> what its events say."""
BROWSER_KINDS = frozenset(each.kind for each in KINDS.values() if each.sender == "page")
"""Kinds that a browser page may send."""
SERVER_KINDS = frozenset(KINDS) - BROWSER_KINDS
"""Kinds that only the server writes."""
FIELD_KINDS = frozenset(each.kind for each in KINDS.values() if issubclass(each, OnForm))
"""Kinds that can name a field of a form, and hold what was written in it; single events of no other are erased."""
ACTS = frozenset(each.kind for each in KINDS.values() if each.shows_activity)
"""Kinds that show a participant doing something, for active time."""


def details_of(kind: str, payload: Any) -> EventDetails:
    """Return what a stored event says; `Erased`, `Unreadable` (`BrokenText`) or `Unknown` where it says nothing.

    Args:
        kind: of the event.
        payload: as it was stored; of a dataset from elsewhere it may be anything.
    """
    known = KINDS.get(kind)
    if known is None:
        return Unknown()
    if payload == ERASED:
        return Erased()
    try:
        # First by the type itself: nearly all are, and the question to the abstract class takes several times as long.
        if type(payload) is not dict and not isinstance(payload, Mapping):
            raise MalformedDetails("it is not an object")
        return known.read(payload)
    except MalformedDetails as error:
        if known in (Load, Edit):
            task = payload.get("task") if isinstance(payload, Mapping) else None
            return BrokenText(str(error), task=task if isinstance(task, str) else None)
        return Unreadable(str(error))


def tells_of_reply(kind: str, payload: Any) -> bool:
    """Whether a page's event says that text came from an assistant's reply, also under a key that its kind has not."""
    return kind == CopyReply.kind or (isinstance(payload, Mapping) and payload.get("from") == "reply")
