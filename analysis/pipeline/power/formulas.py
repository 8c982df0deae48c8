"""Closed formulas beside a simulated power, each with everything that it assumes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from analysis.design.power import design_effect
from analysis.design.power_of_tests import paired_t_power, proportion_power
from analysis.design.sequential import sequential_power
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.two_groups import two_group_power
from analysis.pipeline.power.with_margin import power_with_margin
from study_app.domain.study.analysis_plan import Analysis, Outcome, Plan


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
    given: Assumptions, family: int, *, clustered: bool = False, analysis: Analysis | None = None,
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
        analysis: the row, where it has a margin.
    """
    alpha = round(1 - plan.level, 12)
    levels = [alpha] if family < 2 or plan.multiplicity.method == "none" else [alpha, alpha / family]
    # Who leaves a trial counts with the cap where unfinished times do (composite strategy) and stays in n; a censored
    # time or a score is missing.
    keeps = 1.0 if outcome.kind == "time" and outcome.censored != "right" else 1 - given.dropout
    # The covariates take their part from the variance within clusters, so that of the rest more lies between them. A
    # cluster that people leave is smaller.
    explained = given.r2 if analysis is not None or outcome.kind not in ("binary", "time") else 0.0
    within = (max(given.cluster_size * keeps, 1.0), given.icc / (1 - explained))
    inflation = design_effect(*within) if clustered else 1.0
    clusters = sum(sizes) / given.cluster_size if clustered else None
    about = "" if clusters is None else f", {clusters:.4g} clusters with a design effect of {inflation:.3g}"
    # Two people an arm is the fewest that has a variance; below, the formulas have no degrees of freedom.
    first, second = (max(size * keeps / inflation, 2.0) for size in sizes)
    people = dict(zip(contrast, (first, second), strict=True))
    return [
        after_looks(
            plan, FormulaPower(f"{name}{about}", outcome.id, contrast, family, level, people, found), sum(sizes)
        )
        for level in levels
        for name, found in (
            _of_kind(outcome, effect, (first, second), level, given, clusters)
            if analysis is None
            else power_with_margin(analysis, outcome, effect, (first, second), level, given, clusters)
        )
    ]


def after_looks(plan: Plan, single: FormulaPower, total: float) -> FormulaPower:
    """Return a formula's answer for a trial with the plan's looks, which its row alone would stop."""
    if not plan.stopping.interim:
        return single
    sizes = [plan.stopping.due_at(look, round(total)) for look in range(1, len(plan.stopping.looks) + 1)]
    # The looks are added to the formula by its noncentrality: the drift that gives its power without looks is
    # monitored.
    power, expected, _ = sequential_power(plan.stopping, sizes, single.alpha, single.power)
    name = f"{single.formula}, {len(sizes)} looks (expected {expected:.1f} people if this row alone decides)"
    return replace(single, formula=name, power=power)


def within_people(
    plan: Plan, outcome: str, contrast: tuple[str, str], n: int, effect: float, given: Assumptions, family: int
) -> list[FormulaPower]:
    """Return the paired t test of a crossover in which each person has each of two treatments once.

    Args:
        plan: for the level and the multiplicity rule.
        outcome: its id.
        contrast: treated, control.
        n: people.
        effect: treated minus control in standard deviations between people.
        given: everything else that is assumed.
        family: primary tests together.
    """
    pairs = max(n * (1 - given.dropout), 3.0)
    alpha = round(1 - plan.level, 12)
    levels = [alpha] if family < 2 or plan.multiplicity.method == "none" else [alpha, alpha / family]
    # The effect is in standard deviations between people; a difference of two periods has variance 2 (1 - rho) of them.
    d = effect / np.sqrt(2 * (1 - given.periods))
    name = f"paired t test, correlation {given.periods:g} between periods"
    people = dict.fromkeys(contrast, pairs)
    return [
        after_looks(
            plan,
            FormulaPower(name, outcome, contrast, family, level, people, paired_t_power(d, pairs, level)),
            n,
        )
        for level in levels
    ]


def _of_kind(
    outcome: Outcome, effect: float, sizes: tuple[float, float], alpha: float, given: Assumptions,
    clusters: float | None = None,
) -> list[tuple[str, float]]:  # fmt: skip
    if outcome.kind == "binary":
        # The same normal variable with a threshold as in the simulation, so that both answer the same question.
        one = float(special.ndtr(effect + special.ndtri(given.share)))
        power = proportion_power(p1=one, p2=given.share, n=sizes[0], n2=sizes[1], alpha=alpha)
        return [(f"two proportions, {one:.3f} against {given.share:.3f} (arcsine)", power)]
    # What the covariates explain leaves the error variance (Borm et al. 2007: n of an ANCOVA is 1 - R2 of the t
    # test's).
    adjusted = effect / np.sqrt(1 - given.r2)
    if outcome.kind != "time":
        name = "two-sample t test" if not given.r2 else f"two-sample t test, variance less R2 = {given.r2:g}"
        return [(name, two_group_power(adjusted, sizes, alpha, clusters))]
    return [("two-sample t test of minutes before the cap", two_group_power(effect, sizes, alpha, clusters)),
            _schoenfeld(outcome, effect, sizes, alpha, given)]  # fmt: skip


def _schoenfeld(
    outcome: Outcome, effect: float, sizes: tuple[float, float], alpha: float, given: Assumptions
) -> tuple[str, float]:
    """Return the log-rank test by Schoenfeld (1983), with the hazard ratio that the shares at the cap imply."""
    open_control = given.incomplete
    open_treated = float(special.ndtr(effect + special.ndtri(open_control)))
    # Proportional hazards: S1 = S0 ** HR at every time, the cap among them, so HR = log S1 / log S0.
    ratio = float(np.log(open_treated) / np.log(open_control))
    events = sizes[0] * (1 - open_treated) + sizes[1] * (1 - open_control)
    if outcome.censored != "right":
        # Who left is among the people, with the cap and without an event; of censored times they are not in n at all.
        events *= 1 - given.dropout
    share = sizes[0] / sum(sizes)
    drift = abs(np.log(ratio)) * np.sqrt(share * (1 - share) * events)
    edge = float(special.ndtri(1 - alpha / 2))
    # Both tails, or an effect of 0 would have half the level as its power.
    power = float(special.ndtr(drift - edge) + special.ndtr(-drift - edge))
    return f"log-rank test (Schoenfeld), hazard ratio {ratio:.3f}, {events:.1f} events", power
