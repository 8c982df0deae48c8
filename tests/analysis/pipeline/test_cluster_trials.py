"""People allocated in clusters: every row takes account of it, from a table or from an export, or says why not."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import tomli_w
from support.analysis.oracle_tables import run

from analysis.cli import analyze
from analysis.data.load import load
from analysis.data.quizzes import QuizItems
from analysis.estimators.core.request import AnalysisError
from analysis.pipeline.analyse import analyse
from analysis.pipeline.items.item_rows import item_rows
from analysis.pipeline.prepare import prepare
from study_app.domain.study.analysis_plan import Plan, read_plan

PLAN = {
    "control": "plain", "primary": ["score"], "covariates": [], "subgroups": [{"column": "sex"}], "replicates": 199,
    "cluster": "school",
    "outcomes": [
        {"id": "score", "kind": "continuous"},
        {"id": "minutes", "kind": "time", "cap": 40, "event": "done", "censored": "right"},
        {"id": "passed", "kind": "binary"},
        {"id": "errors", "kind": "count"},
    ],
}  # fmt: skip


def trial(clusters=20, size=6, icc=0.3, effect=-4.0, seed=1):
    """A made-up trial: every second school treated."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(clusters), size)
    treated = school % 2
    between = rng.normal(0, np.sqrt(icc), clusters)[school]
    latent = between + rng.normal(0, np.sqrt(1 - icc), len(school))
    minutes = 25 - 6 * latent - 3 * treated
    return pd.DataFrame({
        "participant_id": np.arange(len(school)), "arm": np.where(treated, "ai", "plain"),
        "school": [f"s{value}" for value in school], "score": 20 + 4 * latent + effect * treated,
        "sex": rng.choice(["f", "m"], len(school)), "minutes": minutes.clip(1, 40), "done": (minutes < 40) * 1,
        "passed": (latent + 0.5 * treated > 0) * 1, "errors": rng.poisson(np.exp(0.5 + 0.5 * between)),
    })  # fmt: skip


def written(folder, table):
    table.to_csv(folder / "trial.csv", index=False)
    plan = read_plan(PLAN, file="plan.toml", key="")
    return analyse(load(folder / "trial.csv", plan.columns), plan)


def by_id(result):
    return {row["id"]: row for row in result["estimates"]}


def test_every_row_of_a_cluster_trial_takes_account_of_it_or_says_why_not(tmp_path):
    result = written(tmp_path, trial())
    about = ("mean", "worst_case", "interaction")
    stated = [row for row in result["estimates"] if row["method"] not in about and "not estimable" not in row["note"]]
    assert [row["id"] for row in stated if "clusters" not in row["detail"]] == []
    rows = by_id(result)
    primary = rows["score.rerandomization"]
    assert primary["ci_low"] < -4 < primary["ci_high"]
    assert primary["detail"]["clusters_per_arm"] == {"plain": 10, "ai": 10}
    assert primary["detail"]["icc"] == pytest.approx(0.3, abs=0.2)
    assert rows["score.welch_t"]["std_error"] == pytest.approx(rows["score.lin"]["std_error"])
    assert rows["score.mixed_model"]["df"] < 30
    assert "score.interaction.sex" in rows
    assert rows["score.interaction.sex"]["detail"]["vcov"] == "CR2"
    assert {"passed.newcombe", "errors.poisson", "minutes.rmst"} <= set(rows)
    assert not {"passed.fisher", "minutes.logrank"} & set(rows)
    # Over clusters Brunner-Munzel would be the row of Mann-Whitney again: one estimate, one error.
    assert "score.mann_whitney" in rows
    assert "score.brunner_munzel" not in rows
    assert not any("Few clusters" in text for text in result["warnings"])


@pytest.mark.slow
def test_the_row_of_items_says_which_model_takes_the_place_of_the_one_with_a_random_person(tmp_path):
    trial(8).to_csv(tmp_path / "trial.csv", index=False)
    plan = read_plan(PLAN, file="plan.toml", key="")
    prepared = prepare(load(tmp_path / "trial.csv", plan.columns), plan)
    people = prepared.frame.population("itt")["participant_id"]
    answers = pd.MultiIndex.from_product([people, ["one", "two", "three"]], names=["participant_id", "item"])
    answers = answers.to_frame(index=False).assign(points=np.random.default_rng(3).integers(0, 2, 3 * len(people)))
    quiz = QuizItems("quiz", "main", "Quiz", answers, None)
    (row,) = item_rows(prepared.frame, prepared.fitted, prepared.view, [quiz])
    assert (row.id, row.method) == ("quiz_items.mixed_logit", "fractional_logit")
    assert row.note.startswith("people came in clusters, so logistic regression of answers in place of the model with")


