"""The figures of the report, from results.json and the analysed table; each function returns a matplotlib figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy import stats

from analysis.estimators.numerics.restricted_mean import kaplan_meier_curve
from analysis.plotting import INK, MUTED, PAPER, RULE, ZERO, arm_colour, bare, canvas, text_at
from analysis.report.wording import counts
from study_app.domain.study.analysis_plan import Outcome

Row = Mapping[str, Any]
MANY = 5_000
"""Values from which on points are drawn as an image, for a drawing of each would fill the page."""


def estimation(
    data: pd.DataFrame, outcome: Outcome, arms: Sequence[str], labels: Mapping[str, str], rows: Sequence[Row]
) -> Figure:
    """Everybody's value by arm (cloud, points, mean with interval) beside the differences with theirs.

    Args:
        data: analysed participants with `arm` and the outcome's id as a column.
        outcome: what is compared.
        arms: control first.
        labels: arm -> text.
        rows: the outcome's primary rows, one a non-control arm.
    """
    with canvas(8.2, 0.95 * len(arms) + 1.5) as figure:
        left, right = figure.subplots(1, 2, width_ratios=[2.5, 1.2])
        for index, arm in enumerate(arms):
            _cloud(left, data.loc[data["arm"] == arm, outcome.id].to_numpy(dtype=float), index, arm_colour(index))
        left.set_yticks(range(len(arms)), [_with_n(labels[arm], data, arm) for arm in arms])
        left.set_ylim(len(arms) - 0.4, -0.75)
        left.set_xlabel(f"{outcome.title} ({outcome.unit})")
        bare(left, "left")
        _differences(right, rows, arms, labels, outcome)
        figure.subplots_adjust(wspace=0.42)
        return figure


def _cloud(axes: Any, values: np.ndarray, row: int, colour: str) -> None:
    if not len(values):
        return
    # A density needs values that differ: of equal ones its bandwidth would be 0.
    if len(values) > 2 and np.ptp(values) > 0:
        grid = np.linspace(values.min(), values.max(), 160)  # no cloud where no value can be
        height = stats.gaussian_kde(values)(grid)
        axes.fill_between(grid, row - 0.1 - 0.5 * height / height.max(), row - 0.1, color=colour, alpha=0.22, lw=0)
    offsets = _swarm(values)
    axes.scatter(values, row + 0.06 + offsets, s=13, color=colour, alpha=0.75, lw=0,
                 rasterized=len(values) > MANY)  # fmt: skip
    if len(values) > 1 and values.std() > 0:
        half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        axes.plot([values.mean() - half, values.mean() + half], [row - 0.1] * 2, color=INK, lw=2.2)
    axes.plot(values.mean(), row - 0.1, "o", ms=6.5, color=PAPER, mec=INK, mew=1.8)


def _swarm(values: np.ndarray) -> np.ndarray:
    """Vertical places of equal or near values, stacked downwards in the order of the table."""
    span = np.ptp(values) or 1.0
    bins = np.floor((values - values.min()) / span * 44).astype(int)
    seen: dict[int, int] = {}
    places = np.zeros(len(values))
    for index, cell in enumerate(bins):
        places[index] = seen.get(int(cell), 0)
        seen[int(cell)] = seen.get(int(cell), 0) + 1
    spread: np.ndarray = places * min(0.055, 0.4 / max(1.0, places.max()))
    return spread


def _differences(
    axes: Any, rows: Sequence[Row], arms: Sequence[str], labels: Mapping[str, str], outcome: Outcome
) -> None:
    axes.axvline(0, color=ZERO, lw=1)
    places: list[int] = []
    against = arms[0]
    for row in rows:
        if not row["contrast"]:
            continue
        # Of a sequence trial the arms are orders, and treatments are compared within people.
        treated, against = row["contrast"]
        place = list(arms).index(treated) if treated in arms else len(places)
        places.append(place)
        if row["estimate"] is None:
            text_at(axes, 0, place, "not estimable", ha="center", color=MUTED)
            continue
        _interval(axes, row, place, arm_colour(place), size=7)
        text_at(axes, row["estimate"], place - 0.2, _signed(row["estimate"]), ha="center", weight="bold")
    axes.set_ylim(len(arms) - 0.4, -0.75)
    axes.set_yticks([])
    axes.set_xlabel(f"Difference from {labels.get(against, against)} ({outcome.unit})")
    low, high = axes.get_xlim()
    reach = max(abs(low), abs(high))
    axes.set_xlim(-reach, reach)
    bare(axes, "left")


def _interval(axes: Any, row: Row, place: float, colour: str, size: float = 5.5) -> None:
    if row["ci_low"] is not None and row["ci_high"] is not None:
        axes.plot([row["ci_low"], row["ci_high"]], [place, place], color=colour, lw=2, solid_capstyle="round")
    if row["estimate"] is not None:
        axes.plot(row["estimate"], place, "o", ms=size, color=colour, mec=PAPER, mew=0.8)


def survival(
    data: pd.DataFrame,
    outcome: Outcome,
    arms: Sequence[str],
    labels: Mapping[str, str],
    level: float = 0.95,
    *,
    of_tasks: bool = True,
) -> Figure:
    """Share without the event over time by arm (Kaplan-Meier), the cap marked, numbers at risk below.

    Up to three arms have log-log bands; more would cover each other. `of_tasks`: the event is completing the tasks.
    """
    cap = float(outcome.cap or data[outcome.id].max())
    ticks = [tick for tick in MaxNLocator(8).tick_values(0, cap) if 0 <= tick <= cap * (1 + 1e-9)]
    with canvas(7.6, 3.6 + 0.26 * len(arms)) as figure:
        top, below = figure.subplots(2, 1, height_ratios=[3.4, 0.32 * len(arms) + 0.2], sharex=True)
        for index, arm in enumerate(arms):
            part = data[data["arm"] == arm]
            times = part[outcome.id].to_numpy(dtype=float)
            events = part[f"_event_{outcome.id}"].to_numpy(dtype=float) == 1
            if len(times):
                _steps(top, times, events, cap, arm_colour(index), labels[arm], level if len(arms) < 4 else None)
            for tick in ticks:
                text_at(
                    below, tick, index, str(int((times >= tick - 1e-9).sum())), ha="center", va="center", color=MUTED
                )
        top.axvline(cap, color=MUTED, lw=1, ls=(0, (3, 3)))
        text_at(top, cap, 1.04, f"cap {cap:g} {outcome.unit}", ha="right", color=MUTED)
        top.set_ylim(0, 1.02)
        top.set_xlim(0, cap * 1.01)
        top.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        top.set_ylabel("Not yet completed" if of_tasks else "Without the event")
        top.legend(frameon=False, loc="lower left", fontsize=8.5)
        top.tick_params(labelbottom=False)
        below.set_ylim(len(arms) - 0.4, -0.7)
        below.set_yticks(range(len(arms)), [labels[arm] for arm in arms])
        below.tick_params(axis="y", pad=18)
        below.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        since = "since the first task was shown; below the curves: still at work"
        below.set_xlabel(f"{outcome.unit} {since if of_tasks else '(below the curves: at risk)'}")
        bare(below, "left", "bottom")
        figure.subplots_adjust(hspace=0.12)
        return figure


def _steps(
    axes: Any, times: np.ndarray, events: np.ndarray, cap: float, colour: str, label: str, level: float | None
) -> None:
    """One arm's curve, with its band where a level is given."""
    curve = kaplan_meier_curve(times, events)
    x = np.concatenate([[0.0], curve.times, [cap]])
    y = np.concatenate([[1.0], curve.survival, curve.survival[-1:]])
    axes.step(x, y, where="post", color=colour, lw=2, label=label)
    if level is None:
        return
    with np.errstate(all="ignore"):
        # Limits by the transformation log(-log), which keeps them between 0 and 1 (Kalbfleisch & Prentice 1980;
        # `log-log` of R's survfit).
        log = np.log(curve.survival)
        half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(curve.greenwood) / np.abs(log)
        low, high = curve.survival ** np.exp(half), curve.survival ** np.exp(-half)
    known = np.isfinite(low) & np.isfinite(high)
    if known.any():
        axes.fill_between(curve.times[known], low[known], high[known], step="post", color=colour, alpha=0.13, lw=0)


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
        for place, (row, first) in enumerate(zip(rows, primary, strict=True)):
            colour = arm_colour(1) if first else INK
            if row["estimate"] is None and row["ci_low"] is not None and row["ci_high"] is not None:
                axes.plot([row["ci_low"], row["ci_high"]], [place] * 2, "|-", color=MUTED, lw=5, ms=8, alpha=0.45)
            _interval(axes, row, place, colour, 7 if first else 5)
        axes.set_yticks(range(len(rows)), list(names))
        for label, first in zip(axes.get_yticklabels(), primary, strict=True):
            label.set_fontweight("bold" if first else "normal")
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(f"Difference ({unit})")
        axes.grid(axis="x", color=RULE, lw=0.6)
        axes.set_axisbelow(True)
        right = axes.get_yaxis_transform()
        for place, (row, first) in enumerate(zip(rows, primary, strict=True)):
            weight = "bold" if first else "normal"
            text = row.get("heading") or _numbers(row)
            axes.text(1.02, place, text, transform=right, va="center", fontsize=8, color=INK, weight=weight)
            if counted and "heading" not in row:
                axes.text(1.52, place, counts(row), transform=right, va="center", fontsize=8, color=MUTED)
        if counted:
            axes.text(1.52, -0.85, "n", transform=right, va="center", fontsize=8, color=MUTED)
        bare(axes, "left")
        return figure


