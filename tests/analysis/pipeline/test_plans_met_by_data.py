"""A plan meets the data: what its study rules out is refused, what only the defaults name is left out and said."""

from __future__ import annotations

import numpy as np
import pytest
from support.trials.design_studies import made

from analysis.data.dataset import Dataset
from analysis.pipeline.planning.plan import fit_to
from analysis.pipeline.planning.refusals import refuse
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.trial_power import simulated_plan
from study_app.content.study_file import read_study
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Outcome, Plan


def trial(folder, name: str) -> tuple[Dataset, Plan]:
    """A simulated trial of a study, and its plan."""
    study = read_study(made(folder, name))
    plan = simulated_plan(study.analysis, len(study.arms))
    return PlannedTrial(study, plan, Assumptions()).dataset(24, 0.5, np.random.default_rng(1)), plan


def with_outcome(plan: Plan, column: str) -> Plan:
    """The plan with a primary outcome of this column."""
    mine = Outcome(id="mine", column=column, kind="continuous")
    return plan.model_copy(update={"outcomes": (*plan.outcomes, mine), "primary": ("mine",)})


def test_an_analysis_of_an_outcome_known_before_allocation_is_refused_as_the_check_refuses_it(tmp_path):
    data, plan = trial(tmp_path, "strata")
    refuse(data, plan)
    with pytest.raises(ProblemsFound, match="'mine' is known before allocation"):
        refuse(data, with_outcome(plan, "pretest_points"))


def test_of_a_sequence_of_treatments_a_plan_may_name_what_each_period_measures(tmp_path):
    data, plan = trial(tmp_path, "orders")
    assert "points" not in data.participants
    fitted, _ = fit_to(with_outcome(plan, "points"), data)
    assert "mine" in [outcome.id for outcome in fitted.outcomes]
    with pytest.raises(ProblemsFound, match="no column 'pints'"):
        fit_to(with_outcome(plan, "pints"), data)


def test_outcomes_of_the_default_plan_that_the_data_lack_are_left_out_and_those_they_have_stay(tmp_path):
    data, _ = trial(tmp_path, "simple")
    whole = Plan.default()
    lacking = {outcome.id for outcome in whole.outcomes if outcome.name not in data.participants} - set(whole.primary)
    fitted, left_out = fit_to(whole, data)
    assert lacking
    assert [outcome.id for outcome in fitted.outcomes] == [o.id for o in whole.outcomes if o.id not in lacking]
    for name in lacking:
        assert any(f"outcomes.{name}.column" in sentence for sentence in left_out)