def test_errors_over_clusters_are_wider_than_those_that_take_people_as_independent(tmp_path):
    table = trial(icc=0.5)
    clustered = {row["id"]: row for row in written(tmp_path, table)["estimates"]}
    for method, outcome, options in (
        ("newcombe", "passed", {}),
        ("welch_t", "score", {}),
        ("rmst", "minutes", {"event": "done", "horizon": 40}),
        ("mann_whitney", "score", {}),
    ):
        plain = run(method, table, outcome=outcome, arm="arm", control="plain", **options)
        plain = plain[0] if isinstance(plain, list) else plain
        row = clustered[f"{outcome}.{method}"]
        assert row["estimate"] == pytest.approx(plain.estimate)
        assert row["ci_high"] - row["ci_low"] > plain.ci_high - plain.ci_low


def test_few_clusters_are_warned_of(tmp_path):
    warnings = written(tmp_path, trial(clusters=10))["warnings"]
    assert any(text.startswith("Few clusters (5 in plain, 5 in ai; 8 an arm are advised)") for text in warnings)


@pytest.mark.slow
def test_people_without_a_cluster_count_as_clusters_alone(tmp_path):
    table = trial()
    table.loc[[3, 40], "school"] = None
    result = written(tmp_path, table)
    assert "2 people have no school: each counts as a cluster alone." in result["warnings"]
    assert next(row for row in result["estimates"] if row["id"] == "score.lin")["detail"]["clusters"] == 22


def test_an_explicit_method_that_takes_people_as_independent_gives_a_reason(tmp_path):
    table = trial()
    table.to_csv(tmp_path / "trial.csv", index=False)
    plan = Plan.model_validate(PLAN | {"analyses": [{"outcome": "passed", "method": "fisher"}]})
    rows = analyse(load(tmp_path / "trial.csv"), plan)["estimates"]
    (row,) = [row for row in rows if row["id"] == "passed.fisher"]
    assert row["estimate"] is None
    assert "fisher takes people as independent, and they were allocated in clusters" in row["note"]


def test_leaving_out_single_people_gives_the_hc3_error_of_statsmodels():
    table = trial().assign(person=lambda t: t["participant_id"].astype(str))
    row = run("newcombe", table, outcome="passed", arm="arm", control="plain", cluster="person")
    design = sm.add_constant((table["arm"] == "ai").astype(float))
    fitted = sm.OLS(table["passed"], design).fit(cov_type="HC3")
    n = len(table)
    assert row.std_error == pytest.approx(fitted.bse.iloc[1] * np.sqrt((n - 1) / n), rel=1e-9)


def test_leaving_out_schools_gives_the_cr3_error_of_the_difference():
    table = trial()
    row = run("newcombe", table, outcome="passed", arm="arm", control="plain", cluster="school")
    gaps = []
    for school in table["school"].unique():
        rest = table[table["school"] != school].groupby("arm")["passed"].mean()
        gaps.append(rest["ai"] - rest["plain"])
    spread = np.sqrt(19 / 20 * ((np.asarray(gaps) - row.estimate) ** 2).sum())
    assert (row.std_error, row.df) == (pytest.approx(spread, rel=1e-12), 18.0)
    assert row.detail["clusters"] == 20


@pytest.mark.parametrize(
    ("method", "outcome", "option"),
    [("poisson", "errors", {"vcov": "HC1"}), ("mann_whitney", "score", {"alternative": "less"})],
)
def test_options_about_independent_people_are_refused_beside_clusters(method, outcome, option):
    with pytest.raises(AnalysisError, match="takes no account of clusters"):
        run(method, trial(), outcome=outcome, arm="arm", control="plain", cluster="school", **option)


def test_an_arm_that_is_one_cluster_has_no_error_and_says_so():
    table = trial(clusters=4)
    table = table[~table["school"].eq("s2")]
    row = run("newcombe", table, outcome="passed", arm="arm", control="plain", cluster="school")
    assert row.p_value is None
    assert "without cluster 's0' nothing can be estimated" in row.note


