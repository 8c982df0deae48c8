"""The rows of results.json."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class EffectSize:
    """A standardised or response-scale companion of an estimate."""

    name: str
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True)
class Estimate:
    """One row of `estimates`; numbers unrounded, None where not computable (with a note)."""

    id: str = ""
    role: str = "exploratory"
    """primary, secondary, sensitivity or exploratory."""
    outcome: str = ""
    population: str = "itt"
    """itt, per_protocol, as_treated or complier."""
    method: str = ""
    contrast: tuple[str, str] | None = None
    """(treated, control); None for an omnibus test."""
    estimate: float | None = None
    unit: str = ""
    std_error: float | None = None
    df: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_level: float = 0.95
    effect_size: EffectSize | None = None
    n: dict[str, int] = field(default_factory=dict)
    """Analysed per arm."""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The row as JSON types; NaN and infinity become None, for JSON has neither."""
        return _finite(asdict(self))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
