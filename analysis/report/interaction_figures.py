"""Figures of use: timelines of a whole arm, shares by quarter, the flow between states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle

from analysis.plotting import ARMS, INK, MUTED, PAPER, RULE, bare, canvas, text_at
from study_app.domain.interaction.codebook import LABELS

COLOURS = dict(zip((*LABELS, "no label"), (ARMS[0], ARMS[1], ARMS[5], ARMS[4], ARMS[2], ARMS[7]), strict=True))
"""Label of a query -> colour, the same in every figure."""

MARKS = {
    "paste": ("v", "code pasted"),
    "copy": ("D", "code typed over"),
    "error": ("x", "error"),
    "submission": ("|", "task submitted"),
}
"""Action -> (marker, text)."""

_ROW = 0.2
"""Inches per participant: marks of neighbours do not touch, and 52 rows fit a page."""
_FIRST = 0.4
"""Strength of the line of the first task beside that of later ones."""
_SHORTEST = 0.22
"""Minutes: a query is drawn at least this wide."""


def swimlanes(actions: pd.DataFrame, patterns: Mapping[str, str] | None = None, order: Sequence[str] = ()) -> Figure:
    """One row per person over the minutes of the session: queries coloured by label, marks for what else happened.

    Args:
        actions: the timeline of one arm.
        patterns: participant -> pattern; rows are grouped by it.
        order: patterns from top to bottom; others follow by name.
    """
    lengths = actions.groupby("participant_id")["seconds"].max() / 60
    people = _rows_in_order(lengths, patterns or {}, order)
    with canvas(10.5, 1.5 + _ROW * max(len(people), 4)) as figure:
        axes = figure.subplots()
        for row, who in enumerate(people):
            _lane(axes, actions[actions["participant_id"] == who], row, float(lengths[who]))
        axes.set_yticks(range(len(people)), people, fontsize=7)
        axes.set_ylim(len(people) - 0.3, -0.7)
        axes.set_xlim(-0.3, float(lengths.max()) + 0.6 if len(lengths) else 1)
        axes.set_xlabel("Minutes since the first task was shown")
        axes.grid(axis="x", color=RULE, lw=0.6)
        axes.set_axisbelow(True)
        bare(axes, "left")
        _group_names(axes, people, patterns or {})
        _legend(axes, len(people))
        return figure


def _rows_in_order(lengths: pd.Series, patterns: Mapping[str, str], order: Sequence[str]) -> list[str]:
    rank = {pattern: index for index, pattern in enumerate(order)}
    return sorted(
        (str(who) for who in lengths.index),
        key=lambda who: (rank.get(patterns.get(who, ""), len(rank)), patterns.get(who, ""), float(lengths[who]), who),
    )


def _lane(axes: Axes, own: pd.DataFrame, row: int, length: float) -> None:
    """Draw a line for the session (darker from the second task on), queries from first key to sent, then marks."""
    later = own[own["action"] == "start"]["seconds"].iloc[1:2] / 60
    second = float(later.iloc[0]) if len(later) else length
    axes.plot([0, second], [row, row], color=MUTED, alpha=_FIRST, lw=1.2, zorder=1, solid_capstyle="butt")
    axes.plot([second, length], [row, row], color=MUTED, lw=1.2, zorder=1, solid_capstyle="butt")
    started: float | None = None
    patches, colours = [], []
    for action, seconds, labels in zip(own["action"], own["seconds"] / 60, own["labels"], strict=True):
        if action == "compose":
            started = seconds
        elif action == "query":
            for patch, colour in _query_patches(seconds if started is None else started, seconds, row, labels):
                patches.append(patch)
                colours.append(colour)
            started = None
    axes.add_collection(PatchCollection(patches, facecolors=colours, edgecolors=PAPER, linewidths=0.4, zorder=2))
    for action, (marker, _) in MARKS.items():
        times = own[own["action"] == action]["seconds"] / 60
        axes.plot(times, np.full(len(times), row), **_mark_style(action, marker), zorder=3)


def _query_patches(begin: float, end: float, row: int, labels: Sequence[str]) -> list[tuple[Rectangle, str]]:
    """Return a bar; with several labels, as many stripes."""
    names = list(labels) or ["no label"]
    height = 0.7 / len(names)
    width = max(end - begin, _SHORTEST)
    return [
        (Rectangle((end - width, row - 0.35 + index * height), width, height), COLOURS[name])
        for index, name in enumerate(names)
    ]


def _mark_style(action: str, marker: str) -> dict[str, Any]:
    size = {"paste": 4.8, "copy": 3.9, "error": 4.2, "submission": 9.0}[action]
    edge = {"paste": 0.5, "copy": 0.5, "error": 1.1, "submission": 1.6}[action]
    filled = action in {"paste", "copy"}
    return {
        "ls": "",
        "marker": marker,
        "ms": size,
        "color": INK,
        "mec": PAPER if filled else INK,
        "mew": edge,
    }


def _group_names(axes: Axes, people: Sequence[str], patterns: Mapping[str, str]) -> None:
    """Draw a rule above each group of rows, and its name at the right."""
    places = [
        index for index, who in enumerate(people) if not index or patterns.get(who) != patterns.get(people[index - 1])
    ]
    for first, following in pairwise([*places, len(people)]):
        name = patterns.get(people[first], "")
        if first:
            axes.axhline(first - 0.5, color=RULE, lw=0.8)
        if name:
            text_at(axes, 1.01, (first + following - 1) / 2, f"{name} ({following - first})", **_beside(axes))


def _beside(axes: Axes) -> dict[str, Any]:
    return {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 8, "color": INK}


def _legend(axes: Axes, rows: int) -> None:
    handles: list[Any] = [Patch(color=colour, label=label) for label, colour in COLOURS.items()]
    for action, (marker, text) in MARKS.items():
        handles.append(Line2D([], [], label=text, **_mark_style(action, marker)))
    handles.append(Line2D([], [], label="on the first task", color=MUTED, alpha=_FIRST, lw=1.6))
    handles.append(Line2D([], [], label="on a later one", color=MUTED, lw=1.6))
    above = 1 + 0.3 / (_ROW * max(rows, 4))
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, above - 0.2 / max(rows, 4)),
        ncols=6,
        frameon=False,
        fontsize=8,
    )


def trajectory_plot(trajectory: Mapping[str, Any]) -> Figure:
    """Shares by quarter of the session with their intervals, one panel per measure."""
    measures = trajectory["measures"]
    with canvas(8.4, 2.9) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(measures), sharey=True))
        for panel, (name, rows), colour in zip(panels, measures.items(), ARMS, strict=False):
            known = [row for row in rows if row["share"] is not None]
            x = [row["quarter"] for row in known]
            panel.plot(x, [100 * row["share"] for row in known], "o-", color=colour, ms=5, lw=1.6)
            for row in known:
                if row["ci_low"] is not None:
                    panel.plot([row["quarter"]] * 2, [100 * row["ci_low"], 100 * row["ci_high"]], color=colour, lw=1)
                text_at(panel, row["quarter"], -13, str(row["n"]), ha="center", va="top", fontsize=7.5, color=MUTED)
            panel.set_title(name, fontsize=9, color=INK, loc="left")
            panel.set_xticks([1, 2, 3, 4], [])
            panel.tick_params(axis="x", length=0)
            panel.set_xlim(0.6, 4.4)
            panel.set_ylim(-4, 104)
            panel.grid(axis="y", color=RULE, lw=0.6)
            for quarter in (1, 2, 3, 4):
                text_at(panel, quarter, -6, str(quarter), ha="center", va="top", fontsize=8)
        panels[0].set_ylabel("Percent of queries")
        text_at(
            panels[0],
            0.5,
            -26,
            "Quarter of the session; below it, the number of queries that the share is of",
            fontsize=8,
            color=MUTED,
        )
        return figure


def flow_plot(process: Mapping[str, Any], least: float = 0.15, fewest: int = 2) -> Figure:
    """States on a circle, arrows as wide as the share of leavings that go that way.

    Args:
        process: `transitions(...)`.
        least: smallest share of a state's leavings that is drawn.
        fewest: smallest count that is drawn.
    """
    counts = np.array(process["counts"])
    used = [index for index in range(len(counts)) if counts[index].sum() + counts[:, index].sum() > 0]
    angles = {index: np.pi / 2 - 2 * np.pi * place / max(len(used), 1) for place, index in enumerate(used)}
    places = {index: (float(np.cos(angle)), float(np.sin(angle))) for index, angle in angles.items()}
    with canvas(8.6, 7.4) as figure:
        axes = figure.subplots()
        for start in used:
            for end in used:
                share = process["shares"][start][end]
                if share is not None and share >= least and start != end and counts[start, end] >= fewest:
                    _arrow(
                        axes,
                        places[start],
                        places[end],
                        share,
                        _state_colour(process["states"][start]),
                        0.2 + 0.07 * (end % 3),
                    )
        for index in used:
            _node(axes, places[index], process["states"][index], int(counts[index].sum() or counts[:, index].sum()))
        axes.set_xlim(-1.5, 1.5)
        axes.set_ylim(-1.3, 1.3)
        axes.set_axis_off()
        return figure


def _state_colour(name: str) -> str:
    return COLOURS.get(name.removeprefix("ask: "), MUTED)


def _arrow(axes: Axes, start: Any, end: Any, share: float, colour: str, along: float) -> None:
    """Draw an arrow with its share; `along` says how far from its start the number stands."""
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            connectionstyle="arc3,rad=0.13",
            arrowstyle="-|>",
            mutation_scale=9 + 6 * share,
            lw=0.5 + 4 * share,
            color=colour,
            alpha=0.75,
            shrinkA=17,
            shrinkB=19,
            zorder=1,
        )
    )
    # Near the start, where arrows have not met yet, and on the bow.
    x, y = start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1])
    side = 0.26 * along * (1 - along) * np.array([end[1] - start[1], start[0] - end[0]])
    label = f"{100 * share:.0f}"
    text_at(axes, x + side[0], y + side[1], label, ha="center", va="center", fontsize=7, bbox=_label_box(), zorder=2)


def _label_box() -> dict[str, Any]:
    return {"boxstyle": "round,pad=0.12", "fc": PAPER, "ec": "none", "alpha": 0.8}


def _node(axes: Axes, place: tuple[float, float], name: str, count: int) -> None:
    axes.plot(*place, "o", ms=25, color=PAPER, mec=_state_colour(name), mew=2, zorder=3)
    text_at(axes, place[0], place[1], str(count), ha="center", va="center", fontsize=8.5, zorder=4)
    align = "center" if abs(place[0]) < 0.2 else "left" if place[0] > 0 else "right"
    text_at(axes, 1.17 * place[0], 1.17 * place[1], name, ha=align, va="center", fontsize=9, zorder=4)