def test_everyone_in_a_cluster_has_the_stratum_that_the_cluster_was_allocated_in(tmp_path):
    table = trial().assign(stratum="level=low", allocation_index=lambda data: range(len(data), 0, -1))
    own = table.groupby("school").cumcount() == 5  # the last row of each school is its first in the ledger
    table.loc[own & (table["school"].str[1:].astype(int) % 4 < 2), "stratum"] = "level=high"
    rows = [
        {"outcome": "score", "method": "permutation", "role": "sensitivity", "adjusted": True},
        {"outcome": "score", "method": "lin", "role": "sensitivity", "adjusted": True},
    ]
    table.to_csv(tmp_path / "trial.csv", index=False)
    plan = read_plan(PLAN | {"subgroups": [], "analyses": rows}, file="plan", key="")
    dataset = load(tmp_path / "trial.csv", plan.columns)
    prepared = prepare(dataset, plan)
    strata = prepared.frame.data.groupby("school")["_stratum_level"].unique()
    assert {school: list(found) for school, found in strata.items()} == {
        school: ["high" if int(school[1:]) % 4 < 2 else "low"] for school in strata.index
    }
    found = by_id(analyse(dataset, plan))
    assert found["score.permutation"]["p_value"] is not None, found["score.permutation"]["note"]
    assert found["score.lin"]["estimate"] is not None


@pytest.mark.parametrize("strata", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_table_of_clusters_has_a_supplement_that_allocates_whole_clusters(tmp_path, strata):
    table = trial(clusters=12)
    table["stratum"] = np.where(table["school"].isin([f"s{k}" for k in range(6)]), "north", "south")
    table = table if strata else table.drop(columns="stratum")
    table.to_csv(tmp_path / "trial.csv", index=False)
    (tmp_path / "plan.toml").write_text(tomli_w.dumps({**PLAN, "outcomes": PLAN["outcomes"][:1]}))
    analyze(tmp_path / "trial.csv", tmp_path / "out", plan=tmp_path / "plan.toml")
    made = tmp_path / "out" / "supplement"
    drawn = np.array([list(line) for line in (made / "assignments.txt").read_text().split()])
    # Of 12 clusters without strata there are so few assignments that the test rests on all of them.
    assert len(drawn) == (199 if strata else 924)
    for school in table["school"].unique():
        own = drawn[:, (table["school"] == school).to_numpy()]
        assert (own == own[:, :1]).all()
    done = subprocess.run([sys.executable, "-I", "recompute.py"], cwd=made, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_adjusted_odds_ratio_of_a_binary_outcome_needs_no_highest_value(tmp_path):
    """statsmodels Logit of the same people."""
    table = trial().drop(columns="school")
    row = {"outcome": "passed", "method": "fractional_logit", "role": "secondary", "options": {"vcov": "classical"}}
    plan = {key: value for key, value in PLAN.items() if key != "cluster"} | {"analyses": [row]}
    table.to_csv(tmp_path / "trial.csv", index=False)
    found = analyse(load(tmp_path / "trial.csv", {}), read_plan(plan, file="plan.toml", key=""))
    want = sm.Logit(table["passed"], sm.add_constant((table["arm"] == "ai") * 1.0)).fit(disp=0)
    made = by_id(found)["passed.fractional_logit"]
    assert (made["estimate"], made["std_error"]) == pytest.approx((want.params.iloc[1], want.bse.iloc[1]), rel=1e-6)


def test_who_withdrew_the_data_is_no_further_cluster(tmp_path):
    table = trial(clusters=10)
    table["status"] = "completed"
    table.loc[[3, 40], ["school", "status", "score"]] = [None, "withdrawn", None]
    table.to_csv(tmp_path / "trial.csv", index=False)
    plan = read_plan(PLAN | {"columns": {"status": "status"}}, file="plan.toml", key="")
    result = analyse(load(tmp_path / "trial.csv", plan.columns), plan)
    assert result["flow"]["clusters"] == {arm: {"allocated": 5, "analysed": 5} for arm in ("plain", "ai")}
    assert any(text.startswith("Few clusters (5 in plain, 5 in ai;") for text in result["warnings"])
    assert any(text.startswith("2 people have no school, for their data were withdrawn") for text in result["warnings"])
