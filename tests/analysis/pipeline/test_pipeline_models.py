"""The primary model of the plan: covariates interacted, strata as main effects, and the declared way down from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from support.analysis.synthetic_trial import Trial, write

from analysis.data.load import load
from analysis.data.view import view
from analysis.pipeline.analyse import analyse
from analysis.pipeline.analysis_table import build
from analysis.pipeline.planning.fallback import choose
from analysis.pipeline.planning.plan import schedule
from analysis.pipeline.trial_ledger import within
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Fallback, Plan

FAST = {"replicates": 199}


def row(result, name):
    return next(entry for entry in result["estimates"] if entry["id"] == name)


def fitted(table, outcome, factors):
    """Lin's model by statsmodels: years and warm-up centred and interacted, the factors' levels as main effects."""
    treated = (table["arm"] == "ai").to_numpy(dtype=float)[:, None]
    x = table[["warmup_minutes", "years_python"]].to_numpy(dtype=float)
    x = x - x.mean(axis=0)
    levels = [pd.get_dummies(table[name], drop_first=True).to_numpy(dtype=float) for name in factors]
    design = np.column_stack([np.ones(len(table)), treated, x, treated * x, *levels])
    design = design[:, [i for i in range(design.shape[1]) if _new(design, i)]]
    model = sm.OLS(table[outcome].to_numpy(dtype=float), design).fit(cov_type="HC3", use_t=True)
    return model.params[1], model.bse[1], model.df_resid


def _new(design, index):
    return np.linalg.matrix_rank(design[:, : index + 1]) > np.linalg.matrix_rank(design[:, :index])


ONE_FACTOR = [pytest.param((name,), marks=pytest.mark.slow) for name in ("years_python", "python_weekly")]


@pytest.mark.parametrize("factors", [*ONE_FACTOR, ("python_weekly", "years_python")])
def test_strata_enter_the_primary_model_as_main_effects_and_nothing_else(tmp_path, factors):
    trial = Trial(n=90, strata=factors, plan=FAST)
    result = analyse(load(write(tmp_path, trial)))
    estimate, error, df = fitted(trial.table(), "quiz_points", factors)
    for name in ("quiz_points.rerandomization", "quiz_points.lin"):
        found = row(result, name)
        assert (found["estimate"], found["std_error"]) == pytest.approx((estimate, error), rel=1e-9)
        assert found["df"] == df
    assert not any("left" in text for text in result["deviations"])


def test_strata_may_be_left_out_of_the_model_and_still_bind_the_permutation(tmp_path):
    trial = Trial(n=60, strata=("years_python",), plan={**FAST, "strata": False})
    folder = write(tmp_path, trial)
    next((folder / "data").glob("*allocations*")).unlink()
    found = row(analyse(load(folder)), "quiz_points.rerandomization")
    assert (found["estimate"], found["std_error"]) == pytest.approx(fitted(trial.table(), "quiz_points", ())[:2])
    assert "labels permuted within strata" in found["note"]
    assert "logged scheme" not in found["note"]


@pytest.mark.slow
def test_without_a_ledger_a_step_down_still_permutes_within_strata(tmp_path):
    folder = write(tmp_path, n=24, strata=("years_python",), plan=FAST)
    next((folder / "data").glob("*allocations*")).unlink()
    note = row(analyse(load(folder)), "quiz_points.rerandomization")["note"]
    assert "ANCOVA" in note
    assert "labels permuted within strata" in note


def test_labels_permuted_within_strata_keep_each_stratums_counts():
    strata, arm = pd.Series(list("xxxxyyy")), pd.Series(list("aabbabb"))
    drawn = within(strata, arm, ("b", "a"))(50, np.random.default_rng(1))
    assert (drawn[:, :4].sum(axis=1) == 2).all()
    assert (drawn[:, 4:].sum(axis=1) == 1).all()
    assert len(np.unique(drawn, axis=0)) > 5


def people(n, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "arm": np.tile(["no_ai", "ai"], n // 2),
            "one": rng.normal(size=n),
            "two": rng.normal(size=n),
            "site": np.tile(["p", "p", "q", "q", "r", "r"], n)[:n],
        }
    )


def chosen(data, covariates=("one", "two"), strata=(), **rule):
    return choose(data, ("no_ai", "ai"), covariates, strata, Fallback(**rule))


def test_more_covariates_than_a_fifteenth_of_the_people_leave_lins_model():
    assert chosen(people(30)).kind == "lin"
    step = chosen(people(28))
    assert (step.kind, step.covariates, step.reason) == ("ancova", ("one",), "2 covariates for 28 people")
    assert chosen(people(14)).kind == "mean"


def test_strata_count_by_what_they_add_to_the_covariates():
    data = people(60).assign(score=lambda d: d["site"].map({"p": 1.0, "q": 2.0, "r": 3.0}))
    assert chosen(data, ("score",), ("site",), people_per_covariate=30).kind == "lin"
    assert chosen(data, ("score", "one"), ("site",), people_per_covariate=30).kind == "ancova"


def test_a_step_down_keeps_strata_where_they_fit():
    data = people(60)
    step = chosen(data.assign(one=np.eye(60)[0] * 50), ("one", "two"), ("site",))
    assert (step.kind, step.covariates, step.strata) == ("ancova", ("two",), ("site",))
    assert "leverage" in step.reason


@pytest.mark.slow
def test_one_missing_covariate_does_not_cost_the_others(tmp_path):
    table = Trial(n=60).table()
    table.loc[3, "warmup_minutes"] = np.nan
    result = analyse(load(write(tmp_path, Trial(n=60, plan=FAST), table)))
    found = row(result, "quiz_points.rerandomization")
    assert found["p_value"] is not None
    assert "ANCOVA with HC2 on warmup_minutes, years_python" in found["note"]
    assert any("1 missing values have the mean and an indicator" in text for text in result["deviations"])
    assert any("largest leverage 1.000" in text for text in result["deviations"])


def test_bounds_stand_beside_a_primary_score_whatever_else_the_plan_lists():
    mine = Plan.model_validate({"analyses": [{"outcome": "quiz_points", "method": "lee_bounds"}]})
    found = [(row.outcome, row.method) for row in schedule(mine, 2)]
    assert found.count(("quiz_points", "lee_bounds")) == found.count(("quiz_points", "worst_case")) == 1
    assert ("completion_minutes", "lee_bounds") not in found


def test_a_graph_of_another_size_than_the_primary_rows_is_refused(tmp_path):
    graph = {"method": "graphical", "weights": [0.5, 0.5], "transitions": [[0, 1], [1, 0]]}
    plan = {**FAST, "multiplicity": graph, "analyses": [{"outcome": "quiz_points", "method": "welch_t"}]}
    with pytest.raises(ProblemsFound, match="2 weights for 4 primary rows.*completion_minutes.rerandomization.more"):
        analyse(load(write(tmp_path, Trial(n=30, arms=("no_ai", "ai", "more"), plan=plan))))


def test_who_did_not_finish_counts_with_the_cap_which_outages_do_not_move(tmp_path):
    table = Trial(n=24).table()
    table.loc[[1, 2], ["completion_event", "task_completed"]] = 0
    table.loc[[1, 2], "completion_minutes"] = np.nan
    table.loc[1, "outage_minutes"] = 2.5
    shown = view(load(write(tmp_path, Trial(n=24), table)), seed=1)
    data = build(shown, Plan().with_limit(35)).data
    assert list(data["completion_minutes"][[1, 2]]) == [35.0, 35.0]


def test_a_rerandomisation_of_what_was_received_is_refused_with_the_reason(tmp_path):
    rows = [{"outcome": "quiz_points", "method": "rerandomization", "population": "as_treated"}]
    result = analyse(load(write(tmp_path, Trial(plan={**FAST, "analyses": rows}))))
    assert "was not allocated" in row(result, "quiz_points.rerandomization.as_treated")["note"]
