"""Numbers as a journal prints them: ratios as ratios, and no more decimals than the error bears."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]
LOGS = {
    "log hazard ratio": "hazard ratio",
    "log odds ratio": "odds ratio",
    "log odds": "odds ratio",
    "log rate ratio": "rate ratio",
    "log risk ratio": "risk ratio",
}
"""Unit of an estimate on a log scale -> the ratio that readers see."""
PERCENT = "percentage points"
SHARES = ("proportion",)
"""Units of differences and shares that readers see in percent."""


class Shown(NamedTuple):
    """An estimate with its interval as readers see it, not rounded."""

    estimate: float | None
    low: float | None
    high: float | None
    unit: str
    decimals: int
    ratio: bool

    @property
    def value(self) -> str:
        """The estimate; an en dash where there is none."""
        return decimal(self.estimate, self.decimals)

    @property
    def interval(self) -> str:
        """Both limits; an en dash where there are none."""
        if self.low is None and self.high is None:
            return "–"
        low, high = self.low, self.high
        if self.ratio:  # an end that does not exist on the log scale
            low, high = 0.0 if low is None else low, math.inf if high is None else high
        return f"{decimal(low, self.decimals)} to {decimal(high, self.decimals)}"

    @property
    def no_effect(self) -> float:
        """Where there is no difference."""
        return 1.0 if self.ratio else 0.0


def shown(row: Row) -> Shown:
    """Return a row of `estimates` on the scale that readers know."""
    unit = str(row["unit"])
    numbers = [row["estimate"], row["ci_low"], row["ci_high"]]
    if unit in LOGS:
        estimate, low, high = (_exp(value) for value in numbers)
        return Shown(estimate, low, high, LOGS[unit], 2, True)
    if unit in SHARES:
        estimate, low, high = (None if value is None else 100 * value for value in numbers)
        change = row.get("method") == "interaction" or (row.get("detail") or {}).get("effect") == "interaction"
        difference = row["contrast"] is not None or change
        return Shown(estimate, low, high, PERCENT if difference else "%", 1, False)
    ratio = "ratio" in unit
    digits = 2 if ratio or unit in ("probability", "r") else decimals(row["ci_low"], row["ci_high"])
    return Shown(row["estimate"], row["ci_low"], row["ci_high"], unit, digits, ratio)


def axis_title(text: str, unit: str, *, change: bool = False) -> str:
    """Return what stands below an axis: its text, with the unit in brackets where there is one.

    Args:
        text: what the axis shows.
        unit: of an outcome.
        change: whether it shows differences, which of shares are percentage points.
    """
    seen = unit if unit not in SHARES else PERCENT if change else "%"
    return f"{text} ({seen})" if seen else text


def in_unit(unit: str, *values: float) -> str:
    """Return given numbers, such as a margin's ends, with the unit that readers see.

    >>> in_unit("proportion", -0.05, 0.1)
    '−5 to 10 percentage points'
    """
    factor, seen = (100, PERCENT) if unit in SHARES else (1, unit)
    return f"{' to '.join(f'{factor * value:.6g}'.replace('-', '−') for value in values)} {seen}".rstrip()


BOUNDS = ("lee_bounds", "worst_case")
"""Methods whose interval holds bounds and no sampling error."""


def bounds_note(row: Row) -> str:
    """Return the interval that covers the bounds with their sampling error, where a method has it."""
    found = row["detail"].get("imbens_manski")
    if row["method"] not in BOUNDS or not found or None in found:
        return ""
    seen = shown({**row, "ci_low": found[0], "ci_high": found[1]})
    return f"{100 * row['ci_level']:g}% interval {seen.interval}"


def other_level(row: Row, level: float | None) -> str:
    """Return the level of a row's interval behind its limits, where it is not the plan's."""
    return "" if level is None or abs(row["ci_level"] - level) < 1e-9 else f", {100 * row['ci_level']:g}%"


def with_interval(row: Row, seen: Shown, level: float | None = None) -> str:
    """Estimate and interval in one cell; of bounds that they are bounds, and the interval that covers them.

    Args:
        row: of results.json.
        seen: the same as readers see it.
        level: of the table's other intervals; another one is said. None: of no table, so that none is said.
    """
    if row["method"] in BOUNDS and row["estimate"] is None and row["ci_low"] is not None:
        covering = bounds_note(row)
        return f"bounds {seen.interval}" + (f"; {covering}" if covering else "")
    limits = (
        f" ({seen.interval}{other_level(row, level)})"
        if row["ci_low"] is not None or row["ci_high"] is not None
        else ""
    )
    return f"{seen.value}{limits}"


def _exp(value: float | None) -> float | None:
    if value is None:
        return None
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def decimals(low: float | None, high: float | None, usual: int = 2) -> int:
    """Decimals that show two significant digits of the standard error, judged by the interval's width."""
    width = 0.0 if low is None or high is None else (high - low) / 4
    if not width > 0 or not math.isfinite(width):
        return usual
    return min(max(1 - math.floor(math.log10(width)), 0), 8)


def decimals_of_spread(sd: float | None, usual: int = 2) -> int:
    """Decimals of a mean beside its standard deviation: one more than two significant digits of the deviation."""
    if sd is None or not sd > 0:
        return usual
    count: int = min(max(1 - math.floor(math.log10(sd)) + (sd < 10 ** math.floor(math.log10(sd)) * 2), 0), 8)
    return count


def decimal(value: float | None, digits: int) -> str:
    """Return a number with that many decimals and a true minus; an en dash where there is none."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value and abs(value) >= 1e6:
        return f"{value:.3g}".replace("-", "−")
    text = f"{value:,.{digits}f}".replace(",", "")
    return (text[1:] if text.startswith("-") and float(text) == 0 else text).replace("-", "−")
