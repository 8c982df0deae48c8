"""What of an event's payload anybody may read: sizes, places and the platform's own words; never text of a person.

Which key holds what, its type in `study_app.domain.events` says; a key that its kind does not have is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from study_app.domain.events import ERASED, KINDS
from study_app.domain.events.details import EventField, named_fields

LARGEST = 1e6
"""Larger numbers cannot be sizes or places."""
_BY_KEY: Mapping[str, Mapping[str, EventField]] = {
    kind: {each.key: each for each in named_fields(details)} for kind, details in KINDS.items()
}
PLATFORM_KEYS = frozenset(key for keys in _BY_KEY.values() for key in keys) | {"from", "to", "insert", "deleted"}
"""Keys whose names a report may repeat: a participant's browser may send others."""


def public_payload(
    kind: str, payload: Mapping[str, Any], known: Collection[str], page_of: Callable[[str], str]
) -> dict[str, Any]:
    """Return what is kept of a payload.

    Of a text that is left out its length stays, under the key with `_chars` behind it, so that edits keep their sizes.

    Args:
        kind: of the event.
        payload: as it was logged.
        known: ids of the study and of the person's runs and turns.
        page_of: number of a browser's page, as its new name.
    """
    if payload == ERASED:
        return dict(ERASED)
    kept: dict[str, Any] = {}
    for key, each in _BY_KEY.get(kind, {}).items():
        if key in payload and each.holds not in ("private", "moment"):
            kept |= _kept(each, payload[key], known, page_of)
    return kept


def is_platforms(kind: str, key: str, by_server: bool) -> bool:
    """Whether what stands under a key is a hash, or a page's name or a moment of the server: no person's text."""
    each = _BY_KEY.get(kind, {}).get(key)
    return each is not None and (each.holds == "hash" or (each.holds in ("page", "moment") and by_server))


def _kept(each: EventField, value: Any, known: Collection[str], page_of: Callable[[str], str]) -> dict[str, Any]:
    match value:
        case bool():
            return {each.key: value}
        case int() | float() if each.type_name in ("whole number", "number"):
            return {each.key: value} if abs(value) < LARGEST else {}
        case None if each.type_name in ("whole number", "number", "true or false"):
            return {each.key: None}
        case str():
            return _text(each, value, known, page_of)
        case list() if each.holds == "id":
            return {each.key: [name for name in value if isinstance(name, str) and name in known]}
        case list() if each.type_name == "list of changes":
            return {each.key: [_change(change) for change in value if isinstance(change, dict)]}
    return {}


def _text(each: EventField, value: str, known: Collection[str], page_of: Callable[[str], str]) -> dict[str, Any]:
    if each.levels:
        return {each.key: value} if value in each.levels else {}
    match each.holds:
        case "id":
            return {each.key: value} if value in known else {}
        case "page":
            return {each.key: page_of(value)}
        case "hash":
            return {}
    return {f"{each.key}_chars": len(value)}


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a text changes and by how much."""
    kept: dict[str, Any] = {key: change[key] for key in ("from", "to") if isinstance(change.get(key), int)}
    for key in ("insert", "deleted"):
        if isinstance(change.get(key), str):
            kept[f"{key}_chars"] = len(change[key])
    return kept
