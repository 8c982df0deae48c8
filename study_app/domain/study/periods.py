"""Outcomes of the periods of a sequence of treatments, by the names that plans use for them."""

from __future__ import annotations

PERIOD_COLUMNS = ("minutes", "points", "errors", "queries", "completed", "completion_minutes")
"""Columns of the table `periods` that can be outcomes."""
_BY_PARTICIPANT = {
    "task_minutes": "minutes", "quiz_points": "points", "task_completed": "completed", "completion_event": "completed",
}  # fmt: skip
"""Columns of the participants table that each period has its own of."""


def period_column(name: str) -> str | None:
    """Return the column of `periods` that an outcome's column stands for; None where it is measured once for all.

    >>> period_column("completion_minutes"), period_column("errors"), period_column("enjoyed")
    ('completion_minutes', 'errors', None)
    """
    found = _BY_PARTICIPANT.get(name, name)
    return found if found in PERIOD_COLUMNS else None
