"""Values by arm beside the differences that the plan decides on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from analysis.plotting import INK, MUTED, PAPER, ZERO, arm_colour, bare, canvas, text_at
from analysis.report.drawings.forest import interval, signed
from analysis.report.scales import SHARES, axis_title, shown
from study_app.domain.study.analysis_plan import Outcome

Row = Mapping[str, Any]
MANY = 5_000
"""Values from which on points are drawn as an image, for a drawing of each would fill the page."""


def estimation(
    data: pd.DataFrame,
    outcome: Outcome,
    arms: Sequence[str],
    labels: Mapping[str, str],
    rows: Sequence[Row],
    means: Mapping[str, Row],
) -> Figure:
    """Everybody's value by arm (cloud, points, mean with interval) beside the differences with theirs.

    Of a yes-or-no outcome bars up to the shares in the place of clouds and points. Without rows, as where ranks decide,
    there are no differences to draw.

    Args:
        data: analysed participants with `arm` and the outcome's id as a column.
        outcome: what is compared.
        arms: control first.
        labels: arm -> text.
        rows: the outcome's primary rows, one a contrast.
        means: arm -> its mean and interval, of results.json.
    """
    with canvas(8.2, 0.95 * len(arms) + 1.5) as figure:
        axes = figure.subplots(1, 2 if rows else 1, width_ratios=[2.5, 1.2][: 2 if rows else 1], squeeze=False)[0]
        left = axes[0]
        binary = outcome.kind == "binary"
        draw = _share if binary else _cloud
        factor = 100 if binary or outcome.unit in SHARES else 1
        for index, arm in enumerate(arms):
            draw(left, factor * data.loc[data["arm"] == arm, outcome.id].to_numpy(dtype=float), index)
            _mean(left, means.get(arm), index if binary else index - 0.1, factor)
        left.set_yticks(range(len(arms)), [_with_n(labels[arm], data, arm) for arm in arms])
        left.set_ylim(len(arms) - 0.4, -0.75)
        left.set_xlabel(axis_title(outcome.title, SHARES[0] if binary else outcome.unit))
        bare(left, "left")
        if rows:
            _differences(axes[1], rows, arms, labels, outcome)
            figure.subplots_adjust(wspace=0.42)
        return figure


def _mean(axes: Any, found: Row | None, place: float, factor: int) -> None:
    """Draw what results.json has: its interval knows of clusters, and of a share that it ends at 0 and 1."""
    if found is None or found["estimate"] is None:
        return
    if found["ci_low"] is not None and found["ci_high"] is not None and found["ci_low"] < found["ci_high"]:
        axes.plot([factor * found["ci_low"], factor * found["ci_high"]], [place] * 2, color=INK, lw=2.2)
    axes.plot(factor * found["estimate"], place, "o", ms=6.5, color=PAPER, mec=INK, mew=1.8)


def _share(axes: Any, values: np.ndarray, row: int) -> None:
    if len(values):
        axes.barh(row, float(values.mean()), height=0.44, color=arm_colour(row), alpha=0.5, lw=0)
    axes.set_xlim(0, 100)


def _cloud(axes: Any, values: np.ndarray, row: int) -> None:
    if not len(values):
        return
    colour = arm_colour(row)
    # A density needs values that differ: of equal ones its bandwidth would be 0.
    if len(values) > 2 and np.ptp(values) > 0:
        grid = np.linspace(values.min(), values.max(), 160)  # no cloud where no value can be
        height = stats.gaussian_kde(values)(grid)
        axes.fill_between(grid, row - 0.1 - 0.5 * height / height.max(), row - 0.1, color=colour, alpha=0.22, lw=0)
    offsets = _swarm(values)
    axes.scatter(values, row + 0.06 + offsets, s=13, color=colour, alpha=0.75, lw=0,
                 rasterized=len(values) > MANY)  # fmt: skip


def _swarm(values: np.ndarray) -> np.ndarray:
    """Vertical places of equal or near values, stacked downwards in the order of the table."""
    span = np.ptp(values) or 1.0
    bins = np.floor((values - values.min()) / span * 44).astype(int)
    seen: dict[int, int] = {}
    places = np.zeros(len(values))
    for index, cell in enumerate(bins):
        places[index] = seen.get(int(cell), 0)
        seen[int(cell)] = seen.get(int(cell), 0) + 1
    spread: np.ndarray = places * min(0.055, 0.32 / max(1.0, places.max()))
    return spread


def _differences(
    axes: Any, rows: Sequence[Row], arms: Sequence[str], labels: Mapping[str, str], outcome: Outcome
) -> None:
    axes.axvline(0, color=ZERO, lw=1)
    drawn = [row for row in rows if row["contrast"]]
    controls = dict.fromkeys(row["contrast"][1] for row in drawn)
    # Of a sequence trial the arms are orders, and treatments are compared within people.
    beside = len(controls) < 2 and all(row["contrast"][0] in arms for row in drawn)
    for count, row in enumerate(drawn):
        treated = row["contrast"][0]
        place = list(arms).index(treated) if beside else count
        colour = arm_colour(list(arms).index(treated) if treated in arms else count)
        if len(controls) > 1:  # no line below can name what all of them are compared with
            text = " minus ".join(labels.get(arm, arm) for arm in row["contrast"])
            axes.text(0.5, place - 0.42, text, transform=axes.get_yaxis_transform(), ha="center", fontsize=8, color=INK,
                      bbox={"fc": PAPER, "ec": "none", "pad": 1})  # fmt: skip
        seen = shown(row)
        if seen.estimate is None:
            text_at(axes, 0, place, "not estimable", ha="center", color=MUTED)
            continue
        interval(axes, seen, place, colour, size=7)
        text_at(axes, seen.estimate, place - 0.2, signed(seen.estimate, seen.decimals), ha="center", weight="bold")
    axes.set_ylim(max(len(arms), 0 if beside else len(drawn)) - 0.4, -0.75)
    axes.set_yticks([])
    against = "".join(f" from {labels.get(arm, arm)}" for arm in (controls or [arms[0]])) if len(controls) < 2 else ""
    axes.set_xlabel(axis_title(f"Difference{against}", outcome.unit, change=True))
    low, high = axes.get_xlim()
    reach = max(abs(low), abs(high))
    axes.set_xlim(-reach, reach)
    bare(axes, "left")


def _with_n(label: str, data: pd.DataFrame, arm: str) -> str:
    return f"{label}\nn = {int((data['arm'] == arm).sum())}"
