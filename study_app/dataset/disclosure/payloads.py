"""What of an event's payload anybody may read: sizes, places and the platform's own words; never text of a person.

Which key holds what, its type in `study_app.domain.events` says; a key that its kind does not have is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from study_app.domain.events import ERASED, KINDS
from study_app.domain.events.details import EventField, named_fields

LARGEST = 1e6
"""Larger numbers cannot be sizes or places."""
_BY_KEY: Mapping[str, Mapping[str, EventField]] = {
    kind: {each.key: each for each in named_fields(details)} for kind, details in KINDS.items()
}
_SHOWN: Mapping[str, Sequence[tuple[str, EventField]]] = {
    kind: [(key, each) for key, each in keys.items() if each.holds not in ("private", "moment")]
    for kind, keys in _BY_KEY.items()
}
"""The keys of a kind of which anything may stay."""
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
    for key, each in _SHOWN.get(kind, ()):
        if key in payload:
            _keep(kept, each, payload[key], known, page_of)
    return kept


def is_platforms(kind: str, key: str, by_server: bool) -> bool:
    """Whether what stands under a key is a hash, or a page's name or a moment of the server: no person's text."""
    each = _BY_KEY.get(kind, {}).get(key)
    return each is not None and (each.holds == "hash" or (each.holds in ("page", "moment") and by_server))


def _keep(
    kept: dict[str, Any], each: EventField, value: Any, known: Collection[str], page_of: Callable[[str], str]
) -> None:
    """Put what may stay of a value into `kept`; by its exact type first, since this runs for every key of a log."""
    found = type(value)
    if found is str:
        _keep_text(kept, each, value, known, page_of)
    elif found is bool:
        kept[each.key] = value
    elif found is int or found is float:
        if each.type_name in _NUMBERS and abs(value) < LARGEST:
            kept[each.key] = value
    elif value is None:
        if each.type_name in _MAY_MISS:
            kept[each.key] = None
    elif found is list:
        if each.holds == "id":
            kept[each.key] = [name for name in value if isinstance(name, str) and name in known]
        elif each.type_name == "list of changes":
            kept[each.key] = [_change(change) for change in value if isinstance(change, dict)]


_NUMBERS = frozenset({"whole number", "number"})
_MAY_MISS = _NUMBERS | {"true or false"}


def _keep_text(
    kept: dict[str, Any], each: EventField, value: str, known: Collection[str], page_of: Callable[[str], str]
) -> None:
    if each.levels:
        if value in each.levels:
            kept[each.key] = value
    elif each.holds == "id":
        if value in known:
            kept[each.key] = value
    elif each.holds == "page":
        kept[each.key] = page_of(value)
    elif each.holds != "hash":
        kept[f"{each.key}_chars"] = len(value)


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a text changes and by how much."""
    kept: dict[str, Any] = {key: change[key] for key in ("from", "to") if isinstance(change.get(key), int)}
    for key in ("insert", "deleted"):
        if isinstance(change.get(key), str):
            kept[f"{key}_chars"] = len(change[key])
    return kept
