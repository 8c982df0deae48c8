"""Simulated trials of a power calculation: spread and correlation are those assumed, whatever is assumed beside."""

from __future__ import annotations

import numpy as np
import pytest
from support.trials.design_studies import made

from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.trial_power import simulated_plan
from study_app.content.study_file import read_study
from study_app.domain.study.analysis_plan import Covariate, Outcome

OUTCOMES = tuple(Outcome(id=name, column=name, kind="continuous") for name in ("first", "second"))


@pytest.mark.parametrize("given", [{"correlation": 0.0}, {"correlation": 0.6}, {"correlation": 0.6, "r2": 0.5}])
def test_outcomes_have_a_variance_of_one_within_arms_and_an_effect_in_its_unit(tmp_path, given):
    study = read_study(made(tmp_path, "simple"))
    named = {"outcomes": OUTCOMES, "covariates": (Covariate(column="pretest_points"),)}
    plan = simulated_plan(study.analysis, len(study.arms)).model_copy(update=named)
    people = PlannedTrial(study, plan, Assumptions(**given)).dataset(6000, 0.5, np.random.default_rng(1)).participants
    treated = (people["arm"] != study.control.id).to_numpy(dtype=float)
    both = people[["first", "second"]].to_numpy() - 0.5 * treated[:, None]
    assert both.mean(axis=0) == pytest.approx([0, 0], abs=0.04)
    assert both.std(axis=0) == pytest.approx([1, 1], abs=0.03)
    shared = given.get("r2", 0.0)
    assert np.corrcoef(both.T)[0, 1] == pytest.approx(shared + (1 - shared) * given["correlation"], abs=0.03)
    assert np.corrcoef(people["pretest_points"], both[:, 0])[0, 1] == pytest.approx(np.sqrt(shared), abs=0.04)
