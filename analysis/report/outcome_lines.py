"""The table of every outcome by arm with both effects, as readers see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from analysis.report.scales import decimal, decimals_of_spread, other_level, shown
from analysis.report.wording import MARGINS, method_name, p_text

Row = Mapping[str, Any]


class EffectLine(NamedTuple):
    """One contrast of an outcome."""

    contrast: str
    """Treated against control, under their labels."""
    absolute: str
    absolute_of: str
    """How it was estimated."""
    relative: str
    p: str
    ids: tuple[str, str]
    """The rows that the numbers come from, or their place in results.json."""


class OutcomeLine(NamedTuple):
    """One outcome."""

    outcome: str
    title: str
    what: str
    """What the arms' cells hold."""
    cells: tuple[str, ...]
    effects: tuple[EffectLine, ...]


WHAT = {
    "binary": "n/N (%)",
    "time": "mean (SD), n; events; median",
    "ordinal": "median [quartiles], n",
    "count": "mean (SD), n",
    "bounded": "mean (SD), n",
    "continuous": "mean (SD), n",
}


def outcome_lines(
    outcomes: Sequence[Row], labels: Mapping[str, str], titles: Mapping[str, str], level: float
) -> tuple[OutcomeLine, ...]:
    """Text of each cell, from `outcomes` of results.json; outcomes without a value in any arm are left out.

    Args:
        outcomes: of results.json.
        labels: arm -> what readers see.
        titles: outcome -> what readers see.
        level: of the plan; an interval of another one says so.
    """
    return tuple(
        OutcomeLine(
            entry["outcome"],
            titles.get(entry["outcome"], entry["outcome"])
            + (f", {entry['unit']}" if entry["unit"] and entry["kind"] != "binary" else ""),
            _what(entry),
            _cells(entry),
            tuple(_effect(entry["outcome"], effect, labels, level) for effect in entry["effects"]),
        )
        for entry in outcomes
        if any(arm["n"] for arm in entry["arms"].values())
    )


def _what(entry: Row) -> str:
    censored = entry["kind"] == "time" and all("mean" not in arm for arm in entry["arms"].values())
    return "events/n; median" if censored else WHAT[entry["kind"]]


def _cells(entry: Row) -> tuple[str, ...]:
    """Return the arms' cells, with the same decimals in all of them."""
    spread = max((arm["sd"] for arm in entry["arms"].values() if arm.get("sd") is not None), default=None)
    digits = decimals_of_spread(spread)
    return tuple(arm_cell(entry["kind"], arm, digits) for arm in entry["arms"].values())


def arm_cell(kind: str, arm: Row, digits: int) -> str:
    """Return what an arm came to."""
    if not arm["n"]:
        return "–"
    if kind == "binary":
        return f"{arm['count']}/{arm['n']} ({decimal(arm['percent'], 0)}%)"
    if kind == "time" and "mean" not in arm:
        return f"{arm['events']}/{arm['n']}; {_median(arm)}"
    if kind == "ordinal":
        return f"{arm['median']:g} [{arm['q1']:g}, {arm['q3']:g}], {arm['n']}"
    text = f"{decimal(arm['mean'], digits)} ({decimal(arm['sd'], digits)}), {arm['n']}"
    return text + (f"; {arm['events']}; {_median(arm)}" if kind == "time" else "")


def _median(arm: Row) -> str:
    return "not reached" if arm["median"] is None else decimal(arm["median"], 1)


def _effect(outcome: str, effect: Row, labels: Mapping[str, str], level: float) -> EffectLine:
    absolute, relative = effect["absolute"], effect["relative"]
    treated, control = (labels.get(arm, arm) for arm in effect["contrast"])
    place = f"outcomes.{outcome}"
    return EffectLine(
        f"{treated} against {control}",
        _with_interval(absolute, level),
        _named(absolute) if absolute else "",
        _with_interval(relative, level),
        p_text(next((row["p_value"] for row in (absolute, relative) if _has_p(row)), None)),
        tuple((row or {}).get("id") or place for row in (absolute, relative)),  # type: ignore[arg-type]
    )


def _named(row: Row) -> str:
    """Return the method of a row; with clusters over how many its errors are."""
    name = method_name(row["method"], row.get("clusters"))
    return name if row.get("clusters") is None else f"{name}; errors over {row['clusters']} clusters"


def _has_p(row: Row | None) -> bool:
    """Return whether p is of the effect; that of a test against a margin is of the margin."""
    return row is not None and row["p_value"] is not None and row["method"] not in MARGINS


def _with_interval(row: Row | None, level: float) -> str:
    if not row:
        return "–"
    seen = shown(row)
    limits = (
        f" ({seen.interval}{other_level(row, level)})"
        if row["ci_low"] is not None or row["ci_high"] is not None
        else ""
    )
    unit = f" {seen.unit}" if seen.ratio or seen.unit in ("percentage points", "probability") else ""
    return f"{seen.value}{limits}{unit}"
