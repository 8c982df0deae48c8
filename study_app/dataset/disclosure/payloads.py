"""What of an event's payload anybody may read: sizes, places and the platform's own words; never text of a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

NUMBERS = frozenset(
    "from to deleted length seq step minutes wall_seconds seconds line width height w h top of brief output place "
    "index confirm focused again sent stopped as_edited how_many".split()
)
"""Keys under which a number or a yes or no is kept; what is not named is left out."""
LARGEST = 1e6
"""Larger numbers cannot be sizes or places."""
VOCABULARY: Mapping[str, frozenset[str]] = {
    "kind": frozenset(
        "typed paste drop cut undo redo indent programmatic clock_step reopened assistant isolation timeout".split()
    ),
    "from": frozenset("editor reply brief notes output message form outside".split()),
    "target": frozenset("editor message answer".split()),
    "how": frozenset("paste drop button selection insert".split()),
    "source": frozenset("starter saved own".split()),
    "by": frozenset("participant deadline".split()),
    "ended_by": frozenset(
        "participant deadline withdrawal screening system exit time cpu memory output cancelled infrastructure".split()
    ),
    "side": frozenset({"left", "right"}),
    "why": frozenset({"late", "mismatch"}),
    "who": frozenset({"participant"}),
    "way": frozenset({"open", "links", "prolific"}),
}
"""Keys under which a word is kept, and the words of the platform that may stand there."""
IDS = frozenset("task stage field items questions run_id turn_id".split())
"""Keys under which an id of the study, or of one of the person's own runs and turns, is kept."""
PAGES = frozenset({"page", "by"})
"""Keys that name a page of a browser, which are numbered anew."""
TEXTS = frozenset("text insert value message title type".split())
"""Keys of texts that are left out, and whose length stays."""
HASHES = frozenset({"code_sha256", "sha256", "foreign"})
"""Keys of hashes, by which a reader could test a guess; they are left out."""
INNER = frozenset({"changes"})
"""Keys whose lists of objects are kept by the same rules."""
OUT_OF_ORDER: Mapping[str, frozenset[str]] = {"allocated": frozenset({"index"})}
"""Keys of a kind that would tell in which order people came."""


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
    left_out = OUT_OF_ORDER.get(kind, frozenset())
    kept: dict[str, Any] = {}
    for key, value in payload.items():
        if key in left_out:
            continue
        kept |= _kept(kind, key, value, known, page_of)
    return kept


def _kept(kind: str, key: str, value: Any, known: Collection[str], page_of: Callable[[str], str]) -> dict[str, Any]:
    if isinstance(value, bool | int | float):
        return {key: value} if key in NUMBERS and abs(value) < LARGEST else {}
    if isinstance(value, str):
        return _text(key, value, known, page_of)
    if isinstance(value, list) and key in INNER:
        return {key: [public_payload(kind, each, known, page_of) for each in value if isinstance(each, dict)]}
    if isinstance(value, list) and key in IDS:
        return {key: [each for each in value if isinstance(each, str) and each in known]}
    return {key: None} if value is None and key in NUMBERS else {}


def _text(key: str, value: str, known: Collection[str], page_of: Callable[[str], str]) -> dict[str, Any]:
    if value in VOCABULARY.get(key, ()) or (key in IDS and value in known):
        return {key: value}
    if key in PAGES:
        return {key: page_of(value)}
    return {f"{key}_chars": len(value)} if key in TEXTS else {}


PLATFORM_KEYS = frozenset(
    {*NUMBERS, *VOCABULARY, *IDS, *PAGES, *TEXTS, *HASHES, *INNER, "png", "reason", "orders", "offered"}
)
"""Keys whose names a report may repeat: a participant's browser may send others."""
