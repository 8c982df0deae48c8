"""Estimates with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from analysis.plotting import INK, MUTED, PAPER, RULE, ZERO, arm_colour, bare, canvas
from analysis.report.scales import Shown, axis_title, decimal, shown
from analysis.report.wording import counts

Row = Mapping[str, Any]


def forest(
    rows: Sequence[Row], names: Sequence[str], unit: str, *, primary: Sequence[bool], counted: bool = False
) -> Figure:
    """Estimates with intervals one below the other; bounds without a point are drawn as open bars.

    Args:
        rows: from top to bottom; one with the key `heading` has that text and nothing drawn.
        names: what stands left of each row.
        unit: of all of them.
        primary: which rows decide.
        counted: whether people (treated / control) stand right of the numbers.
    """
    with canvas(4.9, 0.3 * len(rows) + 0.9) as figure:
        axes = figure.subplots()
        axes.axvline(0, color=ZERO, lw=1)
        found = [shown({"unit": unit, "contrast": (), **row}) for row in rows]
        # As many decimals in all rows as the first one with an interval bears.
        digits = next((seen.decimals for seen in found if seen.low is not None), 2)
        for place, (seen, first) in enumerate(zip(found, primary, strict=True)):
            colour = arm_colour(1) if first else INK
            if seen.estimate is None and seen.low is not None and seen.high is not None:
                axes.plot([seen.low, seen.high], [place] * 2, "|-", color=MUTED, lw=5, ms=8, alpha=0.45)
            interval(axes, seen, place, colour, 7 if first else 5)
        axes.set_yticks(range(len(rows)), list(names))
        for label, first in zip(axes.get_yticklabels(), primary, strict=True):
            label.set_fontweight("bold" if first else "normal")
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(axis_title("Difference", unit, change=True))
        axes.grid(axis="x", color=RULE, lw=0.6)
        axes.set_axisbelow(True)
        right = axes.get_yaxis_transform()
        for place, (row, first) in enumerate(zip(rows, primary, strict=True)):
            weight = "bold" if first else "normal"
            text = row.get("heading") or _numbers(found[place], digits)
            axes.text(1.02, place, text, transform=right, va="center", fontsize=8, color=INK, weight=weight)
            if counted and "heading" not in row:
                axes.text(1.52, place, counts(row), transform=right, va="center", fontsize=8, color=MUTED)
        if counted:
            axes.text(1.52, -0.85, "n", transform=right, va="center", fontsize=8, color=MUTED)
        bare(axes, "left")
        return figure


def interval(axes: Any, seen: Shown, place: float, colour: str, size: float = 5.5) -> None:
    """Draw a row's interval, and its estimate as a point; of bounds without a point the line alone."""
    if seen.low is not None and seen.high is not None:
        axes.plot([seen.low, seen.high], [place, place], color=colour, lw=2, solid_capstyle="round")
    if seen.estimate is not None:
        axes.plot(seen.estimate, place, "o", ms=size, color=colour, mec=PAPER, mew=0.8)


def _numbers(seen: Shown, digits: int) -> str:
    value = signed(seen.estimate, digits) if seen.estimate is not None else ""
    if seen.low is None or seen.high is None:
        return value or "not estimable"
    inside = f"[{signed(seen.low, digits)}, {signed(seen.high, digits)}]"
    return f"{value}  {inside}" if value else f"bounds {inside}"


def signed(value: float | None, digits: int) -> str:
    """Return a number with its sign."""
    text = decimal(value, digits)
    return text if text.startswith("−") or value is None or float(text) == 0 else f"+{text}"
