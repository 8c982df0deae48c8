"""Second decisions of made-up trials: who responds, what the others are randomised to, and formulas beside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from analysis.design.power import t_test_power
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.formulas import FormulaPower
from study_app.domain.allocation.options import DECISION_MARK, options
from study_app.domain.study.analysis_plan import Outcome, Plan
from study_app.domain.study.sequential.sections import FIRST
from study_app.domain.study.study import Study
from study_app.rerandomisation import replicate

Floats = NDArray[np.float64]
SECOND_LEDGER = 2
"""Value of `allocations.decision` in the rows of a second decision."""


@dataclass(frozen=True)
class SecondDraw:
    """What a second decision gave the people of one trial."""

    shift: Floats
    """What it adds to each person's outcomes, in standard deviations."""
    ledger: pd.DataFrame
    """Its rows of the table `allocations`."""


def decide_again(
    study: Study, table: pd.DataFrame, shared: Floats, given: Assumptions, rng: np.random.Generator
) -> SecondDraw:
    """Randomise those who did not respond, by the study's scheme, and fill the columns of the second decision.

    Who leaves does so between the decisions. Response hangs together with each outcome as two outcomes of a person do,
    and the arm does not change it.

    Args:
        study: with a second decision.
        table: people in order of allocation, with `arm` and `status`; columns are added.
        shared: what all measures of a person share, with variance `given.correlation`.
        given: for the share of responders and the effect of other treatments than the first one.
        rng: where chance comes from.
    """
    n = len(table)
    inclined = shared + rng.normal(size=n) * np.sqrt(1 - given.correlation)
    responds = inclined > special.ndtri(1 - given.responders)
    left = (table["status"] == "abandoned").to_numpy()
    again = ~responds & ~left
    treatment = np.full(n, None, dtype=object)
    treatment[again] = drawn_treatments(study, [str(arm) for arm in table.loc[again, "arm"]], rng)
    ledger = fill_second_decision(study, table, np.where(left, np.nan, responds.astype(float)), list(treatment))
    first = study.second_decision.treatments[0].id
    other = np.array([name is not None and name != first for name in treatment])
    return SecondDraw(given.second_effect * other, ledger)


def drawn_treatments(study: Study, arms: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Randomise people of these arms, in the order in which they come to the decision, by the study's scheme."""
    second, scheme = study.second_decision, study.second_scheme
    if not arms:
        return []
    drawn = replicate(scheme, [{FIRST: arm} for arm in arms], 1, rng, arms=second.arms)[0]
    names = [option.id for option in options(scheme, second.arms)]
    return [names[place] for place in drawn]


def fill_second_decision(
    study: Study, table: pd.DataFrame, responded: Floats, treatments: Sequence[str | None]
) -> pd.DataFrame:
    """Add the columns of the second decision to a table of people, and return the rows of its ledger.

    Args:
        study: with a second decision.
        table: people in order of allocation, with `participant_id` and `arm`.
        responded: 1, 0, or NaN for who did not come to the decision.
        treatments: of those who did not respond.
    """
    again = np.array([name is not None for name in treatments], dtype=bool)
    index = np.full(len(table), np.nan)
    index[again] = np.arange(1, again.sum() + 1)
    shares = [study.second_decision.probability(name) if name else np.nan for name in treatments]
    table["responded"], table["second_index"], table["second_probability"] = responded, index, shares
    table["second_treatment"] = pd.Series(list(treatments), index=table.index, dtype=object)
    table["first_probability"] = [study.probability(str(arm)) for arm in table["arm"]]
    people, scheme = table[again], study.second_scheme
    levels = [scheme.levels({FIRST: str(arm)}) for arm in people["arm"]]
    return pd.DataFrame(
        {
            "participant_id": people["participant_id"].to_numpy(),
            "allocation_index": people["second_index"].to_numpy().astype(int),
            "ledger": "simulated",
            "stratum": [scheme.stratum(entry) for entry in levels],
            "levels": [json.dumps(entry) for entry in levels],
            "arm": people["second_treatment"].to_numpy(),
            "decision": SECOND_LEDGER,
        }
    )


def true_difference(study: Study, contrast: Sequence[str], effect: float, given: Assumptions) -> float | None:
    """Return what a row of regimes or second treatments estimates in the simulated trials, in standard deviations.

    None where the contrast is neither.
    """
    if len(contrast) != 2:
        return None
    first = study.second_decision.treatments[0].id
    treatments = {each.id for each in study.second_decision.treatments}
    if set(contrast) <= treatments:
        return given.second_effect * ((contrast[0] != first) - (contrast[1] != first))
    parts = [name.partition(DECISION_MARK) for name in contrast]
    if any(treatment not in treatments for _, _, treatment in parts):
        return None
    values = [
        effect * (arm != study.control.id) + (1 - given.responders) * given.second_effect * (treatment != first)
        for arm, _, treatment in parts
    ]
    return values[0] - values[1]


def formulas_of_second(
    plan: Plan, study: Study, outcome: Outcome, row: tuple[str, Sequence[str]], n: int, effect: float,
    given: Assumptions,
) -> list[FormulaPower]:  # fmt: skip
    """Return the t test that a row of regimes with different arms, or of second treatments, comes near to.

    Of regimes the people of an arm count by the variance of a weighted mean: a share p of responders with weight 1,
    the others over their probability q, so that n is divided by p + (1 - p) / q (Oetting et al. 2011).

    Args:
        plan: for the level.
        study: for shares and treatments.
        outcome: what is compared.
        row: id and contrast.
        n: people allocated.
        effect: each other arm minus control.
        given: everything else that is assumed.
    """
    name, contrast = row
    difference = true_difference(study, contrast, effect, given)
    # Of a threshold or a capped time a regime's difference is no longer a difference of normal means.
    if difference is None or outcome.kind in ("binary", "time"):
        return []
    arms = [part.partition(DECISION_MARK)[0] for part in contrast]
    if DECISION_MARK in contrast[0] and arms[0] == arms[1]:
        return []  # the same responders count on both sides, which no two-sample formula knows
    stayed = n * (1 - given.dropout)
    if DECISION_MARK in contrast[0]:
        sizes = [_of_regime(study, regime, stayed, given) for regime in contrast]
        formula = "two-sample t test of weighted means (Oetting et al. 2011)"
    else:
        within = name.rsplit(".", 1)[-1].partition(DECISION_MARK)
        share = (study.probability(within[0]) or 0.0) if within[1] else 1.0
        sizes = [stayed * share * (1 - given.responders) * _second_share(study, each) for each in contrast]
        formula = "two-sample t test among people who do not respond"
    sizes = [max(size, 2.0) for size in sizes]
    alpha = round(1 - plan.level, 12)
    power = t_test_power(difference / np.sqrt(1 - given.r2), sizes[0], sizes[1], alpha)
    people = dict(zip(contrast, sizes, strict=True))
    return [FormulaPower(formula, outcome.id, (contrast[0], contrast[1]), 1, alpha, people, power)]


def _of_regime(study: Study, regime: str, n: float, given: Assumptions) -> float:
    arm, _, treatment = regime.partition(DECISION_MARK)
    spread = given.responders + (1 - given.responders) / _second_share(study, treatment)
    return n * (study.probability(arm) or 0.0) / spread


def _second_share(study: Study, treatment: str) -> float:
    return study.second_decision.probability(treatment) or 1.0
