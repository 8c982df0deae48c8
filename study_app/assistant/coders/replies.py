"""Replies of a coder as they are kept: JSON types that a database stores, whatever came."""

from __future__ import annotations

from typing import Any

from study_app.domain.themes.replies import UNREADABLE


def plain(value: Any) -> dict[str, Any]:
    """Return a reply as JSON types that a database stores, whatever the client made of it."""
    try:
        dumped = value.model_dump(mode="json", exclude_unset=True) if hasattr(value, "model_dump") else value
    except UNREADABLE as error:
        dumped = f"{type(error).__name__}: {error}"
    kept = _storable(dumped)
    return kept if isinstance(kept, dict) else {"unreadable": str(kept)[:1000]}


def _storable(value: Any) -> Any:
    """Return JSON types without what no database takes in a text: the character 0 and halves of characters."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {str(_storable(key)): _storable(each) for key, each in value.items()}
    return [_storable(each) for each in value] if isinstance(value, (list, tuple)) else value
