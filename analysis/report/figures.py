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
from analysis.plotting import INK, MUTED, RULE, ZERO, arm_colour, bare, canvas, text_at
from study_app.domain.study.analysis_plan import Outcome

Row = Mapping[str, Any]


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
        text_at(top, cap, 1.04, f"cap {cap:g} {outcome.unit}".rstrip(), ha="right", color=MUTED)
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
        below.set_xlabel(f"{outcome.unit or 'Time'} {since if of_tasks else '(below the curves: at risk)'}")
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
