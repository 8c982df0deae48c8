"""The design in sentences: what is compared, how it is tested, and for how many tests it is adjusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pipeline.prepare import Prepared
from analysis.report.wording import METHODS, TESTS
from study_app.domain.study.factorial.sections import TreatmentFactor

Row = Mapping[str, Any]
_REALLOCATING = ("rerandomization", "permutation", "factorial_rerandomization")


def comparisons(prepared: Prepared, result: Row, labels: Mapping[str, str]) -> str:
    """Return "each compared with No AI", or the pairs of arms that the primary rows compare."""
    control = prepared.compared[0] if prepared.compared else ""
    study = prepared.dataset.study.study
    if prepared.levels is not None and study is not None:
        listed = "; ".join(f"{factor.title} ({', '.join(_levels(factor, labels))})" for factor in study.factors)
        return f"factors: {listed}; each level compared with the first one, over the levels of the others"
    pairs = direct_pairs(prepared, result)
    if not pairs:
        return f"each compared with {labels.get(control, control)}" if control else ""
    return "; ".join(" against ".join(labels.get(arm, arm) for arm in pair) for pair in pairs)


def _levels(factor: TreatmentFactor, labels: Mapping[str, str]) -> list[str]:
    return [labels.get(level, level) for level in factor.level_ids]


def direct_pairs(prepared: Prepared, result: Row) -> list[tuple[str, str]]:
    """Return the contrasts of the primary rows where one of them is not with the control; else nothing."""
    control = prepared.compared[0] if prepared.compared else ""
    rows = [row for _, row in prepared.deciding(result["estimates"]) if row["contrast"]]
    pairs = list(dict.fromkeys(tuple(row["contrast"]) for row in rows))
    within = [pair for pair in pairs if set(pair) <= set(prepared.compared)]
    return within if any(pair[1] != control for pair in within) else []


def adjustment(prepared: Prepared, result: Row) -> str:
    """Return the rule for several primary tests, and over how many it goes."""
    count = sum(row["p_value"] is not None for _, row in prepared.deciding(result["estimates"]))
    rule = prepared.fitted.multiplicity.method
    if count < 2:
        return "one primary test" if count else "no primary test"
    name = "no adjustment for several tests" if rule == "none" else rule.capitalize()
    return f"{name}, {count} primary tests" if rule == "none" else f"{name} over {count} primary tests"


def tests(prepared: Prepared, result: Row) -> str:
    """Return by what the primary rows are tested."""
    found = prepared.deciding(result["estimates"])
    methods = dict.fromkeys(analysis.method for analysis, _ in found)
    named = {**METHODS, **TESTS}
    parts = [named.get(name, name.replace("_", " ")) for name in methods if name not in _REALLOCATING]
    drawn = [analysis for analysis, _ in found if analysis.method in _REALLOCATING]
    if drawn:
        plain = all(analysis.options.get("studentised", True) is False for analysis in drawn)
        how = _allocated_again(prepared, result) + ("" if plain else ", studentised")
        used = {row["detail"]["assignments"] for _, row in found if "assignments" in (row["detail"] or {})}
        count = " or ".join(map(str, sorted(used))) or prepared.fitted.replicates
        parts.insert(0, f"{count} re-randomisations {how}; the interval inverts the test")
    return "; ".join(parts) or "no primary row"


def _allocated_again(prepared: Prepared, result: Row) -> str:
    if not prepared.dataset.plain:
        return "under the scheme"
    data = prepared.frame.data
    strata = "stratum" in data and data["stratum"].nunique() > 1
    what = "labels of whole clusters" if prepared.frame.cluster else "labels"
    where = "within strata" if strata else "among all"
    return f"by permuting {what} {where}, for a table brings no ledger of its allocation"


def covariates(prepared: Prepared, names: Mapping[str, str]) -> str:
    """Return the plan's covariates, and whether strata of the allocation are in the models."""
    if prepared.sequence:
        return "none: people are compared with themselves"
    listed = ", ".join(entry.label or names.get(entry.column, entry.column) for entry in prepared.fitted.covariates)
    return f"{listed or 'none'}{'; strata as main effects' if prepared.frame.strata else ''}"
