"""How far missing outcomes would have to differ to tip a result, as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from analysis.plotting import INK, MUTED, ZERO, arm_colour, bare, canvas, text_at
from analysis.report.scales import SHARES, axis_title, decimal
from study_app.domain.study.analysis_plan import Outcome

Row = Mapping[str, Any]


def tipping(name: str, rows: Sequence[Row], outcome: Outcome, labels: Mapping[str, str]) -> Figure | None:
    """Draw difference and interval against what is added to each imputed outcome of the treated, an axis a treated arm.

    The line where no difference is, the assumption that outcomes are missing at random (0), and the nearest shift at
    which the conclusion changes are marked. None where no outcome is missing.

    Args:
        name: id of the outcome.
        rows: of that outcome; those of method `tipping_point` hold the curve in their detail.
        outcome: for the axes' texts.
        labels: arm -> text.
    """
    drawn = [row for row in rows if row["method"] == "tipping_point" and row["outcome"] == name and _curve(row)]
    if not drawn:
        return None
    with canvas(4.6 * len(drawn) + 0.6, 3.2) as figure:
        axes = figure.subplots(1, len(drawn), squeeze=False, sharey=True)[0]
        for place, (each, row) in enumerate(zip(axes, drawn, strict=True)):
            _draw(each, row, arm_colour(place + 1), 100 if outcome.unit in SHARES else 1)
            treated, control = (labels.get(arm, arm) for arm in row["contrast"])
            each.set_title(f"{treated} minus {control}", loc="left", fontsize=9, color=INK)
            each.set_xlabel(axis_title(f"Added to each imputed outcome of {treated}", outcome.unit, change=True))
        axes[0].set_ylabel(axis_title("Difference", outcome.unit, change=True))
        return figure


def _curve(row: Row) -> bool:
    return bool(row["detail"].get("delta"))


def _draw(axes: Any, row: Row, colour: str, factor: int) -> None:
    names = ("delta", "estimates", "ci_low", "ci_high")
    curve = {name: [factor * value for value in row["detail"][name]] for name in names}
    tip = None if row["estimate"] is None else factor * row["estimate"]
    axes.axhline(0, color=ZERO, lw=1)
    axes.axvline(0, color=ZERO, lw=1, ls=(0, (2, 3)))
    axes.fill_between(curve["delta"], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.16, lw=0)
    axes.plot(curve["delta"], curve["estimates"], color=colour, lw=2)
    top = max(curve["ci_high"])
    text_at(axes, 0, top, " missing at random", va="top", fontsize=8, color=MUTED)
    if tip is None:
        text_at(axes, min(curve["delta"]), min(curve["ci_low"]), "no shift drawn here tips it", fontsize=8, color=MUTED)
    else:
        axes.axvline(tip, color=INK, lw=1.2)
        text_at(axes, tip, min(curve["ci_low"]), f" tips at {decimal(tip, 2)}", fontsize=8, weight="bold")
    bare(axes)
