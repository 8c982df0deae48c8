"""Power over the number of participants, one panel a primary row: simulated with its error, formulas as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from analysis.pipeline.power.assumptions import as_text
from analysis.pipeline.regimes.rows import arm_of_row
from analysis.plotting import FORMATS, MUTED, RULE, arm_colour, canvas, saved, text_at
from study_app.domain.errors import UserError

DASHES = ("--", ":", "-.", (0, (1, 3)))
"""Lines of the formulas, in their order."""


def power_curve(found: Mapping[str, Any], titles: Mapping[str, str], labels: Mapping[str, str]) -> Figure:
    """Draw what `trial_power` found.

    Args:
        found: its result.
        titles: outcome -> what readers see.
        labels: arm -> what readers see.
    """
    rows = [(row["id"], row["outcome"], row["contrast"]) for row in _rows(found["power"][0])]
    effects = sorted({entry["effect"] for entry in found["power"]})
    with canvas(8.2, 2.9 * len(rows) + 0.4) as figure:
        panels = figure.subplots(len(rows), 1, squeeze=False, sharex=True)[:, 0]
        for axes, (name, outcome, contrast) in zip(panels, rows, strict=True):
            for place, effect in enumerate(effects):
                _lines(axes, _points(found["power"], name, effect), effect, arm_colour(place), place == 0)
            versus = " minus ".join(labels.get(arm, arm) for arm in contrast)
            arm = arm_of_row(name)
            within = f" in {labels.get(arm, arm)}" if arm else ""
            axes.set_title(f"{titles.get(outcome, outcome)}: {versus}{within}", loc="left", fontsize=9.5)
            axes.axhline(0.8, color=RULE, lw=0.9)
            axes.set_ylim(0, 1.02)
            axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0%", "20%", "40%", "60%", "80%", "100%"])
            axes.set_ylabel("Power")
            axes.legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1.01, 1.0))
        panels[-1].set_xlabel("Participants allocated in total")
        text_at(
            panels[-1], 0, -0.32, _assumed(found), transform=panels[-1].transAxes, color=MUTED, fontsize=7, va="top"
        )
        figure.subplots_adjust(hspace=0.28, right=0.62)
        return figure


def _rows(entry: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the primary rows of a size and effect, and behind them those of a second decision."""
    return [*entry["rows"], *entry.get("secondary", ())]


Points = Sequence[tuple[int, Mapping[str, Any]]]


def _points(entries: Sequence[Mapping[str, Any]], name: str, effect: float) -> Points:
    found = [
        (entry["n"], row) for entry in entries if entry["effect"] == effect for row in _rows(entry) if row["id"] == name
    ]
    return sorted(found, key=lambda point: point[0])


def _lines(axes: Any, points: Points, effect: float, colour: str, named: bool) -> None:
    sizes = [n for n, _ in points]
    axes.errorbar(
        sizes, [row["simulated"] for _, row in points], yerr=[1.96 * row["mc_error"] for _, row in points],
        color=colour, marker="o", ms=4.5, lw=1.6, capsize=2.5, label=f"simulated, d = {effect:g}",
    )  # fmt: skip
    for place, first in enumerate(points[0][1]["formulas"]):
        label = f"{_short(first['formula'])}, alpha {first['alpha']:g}" if named else None
        values = [row["formulas"][place]["power"] for _, row in points]
        marker = "_" if len(points) == 1 else None
        axes.plot(sizes, values, color=colour, ls=DASHES[place % len(DASHES)], lw=1, marker=marker, label=label)


def _short(formula: str) -> str:
    return formula.split(", ")[0].replace("two-sample ", "").replace(" before the cap", "")


def _assumed(found: Mapping[str, Any]) -> str:
    given = as_text(found["assumptions"])
    beside = "; rows of the second decision without adjustment" if "secondary" in found["power"][0] else ""
    return (
        f"Simulated: the plan's primary rows under {found['multiplicity']} over {found['family']} tests at "
        f"{found['alpha']:g}{beside}, bars 95% of the Monte Carlo error.\nAssumed: {given}."
    )


def write_power_curve(
    found: Mapping[str, Any], path: Path, titles: Mapping[str, str], labels: Mapping[str, str]
) -> None:
    """Write the figure; the ending of the path says how: svg, png or pdf.

    Raises:
        UserError: another ending, or the file cannot be written.
    """
    ending = path.suffix.lstrip(".").lower()
    if ending not in FORMATS:
        raise UserError(f"--figure: '{path}' does not end in {', '.join(FORMATS)}; give a name such as power.pdf")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(power_curve(found, titles, labels), "Power over the number of participants", ending))
    except OSError as error:
        raise UserError(f"--figure: {path} cannot be written ({error.strerror}); give another file") from None
