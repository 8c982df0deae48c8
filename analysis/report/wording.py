"""Numbers and sentences of the report. A sentence about a difference always holds estimate, interval and p together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from study_app.domain.plan import Outcome

Row = Mapping[str, Any]
_ADJECTIVES = {"holm": "Holm", "hommel": "Hommel", "bonferroni": "Bonferroni", "graphical": "graphical procedure"}


def number(value: float | None, digits: int = 2) -> str:
    """A number with that many decimals and a true minus; an en dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return (text[1:] if text.startswith("-") and float(text) == 0 else text).replace("-", "−")


def compact(value: float | None, digits: int = 4) -> str:
    """A number in few characters for wide tables."""
    if value is None:
        return "–"
    return f"{value:.{digits}g}".replace("-", "−")


def p_text(value: float | None) -> str:
    """The p value with three decimals, or below 0.001."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def tidy(note: str) -> str:
    """A note with its long decimals cut to four significant digits."""
    return re.sub(r"-?\d+\.\d{5,}(e-?\d+)?", lambda found: compact(float(found.group())), note)


def p_phrase(value: float | None) -> str:
    """`p = 0.012` or `p < 0.001`."""
    return f"p {p_text(value)}" if value is not None and value < 0.001 else f"p = {p_text(value)}"


def tagged(row_id: str, text: str) -> Markup:
    """Text that came from a row of results.json, with the row's id."""
    return Markup('<span class="n" data-result="{}">{}</span>').format(row_id, text)


def unit_text(row: Row) -> str:
    """The unit as words beside a number."""
    return str(row["unit"])


def means_sentence(
    outcome: Outcome, contrast: tuple[str, str], means: Mapping[str, Row], labels: Mapping[str, str]
) -> Markup:
    """Raw means of both arms with standard deviation, n and the denominator."""
    parts = [_mean_phrase(outcome, arm, means[arm], labels[arm]) for arm in contrast]
    return Markup("{}; {}.").format(*parts)


def _mean_phrase(outcome: Outcome, arm: str, row: Row, label: str) -> Markup:
    if row["estimate"] is None:
        return Markup("{}: no values").format(label)
    sd = row["effect_size"]["value"] if row["effect_size"] else None
    out_of = f" {row['note']}" if row["note"].startswith("of ") else f" {outcome.unit}"
    return Markup("{}: mean {}{} (SD {}, n = {})").format(
        label,
        tagged(row["id"], number(row["estimate"])),
        tagged(row["id"], out_of) if row["note"].startswith("of ") else escape(out_of),
        tagged(row["id"], number(sd)),
        tagged(row["id"], str(row["n"][arm])),
    )


def difference_sentence(row: Row, labels: Mapping[str, str], multiplicity: str, family: int) -> Markup:
    """Difference, interval, p and adjusted p of a primary row; or that it is not estimable, and why."""
    if row["estimate"] is None or row["p_value"] is None:
        return Markup("The difference is {}.").format(tagged(row["id"], row["note"] or "not estimable"))
    treated, control = row["contrast"]
    interval = f"{number(row['ci_low'])} to {number(row['ci_high'])}"
    sentence = Markup("{} minus {}: {} {} ({}% interval {}; re-randomisation {}").format(
        labels[treated],
        labels[control],
        tagged(row["id"], number(row["estimate"])),
        row["unit"],
        tagged(row["id"], f"{100 * row['ci_level']:g}"),
        tagged(row["id"], interval),
        tagged(row["id"], p_phrase(row["p_value"])),
    )
    if row["p_adjusted"] is not None:
        name = _ADJECTIVES.get(multiplicity, multiplicity)
        sentence += Markup("; adjusted over {} primary tests by {}: {}").format(
            family, name, tagged(row["id"], p_phrase(row["p_adjusted"]))
        )
    return sentence + Markup(").")


def verdict(row: Row, labels: Mapping[str, str], alpha: float) -> str:
    """What the decision rule of the plan says, in words that claim no more."""
    p = row["p_adjusted"] if row["p_adjusted"] is not None else row["p_value"]
    if p is None or row["estimate"] is None:
        return "The plan's rule gives no decision."
    if p > alpha:
        return (
            f"By the plan's rule at {alpha:.0%}, the data do not exclude a difference of zero; "
            "the interval says which differences remain plausible."
        )
    direction = "higher" if row["estimate"] > 0 else "lower"
    treated, control = (labels[arm] for arm in row["contrast"])
    found = f"{direction} with {treated} than with {control}"
    return f"By the plan's rule at {alpha:.0%}, a difference of zero is rejected: {found}."
