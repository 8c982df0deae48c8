"""The public names for a task pack's `checks.py`; see `study_app.domain.tasks.checks`."""

from study_app.domain.tasks.checks import (
    Case,
    Check,
    Line,
    Observation,
    Opaque,
    Same,
    Uses,
    call,
    decode,
    name,
    same_value,
    side_by_side,
    uses,
)

__all__ = [
    "Case",
    "Check",
    "Line",
    "Observation",
    "Opaque",
    "Same",
    "Uses",
    "call",
    "decode",
    "name",
    "same_value",
    "side_by_side",
    "uses",
]
