"""Values of any kind as JSON types, and computations whose failure is a null with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.coefficient import Coefficient
from analysis.estimators.core.results import Estimate
from study_app.domain.errors import StudyError

_NOT_ESTIMABLE = (
    StudyError, ValueError, ArithmeticError, np.linalg.LinAlgError, IndexError, KeyError, ImportError,
    AssertionError, TypeError,
)  # fmt: skip
"""What our own rules raise, and the libraries where there is too little to compute from."""


def safe(function: Callable[..., Any], table: Any) -> Any:
    """Return the value as JSON types, or a null with the reason."""
    try:
        with np.errstate(all="ignore"):
            return plain(function(table))
    except _NOT_ESTIMABLE as error:
        return {"value": None, "note": f"not estimable: {error}"}


def plain(value: Any) -> Any:
    """Frames, arrays, coefficients, dataclasses and estimates as JSON types."""
    if isinstance(value, Coefficient):
        named = {name: plain(getattr(value, name)) for name in ("ci_low", "ci_high", "ci_level", "n", "note")}
        return {"value": float(value), **named}
    if isinstance(value, Estimate):
        return value.to_json()
    if isinstance(value, pd.DataFrame):
        return [{str(key): plain(entry) for key, entry in row.items()} for row in value.to_dict("records")]
    if isinstance(value, pd.Series):
        return {str(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return [plain(entry) for entry in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value
