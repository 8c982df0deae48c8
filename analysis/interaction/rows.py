"""Small help with tables."""

from __future__ import annotations

import math
from typing import Any, cast

import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, column names as text."""
    return cast(list[dict[str, Any]], frame.to_dict(orient="records"))


def plain(value: Any) -> Any:
    """JSON types only: numpy numbers become Python's, NaN and infinity None, tuples lists."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
