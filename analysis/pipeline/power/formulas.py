"""Closed formulas beside a simulated power, each with everything that it assumes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from analysis.design.power import design_effect, proportion_power, t_test_power
from analysis.pipeline.power.assumptions import Assumptions
from study_app.domain.study.analysis_plan import Outcome, Plan


@dataclass(frozen=True)
class FormulaPower:
    """One formula's answer to what it was asked."""

    formula: str
    outcome: str
    contrast: tuple[str, str]
    family: int
    """Primary tests that share the level."""
    alpha: float
    """Of this test: the plan's, or its share of it at the first step of the plan's multiplicity rule."""
    n: dict[str, float]
    """People an arm that the formula counts with, after dropout and the design effect."""
    power: float

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return asdict(self)


def formulas(
    plan: Plan, outcome: Outcome, contrast: tuple[str, str], sizes: tuple[float, float], effect: float,
    given: Assumptions, family: int, *, clustered: bool = False,
) -> list[FormulaPower]:  # fmt: skip
    """Formulas that fit an outcome, at the plan's level and at the level of Holm's first step.

    A Holm procedure rejects at least as often as its first step and at most as often as a single test, so the
    simulated power of a row lies between the two, as far as the formula holds.

    Args:
        plan: for the level and the multiplicity rule.
        outcome: what is compared.
        contrast: treated, control.
        sizes: people allocated to each.
        effect: treated minus control in standard deviations before any cap or bound.
        given: everything else that is assumed.
        family: primary tests together.
        clustered: whether clusters were allocated.
    """
    alpha = round(1 - plan.level, 12)
    levels = [alpha] if family < 2 or plan.multiplicity.method == "none" else [alpha, alpha / family]
    inflation = design_effect(given.cluster_size, given.icc) if clustered else 1.0
    keeps = 1.0 if outcome.kind == "time" and outcome.censored != "right" else 1 - given.dropout
    first, second = (max(size * keeps / inflation, 2.0) for size in sizes)
    return [
        FormulaPower(
            name, outcome.id, contrast, family, level, dict(zip(contrast, (first, second), strict=True)), found
        )
        for level in levels
        for name, found in _of_kind(outcome, effect, (first, second), level, given)
    ]


def _of_kind(
    outcome: Outcome, effect: float, sizes: tuple[float, float], alpha: float, given: Assumptions
) -> list[tuple[str, float]]:
    if outcome.kind == "binary":
        one = float(special.ndtr(effect + special.ndtri(given.share)))
        power = proportion_power(p1=one, p2=given.share, n=sizes[0], n2=sizes[1], alpha=alpha)
        return [(f"two proportions, {one:.3f} against {given.share:.3f} (arcsine)", power)]
    adjusted = effect / np.sqrt(1 - given.r2)
    if outcome.kind != "time":
        name = "two-sample t test" if not given.r2 else f"two-sample t test, variance less R2 = {given.r2:g}"
        return [(name, t_test_power(adjusted, sizes[0], sizes[1], alpha))]
    return [("two-sample t test of minutes before the cap", t_test_power(effect, sizes[0], sizes[1], alpha)),
            _schoenfeld(effect, sizes, alpha, given)]  # fmt: skip


def _schoenfeld(effect: float, sizes: tuple[float, float], alpha: float, given: Assumptions) -> tuple[str, float]:
    """Return the log-rank test by Schoenfeld (1983), with the hazard ratio that the shares at the cap imply."""
    open_control = given.incomplete
    open_treated = float(special.ndtr(effect + special.ndtri(open_control)))
    ratio = float(np.log(open_treated) / np.log(open_control))
    events = (sizes[0] * (1 - open_treated) + sizes[1] * (1 - open_control)) * (1 - given.dropout)
    share = sizes[0] / sum(sizes)
    drift = abs(np.log(ratio)) * np.sqrt(share * (1 - share) * events)
    edge = float(special.ndtri(1 - alpha / 2))
    power = float(special.ndtr(drift - edge) + special.ndtr(-drift - edge))
    return f"log-rank test (Schoenfeld), hazard ratio {ratio:.3f}, {events:.1f} events", power
