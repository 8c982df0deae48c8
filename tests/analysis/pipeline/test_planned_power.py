"""Power of the registered plan: its own rows, its own rule, and the formulas that it is held against."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from support.warm_processes import run_study

from analysis.design.power import t_test_power
from analysis.pipeline.analyse import analyse_prepared, primary_rows
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.formulas import formulas
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.trial_power import simulated_plan, trial_power
from analysis.pipeline.power.with_margin import row_with_margin, sides_of
from analysis.pipeline.prepare import prepare
from study_app.content.study_file import read_study
from study_app.domain.allocation import Scheme
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Analysis, Plan

ROOT = Path(__file__).parents[3]
SCORE = {"id": "score", "kind": "continuous", "unit": "points"}


@pytest.fixture(scope="module")
def study():
    return read_study(ROOT / "study.toml")


def planned(study, given=None, **plan):
    made = Plan.model_validate(plan).with_limit(35.0) if plan else study.analysis
    return study.model_copy(update={"analysis": made}), given or Assumptions()


def power(study, given=None, sims=60, effect=0.7, n=60, **plan):
    trial, assumed = planned(study, given, **plan)
    found = trial_power(trial, sizes=[n], effects=[effect], sims=sims, workers="1", given=assumed)
    return found["power"][0], found


def test_the_simulated_rows_are_those_of_the_analysis(study):
    trial = PlannedTrial(study, simulated_plan(study.analysis), Assumptions(r2=0.2, dropout=0.1))
    prepared = prepare(trial.dataset(52, 0.7, np.random.default_rng(3)), trial.plan, include_simulated=True)
    whole = [row for row in analyse_prepared(prepared)["estimates"] if row["role"] == "primary"]
    alone = primary_rows(prepared)
    assert [(row["id"], row["p_value"], row["p_adjusted"]) for row in whole] == [
        (row["id"], row["p_value"], row["p_adjusted"]) for row in alone
    ]
    quick = primary_rows(prepared, intervals=False)
    assert [row["p_adjusted"] for row in quick] == [row["p_adjusted"] for row in alone]
    assert all(row["ci_low"] is None for row in quick)


@pytest.mark.parametrize(
    ("method", "options", "effect"),
    [("noninferiority", {"margin": 0.6}, 0.1),
     pytest.param("noninferiority", {"margin": 0.6, "better": "lower"}, -0.1, marks=pytest.mark.slow),
     ("tost", {"margin": 0.8}, 0.1)],
)  # fmt: skip
def test_a_row_with_a_margin_has_the_formula_of_its_one_sided_tests(study, method, options, effect):
    row = {"outcome": "score", "method": method, "role": "primary", "options": options}
    entry, _ = power(study, sims=30, effect=effect, n=60, outcomes=[SCORE], primary=["score"], analyses=[row])
    (found,) = entry["rows"]
    (formula,) = found["formulas"]
    assert found["sides"] == ("two one-sided tests" if method == "tost" else "one-sided")
    assert "one-sided t test" in formula["formula"]
    assert found["simulated"] == pytest.approx(formula["power"], abs=4 * found["mc_error"])
    if method == "noninferiority":
        assert formula["power"] == pytest.approx(t_test_power(0.7, 30, alpha=0.05, alternative="greater"), abs=1e-9)


def test_a_row_is_of_the_analysis_whose_label_it_has():
    given = {"outcome": "score", "method": "tost", "role": "primary"}
    wide, strict = (
        Analysis(**given, options={"margin": margin}, label=label) for margin, label in ((0.8, None), (0.2, "strict"))
    )
    sided = Analysis(outcome="score", method="permutation", options={"alternative": "less"})
    for plan in ((wide, strict, sided), (sided, strict, wide)):
        assert row_with_margin(plan, "score.tost.strict.ai") == row_with_margin(plan, "score.tost.strict") == strict
        assert row_with_margin(plan, "score.tost.ai") == wide
        assert row_with_margin(plan, "score.permutation") is None
        assert sides_of(plan, "score.permutation.ai") == "one-sided"
        assert sides_of(plan, "score.rerandomization") == "two-sided"


def test_every_formula_states_level_outcome_contrast_and_family(study):
    entry, found = power(study, sims=10)
    assert found["multiplicity"] == "holm"
    assert found["family"] == len(entry["rows"]) == 2
    for row in entry["rows"]:
        levels = {formula["alpha"] for formula in row["formulas"]}
        assert levels == {0.05, 0.025}
        for formula in row["formulas"]:
            assert (formula["outcome"], formula["contrast"], formula["family"]) == (row["outcome"], ("ai", "no_ai"), 2)
    first = entry["rows"][0]["formulas"]
    assert first[0]["power"] == pytest.approx(t_test_power(0.7, 30, alpha=0.05), abs=1e-12)
    assert first[1]["power"] == pytest.approx(t_test_power(0.7, 30, alpha=0.025), abs=1e-12)
    assert any("Schoenfeld" in formula["formula"] for formula in entry["rows"][1]["formulas"])


@pytest.mark.slow
def test_the_simulation_agrees_with_the_formula_where_it_is_exact(study):
    entry, _ = power(study, sims=80, outcomes=[SCORE], covariates=[])
    (row,) = entry["rows"]
    exact = t_test_power(0.7, 30)
    assert row["formulas"][0]["power"] == pytest.approx(exact)
    assert abs(row["simulated"] - exact) < 4 * np.sqrt(exact * (1 - exact) / 80)


@pytest.mark.parametrize(
    "plan",
    [
        {"covariates": []},
        {"covariates": [{"column": "quiz_points"}]},
        {"analyses": [{"outcome": "score", "method": "welch_t", "role": "primary"}]},
    ],
    ids=["no covariate", "one that is not measured before allocation", "none that enters"],
)
def test_what_no_covariate_explains_cannot_be_assumed(study, plan):
    one = {"outcomes": [SCORE], "covariates": [{"column": "warmup_minutes"}]} | plan
    with pytest.raises(ProblemsFound, match="--r2: no covariate of the plan enters the comparison"):
        power(study, Assumptions(r2=0.3), sims=10, **one)


@pytest.mark.slow
def test_covariates_dropout_and_the_family_move_the_power_as_they_must(study):
    one = {"outcomes": [SCORE], "covariates": [{"column": "warmup_minutes"}]}
    base, explained, dropped = (
        power(study, given, sims=40, effect=0.55, **one)[0]["rows"][0]
        for given in (Assumptions(), Assumptions(r2=0.75), Assumptions(dropout=0.7))
    )
    assert dropped["simulated"] < base["simulated"] < explained["simulated"]
    assert dropped["formulas"][0]["power"] < base["formulas"][0]["power"] < explained["formulas"][0]["power"]


@pytest.mark.parametrize("censored", ["right", "at_cap"])
def test_the_events_of_a_formula_lose_dropouts_once(study, censored):
    times = {"id": "completion_minutes", "kind": "time", "event": "completion_event", "censored": censored}
    given = Assumptions(dropout=0.5, incomplete=0.2)
    entry, _ = power(study, given, sims=2, effect=0.0, n=100, outcomes=[times], primary=["completion_minutes"])
    (found,) = [each for each in entry["rows"][0]["formulas"] if "Schoenfeld" in each["formula"]]
    assert "40.0 events" in found["formula"]  # 100 people, half of whom left, and 80 % of the others finish


def test_several_arms_and_outcomes_of_every_kind_are_simulated_row_by_row(study):
    arms = (*study.arms, study.arms[1].model_copy(update={"id": "hints", "label": "Hints"}))
    several = study.model_copy(update={"arms": arms, "allocation": Scheme()})
    outcomes = [
        {"id": "passed", "kind": "binary"},
        {"id": "errors", "kind": "count"},
        {"id": "grade", "kind": "ordinal"},
        {"id": "points", "kind": "bounded", "upper": 20},
        {"id": "completion_minutes", "kind": "time", "event": "completion_event"},
    ]
    names = [outcome["id"] for outcome in outcomes]
    entry, found = power(several, sims=10, n=90, outcomes=outcomes, primary=names)
    assert found["family"] == 2 * len(names)
    assert [row["id"].split(".")[-1] for row in entry["rows"][:2]] == ["ai", "hints"]
    assert all(row["not_estimable"] == 0 for row in entry["rows"])
    assert "two proportions" in entry["rows"][0]["formulas"][0]["formula"]


@pytest.mark.slow
def test_clusters_are_allocated_and_analysed_whole(study):
    clusters = study.model_copy(update={"allocation": Scheme(method="cluster", cluster="label")})
    given = Assumptions(icc=0.2, cluster_size=5)
    trial = PlannedTrial(clusters, simulated_plan(study.analysis), given)
    prepared = prepare(trial.dataset(60, 0.7, np.random.default_rng(1)), trial.plan, include_simulated=True)
    data = prepared.frame.data
    assert data.groupby(prepared.frame.cluster)["arm"].nunique().max() == 1
    assert "of 12 clusters" in primary_rows(prepared, intervals=False)[0]["note"]
    entry, _ = power(clusters, given, sims=10)
    alone, _ = power(study, given, sims=10)
    pair = (entry["rows"][0]["formulas"][0], alone["rows"][0]["formulas"][0])
    assert pair[0]["n"]["ai"] == pytest.approx(pair[1]["n"]["ai"] / 1.8)


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_answer(study):
    trial, given = planned(study, outcomes=[SCORE])
    one, two = (
        trial_power(trial, sizes=[30], effects=[0.8], sims=40, workers=workers, given=given) for workers in ("1", "2")
    )
    assert one == two


def test_shares_outside_of_their_range_are_refused_together():
    with pytest.raises(ProblemsFound) as found:
        Assumptions(r2=1.2, dropout=-0.1, correlation=1.0, cluster_size=0).check()
    assert [problem.file for problem in found.value.problems] == ["--r2", "--dropout", "--correlation", "--r2",
                                                                  "--cluster-size"]  # fmt: skip


@pytest.mark.parametrize(
    "ending", ["svg", pytest.param("png", marks=pytest.mark.slow), pytest.param("pdf", marks=pytest.mark.slow)]
)
@pytest.mark.slow
def test_the_command_draws_the_curve(tmp_path, ending):
    figure = tmp_path / f"power.{ending}"
    sizes = [24] if ending == "svg" else [24, 48]
    command = ["power", ROOT / "study.toml", "--sims", "10", *(f"--n={size}" for size in sizes), "--effect", "0.8"]
    options = ["--workers", "1", "--json", "--figure", figure]
    done = run_study([*command, *options], cwd=tmp_path, environment=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert [entry["n"] for entry in json.loads(done.stdout)["power"]] == sizes
    start = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}[ending]
    assert figure.read_bytes().startswith(start)


def test_the_formula_of_clusters_counts_with_clusters_and_with_what_covariates_and_losses_leave(study):
    plan, given = simulated_plan(study.analysis), Assumptions(r2=0.2, icc=0.1, cluster_size=6, dropout=0.2)
    outcome = plan.outcome("quiz_points")
    (row, *_) = formulas(plan, outcome, ("ai", "no_ai"), (30, 30), 0.8, given, 1, clustered=True)
    # 4.8 people of each cluster stay, and of the variance that is left an eighth lies between clusters.
    inflation = 1 + 3.8 * 0.125
    assert row.n["ai"] == pytest.approx(24 / inflation)
    shift = 0.8 / np.sqrt(0.8) * np.sqrt(24 / inflation / 2)
    edge = stats.t.isf(0.025, 8)
    assert row.power == pytest.approx(stats.nct.sf(edge, 8, shift) + stats.nct.cdf(-edge, 8, shift))
    assert "10 clusters with a design effect of 1.48" in row.formula
    # 400 simulated trials, a re-randomisation of clusters each, rejected in 62 %.
    assert row.power == pytest.approx(0.6175, abs=0.05)
