"""The family of primary tests: one for each contrast of an analysis, whatever scales its rows are stated on."""

from __future__ import annotations

import numpy as np
import pytest
from support.analysis.method_rows import MARGINS, ROWS, plan, row_of, table, unlisted

from analysis.data.load import load
from analysis.pipeline.analyse import primary_rows
from analysis.pipeline.looks import one_look
from analysis.pipeline.planning.family_check import tests_of as counted
from analysis.pipeline.power.staged_trials import stopped_trial
from analysis.pipeline.prepare import prepare
from study_app.domain.study.analysis_plan import Analysis, Plan

ARMS = {2: ("old", "new"), 3: ("old", "new", "third")}


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("family")
    for count, arms in ARMS.items():
        table(arms).to_csv(folder / f"{count}.csv", index=False)

    def rows(arms, *planned, **keys):
        given = Plan.model_validate(plan(*planned, **keys))
        return primary_rows(prepare(load(folder / f"{arms}.csv", {}), given), intervals=False)

    return rows


def test_every_method_of_the_page_is_in_the_table_of_methods():
    assert unlisted() == set()


def test_a_restricted_mean_is_one_test_and_its_ratio_a_secondary_row(trial):
    found = {row["id"]: row for row in trial(2, row_of("rmst"))}
    assert [found[name]["role"] for name in ("minutes.rmst", "minutes.rmst.ratio")] == ["primary", "secondary"]
    assert found["minutes.rmst"]["p_adjusted"] == found["minutes.rmst"]["p_value"]
    assert found["minutes.rmst.ratio"]["p_adjusted"] is None


def test_a_graph_has_a_weight_for_each_contrast_and_none_for_its_ratio(trial):
    rule = {"method": "graphical", "weights": [0.5, 0.5], "transitions": [[0, 1], [1, 0]]}
    found = trial(2, row_of("rmst"), row_of("welch_t"), multiplicity=rule)
    assert [row["p_adjusted"] is not None for row in found] == [True, False, True]


@pytest.mark.parametrize("method", ["anova", "kruskal"])
def test_a_test_of_all_arms_stays_one_where_an_arm_has_no_people(tmp_path, method):
    row = row_of(method)
    people = table(ARMS[3])
    people.loc[people["arm"] == "third", row["outcome"]] = None
    people.to_csv(tmp_path / "data.csv", index=False)
    rule = {"method": "graphical", "weights": [1.0], "transitions": [[0]]}
    (found,) = primary_rows(prepare(load(tmp_path / "data.csv", {}), Plan.model_validate(plan(row, multiplicity=rule))))
    assert found["p_adjusted"] == found["p_value"]
    assert "no participants to analyse in third" in found["note"]


@pytest.mark.parametrize("empty", ["third", pytest.param("first", marks=pytest.mark.slow)])
def test_every_pair_of_arms_has_its_row_in_the_order_of_the_weights_where_an_arm_has_no_people(tmp_path, empty):
    row, arms = row_of("tukey_hsd"), ARMS[3]
    people = table(arms)
    lacking = arms[-1] if empty == "third" else arms[1]
    people.loc[people["arm"] == lacking, row["outcome"]] = None
    people.to_csv(tmp_path / "data.csv", index=False)
    rule = {"method": "graphical", "weights": [0.2, 0.3, 0.5], "transitions": [[0, 1, 0], [0, 0, 1], [1, 0, 0]]}
    given = Plan.model_validate(plan(row, multiplicity=rule))
    found = primary_rows(prepare(load(tmp_path / "data.csv", {}), given))
    pairs = [(later, arm) for place, arm in enumerate(arms) for later in arms[place + 1 :]]
    assert [tuple(each["contrast"]) for each in found] == pairs
    assert len({each["id"] for each in found}) == counted(given.analyses[0], len(arms)) == 3
    assert [each["p_value"] is None for each in found] == [lacking in pair for pair in pairs]


def test_a_look_and_a_trial_with_looks_count_a_restricted_mean_once(tmp_path, monkeypatch):
    rule = {"method": "graphical", "weights": [1.0], "transitions": [[0]]}
    stopping = {"kind": "obrien_fleming", "looks": [0.5, 1.0]}
    given = Plan.model_validate(plan(row_of("rmst"), multiplicity=rule, stopping=stopping))
    table(n=60).assign(allocation_index=range(1, 61)).to_csv(tmp_path / "data.csv", index=False)
    dataset = load(tmp_path / "data.csv", {})
    trial = stopped_trial(given, dataset, 60, np.random.default_rng(1))
    assert [row["id"] for row in trial.rows] == ["minutes.rmst"]
    assert trial.rows[0]["p_adjusted"] == pytest.approx(trial.rows[0]["sequential_p"])
    # A table from elsewhere carries no plan.
    monkeypatch.setattr(one_look, "prepare", lambda data, **_: prepare(data, given))
    (row,) = one_look.take_look(tmp_path / "data.csv", look=1, n=60, target=120)["rows"]
    assert row["p_adjusted"] == pytest.approx(row["sequential_p"])


@pytest.mark.slow
@pytest.mark.parametrize("arms", [2, 3])
def test_the_check_of_the_plan_counts_the_tests_that_the_analysis_makes(trial, arms):
    planned = [row_of(method) for method in (*ROWS, *MARGINS)]
    made = trial(arms, *planned)
    for row in planned:
        analysis = Analysis.model_validate(row)
        ids = [each["id"] for each in made if each["method"] == analysis.method and each["role"] == "primary"]
        assert len(ids) == counted(analysis, arms), (row["method"], ids)
