"""What a plan chooses: the method of a primary outcome, direct contrasts of arms, margins as primaries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.analysis.oracle_tables import run
from support.analysis.synthetic_trial import Trial, write

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from analysis.pipeline.planning.fallback import choose
from analysis.pipeline.planning.plan import schedule
from study_app.domain.study.analysis_plan import Fallback, Plan

FAST = {"replicates": 199, "covariates": [], "subgroups": []}
THREE = ("no_ai", "ai", "agent")


def primaries(plan, arms=2):
    return [row.id for row in schedule(Plan.model_validate(plan).with_limit(35), arms) if row.role == "primary"]


def analysed(tmp_path, analyses, **trial):
    plan = {**FAST, "analyses": analyses}
    result = analyse(load(write(tmp_path, Trial(n=60, plan=plan, **trial))))
    return {row["id"]: row for row in result["estimates"]}


def test_a_primary_row_of_the_plan_stands_in_place_of_the_usual_one():
    own = {"outcome": "quiz_points", "method": "ancova", "role": "primary", "adjusted": True}
    assert primaries({"analyses": [own]}) == ["quiz_points.ancova", "completion_minutes.rerandomization"]


def test_the_usual_primary_and_the_standard_rows_stay_as_sensitivity_rows():
    own = {"outcome": "quiz_points", "method": "lin", "role": "primary", "adjusted": True}
    rows = schedule(Plan.model_validate({"analyses": [own]}).with_limit(35), 2)
    ids = [row.id for row in rows]
    assert len(ids) == len(set(ids))
    assert {row.id: row.role for row in rows}["quiz_points.rerandomization"] == "sensitivity"
    assert "quiz_points.mann_whitney" in ids


@pytest.mark.slow
def test_a_plan_may_adjust_the_primary_time(tmp_path):
    own = {"outcome": "completion_minutes", "method": "rerandomization", "role": "primary", "adjusted": True}
    plan = {"replicates": 199, "subgroups": [], "analyses": [own]}
    table = Trial(n=60, plan=plan)
    rows = {row["id"]: row for row in analyse(load(write(tmp_path, table)))["estimates"]}
    adjusted, plain = rows["completion_minutes.rerandomization"], rows["completion_minutes.welch_t"]
    assert adjusted["role"] == "primary"
    assert adjusted["p_adjusted"] is not None
    assert adjusted["std_error"] < plain["std_error"]
    assert adjusted["estimate"] != pytest.approx(plain["estimate"])


def test_when_the_model_must_shrink_covariates_go_before_strata():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"arm": ["a", "b"] * 15, "x": rng.normal(size=30), "z": rng.normal(size=30),
                         "site": rng.choice(["u", "v"], 30)})  # fmt: skip
    found = choose(data, ["a", "b"], ["x", "z"], ["site"], Fallback(people_per_covariate=15))
    assert (found.kind, found.covariates, found.strata) == ("ancova", ("x",), ("site",))


def test_two_treated_arms_are_compared_directly(tmp_path):
    analyses = [
        {"outcome": "quiz_points", "method": "welch_t", "contrast": ["agent", "ai"]},
        {"outcome": "quiz_points", "method": "rerandomization", "contrast": ["agent", "ai"], "role": "primary"},
    ]
    trial = Trial(n=60, arms=THREE, plan={**FAST, "analyses": analyses})
    table = trial.table()
    rows = {row["id"]: row for row in analyse(load(write(tmp_path, trial)))["estimates"]}
    one, two = (table.loc[table["arm"] == arm, "quiz_points"] for arm in ("agent", "ai"))
    welch = rows["quiz_points.welch_t.agent_vs_ai"]
    assert tuple(welch["contrast"]) == ("agent", "ai")
    assert welch["p_value"] == pytest.approx(stats.ttest_ind(one, two, equal_var=False).pvalue)
    direct = rows["quiz_points.rerandomization.agent_vs_ai"]
    assert direct["estimate"] == pytest.approx(one.mean() - two.mean())
    assert "logged scheme replayed" in direct["note"]


@pytest.mark.slow
def test_masked_arms_are_not_compared_directly(tmp_path):
    own = {"outcome": "quiz_points", "method": "welch_t", "contrast": ["agent", "ai"]}
    rows = analysed(tmp_path, [own], arms=THREE, state="closed")
    assert rows["quiz_points.welch_t.agent_vs_ai"]["estimate"] is None
    assert "not distinguished yet" in rows["quiz_points.welch_t.agent_vs_ai"]["note"]


def test_equivalence_and_non_inferiority_can_be_primary(tmp_path):
    analyses = [
        {"outcome": "quiz_points", "method": "tost", "role": "primary", "options": {"margin": 30.0}},
        {"outcome": "completion_minutes", "method": "noninferiority", "role": "primary",
         "options": {"margin": 30.0, "better": "lower"}},
    ]  # fmt: skip
    rows = analysed(tmp_path, analyses)
    for name in ("quiz_points.tost", "completion_minutes.noninferiority"):
        assert rows[name]["role"] == "primary"
        assert rows[name]["p_adjusted"] < 1e-6


def test_non_inferiority_is_the_one_sided_t_test_against_the_margin():
    data = Trial(n=60).table().rename(columns={"quiz_points": "score"})
    one, zero = (data.loc[data["arm"] == arm, "score"] for arm in ("ai", "no_ai"))
    call = {"outcome": "score", "arm": "arm", "control": "no_ai", "margin": 1.5}
    higher, lower = run("noninferiority", data, **call), run("noninferiority", data, **call, better="lower")
    want = stats.ttest_ind(one + 1.5, zero, equal_var=False, alternative="greater").pvalue
    assert higher.p_value == pytest.approx(want)
    assert lower.p_value == pytest.approx(stats.ttest_ind(one - 1.5, zero, equal_var=False, alternative="less").pvalue)
    assert (higher.p_value < 0.05) == (higher.ci_low > -1.5)


def test_restricted_means_of_each_arm_end_at_the_horizon_and_count_events(tmp_path):
    plan = {**FAST, "horizon": 20.0, "analyses": [{"outcome": "completion_minutes", "method": "rmst_by_arm"}]}
    plan["analyses"].append({"outcome": "completion_minutes", "method": "rmst"})
    rows = {row["id"]: row for row in analyse(load(write(tmp_path, Trial(n=60, plan=plan))))["estimates"]}
    means = {arm: rows[f"completion_minutes.rmst_by_arm.{arm}"]["estimate"] for arm in ("no_ai", "ai")}
    assert all(mean < 20 for mean in means.values())
    assert means["ai"] - means["no_ai"] == pytest.approx(rows["completion_minutes.rmst"]["estimate"])


def test_a_survival_method_makes_no_row_of_an_outcome_that_is_no_time(tmp_path):
    rows = analysed(tmp_path, [{"outcome": "quiz_points", "method": "rmst_by_arm"}])
    row = rows["quiz_points.rmst_by_arm"]
    assert row["estimate"] is None
    assert "rmst_by_arm takes times, and 'quiz_points' is bounded" in row["note"]


def test_a_plan_may_correlate_an_outcome_with_another_column(tmp_path):
    table = Trial(n=60, plan={**FAST, "analyses": [
        {"outcome": "quiz_points", "method": "spearman", "options": {"x": "warmup_minutes"}}
    ]})  # fmt: skip
    folder = write(tmp_path, table)
    opened = load(folder)
    rows = {row["id"]: row for row in analyse(opened)["estimates"]}
    seen = opened.participants.dropna(subset=["quiz_points", "warmup_minutes"])
    expected = stats.spearmanr(seen["warmup_minutes"], seen["quiz_points"]).statistic
    assert rows["quiz_points.spearman"]["estimate"] == pytest.approx(expected)