def _numbers(row: Row) -> str:
    if row["ci_low"] is None or row["ci_high"] is None:
        return _signed(row["estimate"]) if row["estimate"] is not None else "not estimable"
    inside = f"[{_signed(row['ci_low'])}, {_signed(row['ci_high'])}]"
    return f"{_signed(row['estimate'])}  {inside}" if row["estimate"] is not None else f"bounds {inside}"


def items(rows: Sequence[Mapping[str, Any]], arms: Sequence[str], labels: Mapping[str, str]) -> Figure:
    """Share of points by item (columns) and arm (rows); below, each item's correlation with the rest."""
    table = np.array([[row["arms"][arm]["share"] or 0.0 for row in rows] for arm in arms])
    with canvas(max(6.0, 0.56 * len(rows) + 1.9), 0.52 * len(arms) + 1.9) as figure:
        axes = figure.subplots()
        for i, arm in enumerate(arms):
            for j in range(len(rows)):
                share = float(table[i, j])
                colour = arm_colour(list(arms).index(arm))
                axes.fill_between(
                    [j - 0.47, j + 0.47], i - 0.46, i + 0.46, color=colour, alpha=0.1 + 0.75 * share, lw=0
                )
                text_at(axes, j, i, f"{100 * share:.0f}", ha="center", va="center", color=INK)
        for j, row in enumerate(rows):
            r = row["item_rest_r"]
            text_at(
                axes,
                j,
                len(arms),
                "–" if r is None else f"{r:.2f}".replace("-", "−"),
                ha="center",
                va="center",
                color=MUTED,
            )
        axes.set_yticks(range(len(arms) + 1), [*(labels[arm] for arm in arms), "item–rest r"])
        axes.set_xticks(range(len(rows)), [str(row["item"]) for row in rows], rotation=40, ha="right")
        axes.set_xlim(-0.6, len(rows) - 0.4)
        axes.set_ylim(len(arms) + 0.6, -0.6)
        bare(axes, "left", "bottom")
        axes.set_title("Share of points, percent", loc="left", fontsize=9, color=MUTED)
        return figure


