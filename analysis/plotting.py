"""How figures look: one palette for light and dark, and SVG whose bytes depend on the drawing alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, RULE, PAPER, ZERO = "#1c2230", "#667085", "#d5d9e2", "#fefefe", "#98a1b3"
ARMS = ("#4a6fa5", "#c8642c", "#2f8f6f", "#8a5bb0", "#a88a1e", "#b0476b", "#3f8ea8", "#7a6f5d")
VARIABLES = {INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper", ZERO: "zero"} | {
    colour: f"arm{index}" for index, colour in enumerate(ARMS)
}
"""Colour of the printed figure -> CSS variable of the report."""
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "study-results",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "text.parse_math": False,
    "path.simplify": False,
}


def arm_colour(index: int) -> str:
    """Return the colour of the arm at this position, control first."""
    return ARMS[index % len(ARMS)]


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """Provide a figure of that size in inches under the house style; no global state is left behind."""
    with mpl.rc_context(_STYLE):
        yield Figure(figsize=(width, height))


def svg(figure: Figure, title: str) -> str:
    """Return the figure as SVG text: no date, ids salted by content, an accessible title."""
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight", pad_inches=0.08
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    label = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{label}" ', text, count=1)


FORMATS = ("svg", "png", "pdf")
"""Endings of a figure's file."""


def saved(figure: Figure, title: str, ending: str) -> bytes:
    """Return the figure as a file: SVG as in the report, PNG at 300 dots an inch on white, or PDF.

    No date in any of them.
    """
    if ending == "svg":
        return svg(figure, title).encode()
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Title": title, **({"CreationDate": None} if ending == "pdf" else {"Software": None})}
    style = {**_STYLE, "savefig.facecolor": "white", "pdf.fonttype": 42}
    with mpl.rc_context(style):
        figure.savefig(
            buffer, format=ending, dpi=300, metadata=metadata, bbox_inches="tight", pad_inches=0.08, facecolor="white"
        )
    return buffer.getvalue()


def themed(text: str, name: str) -> str:
    """Return the same SVG for inlining: colours as CSS variables, ids made unique by name, size left to the page."""
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    text = re.sub(r"font(-family)?: ([^;\"]*)'DejaVu Sans'", r"font\1: \2var(--figure-font)", text)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    width = re.search(r'<svg [^>]*?width="([0-9.]+)pt"', text)
    limit = f'style="max-width: {float(width[1]) * 1.42:.0f}px" ' if width else ""
    text = re.sub(r'(<svg [^>]*?)width="[^"]*"([^>]*?)height="[^"]*"', r"\1\2", text, count=1)
    return text.replace("<svg ", f"<svg {limit}", 1)


def bare(axes: Axes, *sides: str) -> None:
    """Hide spines and the ticks that belong to them."""
    for side in sides:
        axes.spines[side].set_visible(False)
    if "left" in sides:
        axes.tick_params(axis="y", length=0)
    if "bottom" in sides:
        axes.tick_params(axis="x", length=0)


def text_at(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """Text without TeX or clipping."""
    axes.text(x, y, text, clip_on=False, **{"fontsize": 8.5, "color": INK, **style})
