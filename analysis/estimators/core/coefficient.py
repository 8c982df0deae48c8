"""A number that carries its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class Coefficient(float):
    """A coefficient usable as a float, with what belongs to it.

    Attributes:
        std_error: Its standard error, where one is known.
        ci_low: Lower limit of its interval.
        ci_high: Upper limit.
        ci_level: Coverage of the interval.
        statistic: A test's statistic.
        df: Degrees of freedom of that test.
        p_value: A test's p.
        n: Units it rests on.
        note: How it was computed, or why it is not a number.
        details: Further figures by name.
    """

    std_error: float | None
    ci_low: float | None
    ci_high: float | None
    ci_level: float
    statistic: float | None
    df: float | tuple[float, float] | None
    p_value: float | None
    n: int | None
    note: str
    details: Mapping[str, Any]

    def __new__(cls, value: float, **_: Any) -> Coefficient:
        """Return the number itself."""
        # A float takes its value in `__new__`, before `__init__` sees the keywords; without this, float() would refuse
        # them.
        return super().__new__(cls, value)

    def __init__(
        self,
        value: float,
        *,
        std_error: float | None = None,
        ci_low: float | None = None,
        ci_high: float | None = None,
        ci_level: float = 0.95,
        statistic: float | None = None,
        df: float | tuple[float, float] | None = None,
        p_value: float | None = None,
        n: int | None = None,
        note: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what belongs to the number."""
        self.std_error, self.ci_low, self.ci_high, self.ci_level = std_error, ci_low, ci_high, ci_level
        self.statistic, self.df, self.p_value, self.n, self.note = statistic, df, p_value, n, note
        self.details = dict(details or {})

    @property
    def estimate(self) -> float:
        """The number as a plain float."""
        return float(self)

    @property
    def ci(self) -> tuple[float | None, float | None]:
        """Both limits."""
        return self.ci_low, self.ci_high

    @property
    def z(self) -> float | None:
        """The statistic, by the name kappa's literature uses."""
        return self.statistic

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name; what is not a number becomes None."""
        value = float(self)
        return {
            "estimate": None if math.isnan(value) else value,
            "std_error": self.std_error,
            "ci_low": self.ci_low,
            "ci_high": self.ci_high,
            "ci_level": self.ci_level,
            "n": self.n,
            "note": self.note,
        }