def balance(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Figure:
    """Standardised differences of the baseline variables; dotted at 0.1 as a reading aid, not a test.

    Hollow: those of several levels, which have no sign.
    """
    levels = Counter(names.get(row["variable"], row["variable"]) for row in rows)
    unique = {names.get(row["variable"], row["variable"]): row["smd"] for row in rows if row["smd"] is not None}
    with canvas(4.6, 0.28 * len(unique) + 0.9) as figure:
        axes = figure.subplots()
        for line in (-0.1, 0.1):
            axes.axvline(line, color=ZERO, lw=0.9, ls=(0, (2, 3)))
        axes.axvline(0, color=ZERO, lw=1)
        for place, (name, value) in enumerate(unique.items()):
            axes.plot([0, value], [place, place], color=RULE, lw=1.6)
            axes.plot(value, place, "o", ms=6, color=arm_colour(0), fillstyle="none" if levels[name] > 2 else "full")
        axes.set_yticks(range(len(unique)), list(unique))
        axes.set_ylim(len(unique) - 0.4, -0.6)
        reach = max(0.35, *(abs(value) for value in unique.values())) * 1.15 if unique else 0.35
        axes.set_xlim(-reach, reach)
        unsigned = any(levels[name] > 2 for name in unique)
        axes.set_xlabel("Standardised difference" + " (hollow: without a sign)" * unsigned)
        bare(axes, "left")
        return figure


def _with_n(label: str, data: pd.DataFrame, arm: str) -> str:
    return f"{label}\nn = {int((data['arm'] == arm).sum())}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
