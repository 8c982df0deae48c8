"""What each arm came to, beside a primary comparison: means with their spread, or n/N of a yes-or-no outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from analysis.report.scales import decimal, decimals_of_spread
from analysis.report.wording import tagged
from study_app.domain.study.analysis_plan import Outcome

Row = Mapping[str, Any]


def means_sentence(
    outcome: Outcome,
    contrast: tuple[str, str],
    means: Mapping[str, Row],
    labels: Mapping[str, str],
    summary: Row,
) -> Markup:
    """Raw means of both arms with standard deviation, n and the denominator.

    Of a yes-or-no outcome n/N and percent, of an ordinal one median and quartiles.

    Args:
        outcome: of the arms.
        contrast: arms, the treated one first.
        means: arm -> row of its mean.
        labels: arm -> what readers see.
        summary: of the outcome in `outcomes` of results.json; empty where that has none.
    """
    if outcome.kind == "ordinal" and summary:
        parts = [
            Markup("{}: median {}").format(
                labels[arm], tagged(f"outcomes.{outcome.id}", _ranked(summary, arm, ", n = "))
            )
            for arm in contrast
        ]
        return Markup("{}; {}.").format(*parts)
    digits = _decimals(means)
    parts = [_mean_phrase(outcome, arm, means[arm], labels[arm], digits) for arm in contrast]
    return Markup("{}; {}.").format(*parts)


def mean_cells(outcome: Outcome, means: Mapping[str, Row], summary: Row) -> dict[str, tuple[str, str]]:
    """Return arm -> id of the row and text, for the table of primary outcomes; an arm without values has none."""
    if outcome.kind == "ordinal" and summary:
        place = f"outcomes.{outcome.id}"
        return {arm: (place, _ranked(summary, arm, ", ")) for arm, cell in summary["arms"].items() if cell["n"]}
    digits = _decimals(means)
    return {
        arm: (row["id"], _mean_cell(outcome, arm, row, digits))
        for arm, row in means.items()
        if row["estimate"] is not None
    }


def what_cells_hold(outcomes: list[Outcome], *, ranked: bool) -> str:
    """Return what such cells hold, as the head of their column.

    Args:
        outcomes: the primary ones.
        ranked: whether medians are known.
    """
    words = {"binary": "n/N (%)"} | ({"ordinal": "median [quartiles], n"} if ranked else {})
    return " or ".join(dict.fromkeys(words.get(outcome.kind, "mean (SD), n") for outcome in outcomes))


def _ranked(summary: Row, arm: str, n: str) -> str:
    cell = summary["arms"][arm]
    return f"{cell['median']:g} [{cell['q1']:g}, {cell['q3']:g}]{n}{cell['n']}" if cell["n"] else "–"


def _decimals(means: Mapping[str, Row]) -> int:
    spreads = [row["effect_size"]["value"] for row in means.values() if row["effect_size"]]
    return decimals_of_spread(max((sd for sd in spreads if sd is not None), default=None))


def _mean_cell(outcome: Outcome, arm: str, row: Row, digits: int) -> str:
    n = row["n"][arm]
    if outcome.kind == "binary":
        return f"{round(row['estimate'] * n)}/{n} ({decimal(100 * row['estimate'], 0)}%)"
    sd = row["effect_size"]["value"] if row["effect_size"] else None
    return f"{decimal(row['estimate'], digits)} ({decimal(sd, digits)}), {n}"


def _mean_phrase(outcome: Outcome, arm: str, row: Row, label: str, digits: int) -> Markup:
    if row["estimate"] is None:
        return Markup("{}: no values").format(label)
    if outcome.kind == "binary":
        return Markup("{}: {}").format(label, tagged(row["id"], _mean_cell(outcome, arm, row, digits)))
    sd = row["effect_size"]["value"] if row["effect_size"] else None
    bounded = row["note"].startswith("of ")
    out_of = f" {row['note'].partition(';')[0]}" if bounded else f" {outcome.unit}".rstrip()
    return Markup("{}: mean {}{} (SD {}, n = {})").format(
        label,
        tagged(row["id"], decimal(row["estimate"], digits)),
        tagged(row["id"], out_of) if bounded else escape(out_of),
        tagged(row["id"], decimal(sd, digits)),
        tagged(row["id"], str(row["n"][arm])),
    )
