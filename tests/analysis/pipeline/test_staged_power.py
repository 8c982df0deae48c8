"""Power of plans with looks, and of sequences of treatments, against formulas that hold for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.design.power_of_tests import paired_t_power
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.trial_power import simulated_plan, trial_power
from study_app.content.study_file import read_study
from study_app.domain.allocation import Scheme
from study_app.domain.study.analysis_plan import Plan

ROOT = Path(__file__).parents[3]
SIMS = 60


def study(outcome: str = "score", **plan):
    shipped = read_study(ROOT / "study.toml")
    made = {"outcomes": [{"id": outcome, "kind": "continuous"}], "primary": [outcome], "covariates": []}
    made |= {"strata": False, "subgroups": [], "estimands": [], "multiplicity": {"method": "none"}} | plan
    return shipped.model_copy(update={"analysis": Plan.model_validate(made)})


def found(trial, effect: float, n: int = 40, given: Assumptions | None = None) -> dict:
    return trial_power(trial, sizes=[n], effects=[effect], sims=SIMS, workers="1", given=given)["power"][0]


def near(value: float, expected: float) -> bool:
    return abs(value - expected) <= 4 * np.sqrt(expected * (1 - expected) / SIMS)


@pytest.mark.slow
def test_trials_with_looks_stop_where_the_boundaries_say():
    entry = found(study(stopping={"kind": "pocock", "looks": [0.5, 1.0]}), 0.9)
    looks, (formula,) = entry["looks"], entry["rows"][0]["formulas"]
    assert near(entry["simulated"], formula["power"])
    assert looks["sizes"] == [20, 40]
    assert sum(looks["stopped"]) == pytest.approx(1)
    assert looks["expected_n"] == pytest.approx(20 * looks["stopped"][0] + 40 * looks["stopped"][1])
    assert "2 looks" in formula["formula"]


def test_the_simulated_trials_have_replicates_for_every_boundary():
    rule = {"kind": "spending", "looks": [0.3, 1.0]}
    plan = simulated_plan(study(stopping=rule).analysis)
    assert plan.replicates > 499
    assert (plan.replicates + 1) % 500 == 0


@pytest.mark.slow
def test_a_sequence_of_two_treatments_has_the_power_of_the_paired_t_test():
    trial = study("quiz_points").model_copy(update={"allocation": Scheme(method="sequence", orders="all")})
    entry = found(trial, 0.35, n=24, given=Assumptions(periods=0.6))
    (formula,) = entry["rows"][0]["formulas"]
    exact = paired_t_power(0.35 / np.sqrt(2 * 0.4), 24)
    assert formula["power"] == pytest.approx(exact)
    assert near(entry["simulated"], exact)
