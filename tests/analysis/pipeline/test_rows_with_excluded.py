"""Primary rows once more with those excluded after allocation: within people, and while the arms are masked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.analysis.synthetic_trial import Trial, write

from analysis.cli import analyze
from analysis.data.dataset import Dataset
from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.prepare import Prepared, prepare
from analysis.pipeline.recomputing import recomputed
from study_app.content.study_file import read_study
from study_app.domain.study.analysis_plan import Plan

ROOT = Path(__file__).parents[3]
ASKED = {"outcome": "quiz_points", "method": "crossover", "role": "primary"}


def crossover(excluded: int, *more: dict[str, str]) -> tuple[Prepared, Dataset]:
    """A made-up trial of the shipped crossover, of which the first people were excluded afterwards."""
    study = read_study(ROOT / "examples" / "crossover" / "study.toml")
    plan = Plan.model_validate(
        {"outcomes": [{"id": "quiz_points", "kind": "continuous"}], "primary": ["quiz_points"], "covariates": [],
         "subgroups": [], "estimands": [], "strata": False, "replicates": 199, "analyses": [ASKED, *more]}
    )  # fmt: skip
    trial = PlannedTrial(study.model_copy(update={"analysis": plan}), plan, Assumptions(periods=0.5))
    data = trial.dataset(20, 0.4, np.random.default_rng(2))
    data.participants["status"] = data.participants["status"].astype(object)
    data.participants.loc[: excluded - 1, "status"] = "excluded"
    return prepare(data, plan, include_simulated=True), data


def differences(data: Dataset, people: pd.Series) -> tuple[float, float]:
    """Mean difference within people, and p of Student's test of half-differences between the two orders."""
    wide = data.tables["periods"].pivot_table(index="participant_id", columns="period", values="points").loc[people]
    first = data.tables["periods"].query("period == 1").set_index("participant_id")["treatment"].loc[people]
    half = (wide[2] - wide[1]) / 2
    control = read_study(ROOT / "examples" / "crossover" / "study.toml").control.id
    sides = half[first == control], half[first != control]
    return float(sides[0].mean() - sides[1].mean()), float(stats.ttest_ind(*sides).pvalue)


def test_a_sequence_of_treatments_has_its_primary_row_once_more_with_the_excluded():
    prepared, data = crossover(3)
    rows = {row["id"]: row for row in analyse_prepared(prepared)["estimates"]}
    usual, everyone = rows["quiz_points.crossover"], rows["quiz_points.crossover.with_excluded"]
    people = data.participants["participant_id"]
    assert (usual["estimate"], usual["p_value"]) == pytest.approx(differences(data, people[3:]))
    assert (everyone["estimate"], everyone["p_value"]) == pytest.approx(differences(data, people))
    assert (everyone["role"], everyone["population"]) == ("sensitivity", "with_excluded")
    assert everyone["note"].startswith("Everyone allocated, in the order allocated, those excluded afterwards with")


def test_without_an_exclusion_a_sequence_has_no_such_row():
    prepared, _ = crossover(0)
    assert [row.population for row in prepared.analyses] == ["itt"] * len(prepared.analyses)


def test_the_supplement_of_a_sequence_leaves_a_primary_row_with_the_excluded_out_and_says_why():
    asked = {"outcome": "quiz_points", "method": "rerandomization", "role": "primary", "population": "with_excluded"}
    prepared, _ = crossover(3, asked)
    found = recomputed(prepared, analyse_prepared(prepared)["estimates"], prepared.plan.seed)
    assert found is not None
    assert "people who were excluded" in found.left_out["quiz_points.rerandomization.with_excluded"]


@pytest.mark.parametrize("state", ["closed", pytest.param("unsealed", marks=pytest.mark.slow)])
def test_while_the_arms_are_masked_the_row_has_the_excluded_in_their_masked_arms(tmp_path, state):
    trial = Trial(n=24, state=state, plan={"replicates": 99, "primary": ["quiz_points"]}, answers=False)
    table = trial.table()
    gone = table.index[table["arm"] == "ai"][:3]
    table.loc[gone, "status"] = "excluded"
    out = analyze(write(tmp_path / "data", trial, table), tmp_path / "out").out
    result = json.loads((out / "results.json").read_text(encoding="utf-8"))
    (row,) = [row for row in result["estimates"] if row["population"] == "with_excluded"]
    by_arm = table.groupby("arm")["quiz_points"].mean()
    assert result["masked"] == (state == "closed")
    assert sum(row["n"].values()) == 24
    if state == "unsealed":
        return
    assert not set(row["n"]) & {"ai", "no_ai"}
    plain = Trial(n=24, state="closed", plan={"replicates": 99, "primary": ["quiz_points"], "covariates": [],
                  "analyses": [{"outcome": "quiz_points", "method": "welch_t", "population": "with_excluded"}]},
                  answers=False)  # fmt: skip
    again = analyze(write(tmp_path / "more", plain, table), tmp_path / "again").out
    rows = {row["id"]: row for row in json.loads((again / "results.json").read_text(encoding="utf-8"))["estimates"]}
    masked = rows["quiz_points.welch_t.with_excluded"]["estimate"]
    assert abs(masked) == pytest.approx(abs(by_arm["ai"] - by_arm["no_ai"]))
