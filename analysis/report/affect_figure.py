"""The trajectories of affect: means with intervals by arm over the minutes of a stage, one panel a scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.plotting import INK, RULE, arm_colour, canvas

PANELS = {
    "valence": ("Valence", (1, 9)),
    "arousal": ("Arousal", (1, 9)),
    "calm_desperate": ("Calm (0) to desperate (100)", (0, 100)),
}
APART = 0.012
"""Arms beside each other at a minute, as a share of the axis."""


def affect_courses(scales: Mapping[str, Any], arms: Sequence[str], labels: Mapping[str, str]) -> Figure:
    """Draw means with their intervals by arm and minute."""
    minutes = [row["minute"] for made in scales.values() for row in made["course"]]
    span = max(minutes) - min(minutes) or 1.0
    with canvas(8.4, 2.9) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(scales)))
        for panel, (name, made) in zip(panels, scales.items(), strict=True):
            title, (low, high) = PANELS[name]
            for index, arm in enumerate(arms):
                rows = [row for row in made["course"] if row["arm"] == arm and row["mean"] is not None]
                shift = (index - (len(arms) - 1) / 2) * APART * span
                _line(panel, rows, shift, arm_colour(index), labels.get(arm, arm))
            panel.set_title(title, fontsize=9, color=INK, loc="left")
            room = (high - low) * 0.04
            panel.set_ylim(low - room, high + room)
            panel.set_xticks(sorted(set(minutes)))
            panel.set_xlim(min(minutes) - 0.12 * span, max(minutes) + 0.12 * span)
            panel.grid(axis="y", color=RULE, lw=0.6)
            panel.set_xlabel("Minute of the clock")
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="lower center", ncols=min(len(arms), 4), frameon=False, fontsize=8)
        figure.subplots_adjust(bottom=0.3, wspace=0.3)
        return figure


def _line(panel: Any, rows: Sequence[Mapping[str, Any]], shift: float, colour: str, label: str) -> None:
    x = [row["minute"] + shift for row in rows]
    panel.plot(x, [row["mean"] for row in rows], "o-", color=colour, ms=4.5, lw=1.6, label=label)
    for at, row in zip(x, rows, strict=True):
        if row["ci_low"] is not None:
            panel.plot([at, at], [row["ci_low"], row["ci_high"]], color=colour, lw=1)
