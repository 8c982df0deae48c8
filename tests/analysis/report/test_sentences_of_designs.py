"""What reports and checklists say of crossovers, clusters and second decisions, and of rows without an interval."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run
from support.trials.design_studies import made

from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.description.baseline import baseline_table, cut, smd_categorical, smd_numeric
from analysis.pipeline.people.flow import units
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.trial_power import simulated_plan
from analysis.pipeline.prepare import prepare
from analysis.report.checklists.answers import checklists
from analysis.report.checklists.named import _Facts, answered
from analysis.report.flow_diagram import diagram
from analysis.report.outcome_lines import _named
from analysis.report.pictures import _compared
from analysis.report.sample_size import sample_size_sentence
from analysis.report.sentences.decision import verdict
from analysis.report.sentences.estimands import estimands
from analysis.report.wording import analysis_name, difference_sentence
from study_app.content.study_file import read_study
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.comparing.stated_estimands import _in_periods, stated_estimands
from study_app.services.researcher.registration import _about_loss


def trial(folder, name, n=24):
    study = read_study(made(folder, name))
    plan = simulated_plan(study.analysis, len(study.arms))
    data = PlannedTrial(study, plan, Assumptions()).dataset(n, 0.5, np.random.default_rng(1))
    prepared = prepare(data, plan, include_simulated=True)
    return study, prepared, analyse_prepared(prepared)


@pytest.fixture(scope="module")
def crossover(tmp_path_factory):
    return trial(tmp_path_factory.mktemp("orders"), "orders")


def answers(prepared, result, name):
    return {item.item: item.answer for item in answered(prepared, result, name)}


def test_checklists_of_a_crossover_name_its_treatments_and_not_its_orders(crossover):
    study, prepared, result = crossover
    titles = [arm.title for arm in study.arms if arm.assistant]
    about_models = answers(prepared, result, "llm-se")
    assert all(title in about_models["1a"] for title in titles)
    assert ">" not in about_models["5b"]
    assert study.control.title in about_models["5b"]
    assert ">" not in answers(prepared, result, "erct")["1.D"]
    of_trials = answers(prepared, result, "ai-rct")
    assert of_trials["internal b"] == ""
    assert of_trials["external b"].startswith("Not met: no interaction")
    items = {item.number: item.where for item in checklists(prepared, result)["CONSORT 2025"]}
    assert "in the order allocated" in items["21b"]
    # No outcome is summed up by arm, so that the checklist itself gives the summaries of each treatment.
    margin = {**result["estimates"][0], "method": "tost", "role": "secondary"}
    beside = checklists(prepared, {**result, "estimates": [*result["estimates"], margin]})["SAMPL guidelines"]
    assert {item.number: item.where for item in beside}["7"] == "Two-sided, alpha 0.05; one-sided: Equivalence test"
    (summaries,) = [item for item in checklists(prepared, result)["SAMPL guidelines"] if item.number == "2"]
    assert [arm.title for arm in study.arms if arm.title not in summaries.where] == []
    assert summaries.where.count(" periods") == sum(row["method"] == "mean" for row in result["estimates"]) > 0


def test_a_crossover_is_drawn_by_treatment_and_no_order_is_named_by_its_id(crossover):
    study, prepared, result = crossover
    outcome = prepared.fitted.outcome(prepared.fitted.primary[0])
    drawn = _compared(prepared, outcome, prepared.frame.population("itt"))
    assert set(drawn["arm"]) == set(prepared.compared) == {arm.id for arm in study.arms}
    means = drawn.groupby("arm")[outcome.id].mean()
    rows = {row["id"]: row["estimate"] for row in result["estimates"]}
    assert means.to_dict() == pytest.approx({arm: rows[f"{outcome.id}.mean.{arm}"] for arm in means.index})
    named = checklists(prepared, result)
    assert [item for items in named.values() for item in items if ">" in item.where] == []
    assert "CONSORT extension: multi-arm trials" not in named


def test_within_people_no_t_test_of_two_groups_is_named(crossover):
    _, prepared, result = crossover
    assert sample_size_sentence(prepared, result).endswith(f"{result['flow']['allocated']} allocated")


def test_usual_estimands_are_worded_for_the_design(crossover, tmp_path):
    study, prepared, result = crossover
    found = estimands(prepared, result)
    assert {entry.outcome for entry in found} <= set(prepared.fitted.primary)
    for entry in found:
        assert "in a period, each person with both" in entry.treatments
        assert "imputation" not in entry.missing
    again = read_study(made(tmp_path, "second_decision"))
    stated = stated_estimands(again.analysis, again, _about_loss(again))
    assert all("second randomisation" in entry.treatments for entry in stated)
    usual = Plan()
    assert stated_estimands(usual, None, {})[0].population.startswith("Everyone allocated and not excluded")
    own = usual.estimands[0].model_copy(update={"population": "Learners of one school."})
    plan = usual.model_copy(update={"estimands": (own,)})
    assert stated_estimands(plan, study, {}) == (own,)


@pytest.mark.parametrize(
    ("ids", "orders", "both"),
    [
        (("none", "chat"), "all", True),
        (("none", "chat"), (("none", "chat", "none"), ("chat", "none", "chat")), True),
        (("none", "chat"), (("none", "chat"), ("chat", "chat")), False),
        (("none", "chat", "agent"), "williams", False),
        (("none", "chat", "agent"), (("none", "chat"), ("chat", "agent"), ("agent", "none")), False),
    ],
)
def test_each_person_has_both_only_where_every_order_has_each_of_two_treatments(ids, orders, both):
    arms = tuple(SimpleNamespace(id=name) for name in ids)
    study = SimpleNamespace(arms=arms, allocation=SimpleNamespace(method="sequence", orders=orders))
    assert ("each person with both" in _in_periods(study)) == both


@pytest.mark.slow
def test_of_clusters_their_number_is_named_and_no_row_that_is_not_there(tmp_path):
    _, prepared, result = trial(tmp_path, "clusters", 48)
    assert sample_size_sentence(prepared, result).endswith("clusters")
    assert "t test" not in sample_size_sentence(prepared, result)
    for entry in estimands(prepared, result):
        assert "imputation" not in entry.missing


def rows_without_limits():
    """Four people: no assignment is extreme enough to exclude anything."""
    data = pd.DataFrame({"arm": ["ai", "no_ai"] * 2, "y": [1.0, 2.0, 4.0, 3.5]})
    return run("rerandomization", data, outcome="y", arm="arm", control="no_ai", replicates=99, statistic="mean")


def test_a_row_without_an_interval_says_so_and_why():
    row = rows_without_limits().to_json() | {"id": "y", "p_adjusted": 1.0}
    assert (row["ci_low"], row["ci_high"]) == (None, None)
    sentence = difference_sentence(row, {}, "holm", 1)
    assert "no interval: " in sentence
    assert "too few assignments to exclude any effect" in sentence
    assert "– to –" not in sentence
    assert "adjusted over" not in sentence
    assert "adjusted over 2 primary tests by Holm" in difference_sentence(row, {}, "holm", 2)
    assert "plausible" not in verdict(row, {}, 0.05)
    assert "plausible" in verdict(row | {"ci_low": -1.0, "ci_high": 2.0}, {}, 0.05)


def test_an_estimate_without_an_error_is_said_with_the_reason():
    room = [0, 0, 1, 1, 2, 2, 3, 3]
    arm = ["ai" if number == 0 else "no_ai" for number in room]
    data = pd.DataFrame({"arm": arm, "y": [3.0, 4.0, 1.0, 2.0, 2.0, 4.0, 1.0, 3.0], "room": room})
    row = run("cluster_robust", data, outcome="y", arm="arm", control="no_ai", cluster="room").to_json() | {"id": "y"}
    said = re.sub("<[^>]+>", "", difference_sentence(row, {"ai": "AI", "no_ai": "No AI"}, "holm", 1))
    assert said.startswith("AI minus No AI: 1.33 (no interval; no p): one cluster by itself determines a part of it")
    assert verdict(row, {}, 0.05) == "The plan's rule gives no decision."


def test_replicates_without_a_statistic_are_named_as_what_keeps_an_interval_away():
    # Two ones in each arm: of other assignments half leave an arm with one or none, and no slope of its own.
    x = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    data = pd.DataFrame({"arm": ["ai", "no_ai"] * 6, "x": x, "y": np.arange(12.0) % 5})
    row = run("rerandomization", data, outcome="y", arm="arm", control="no_ai", covariates="x", replicates=999)
    assert row.detail["undefined"] > 0.05 * row.detail["assignments"]
    assert (row.ci_low, row.ci_high) == (None, None)
    assert "of the replicates have no statistic, so that no effect is excluded" in row.note
    assert "too few assignments" not in row.note


def test_reliability_is_a_figure_or_nothing():
    def said(psychometrics):
        facts = _Facts.__new__(_Facts)
        facts.result = {"psychometrics": psychometrics}
        return facts.reliability()

    assert said({"n": 0, "items": [], "note": "the dataset has no main quiz", "quizzes": {}}) == ""
    value = {"value": 0.71, "ci_low": 0.51, "ci_high": 0.86}
    assert said({"n": 24, "alpha": value}).startswith("Cronbach's alpha of the quiz 0.71 (0.51 to 0.86), 24 people")


def test_stages_of_some_arms_are_not_claimed_for_all():
    facts = _Facts.__new__(_Facts)
    stages = [{"id": "tasks", "minutes": 20}, {"id": "more", "minutes": 5, "arms": ["ai"]}]
    facts.raw, facts.prepared = (
        {"stages": stages},
        SimpleNamespace(dataset=SimpleNamespace(study=SimpleNamespace(study=None))),
    )
    assert facts.alike() == "Every arm has the limits tasks 20 min; only some arms have the stages more."


def test_the_flow_has_clusters_and_the_second_randomisation():
    rows = pd.DataFrame({
        "participant_id": list("abcdef"), "arm": ["ai"] * 3 + ["no_ai"] * 3, "_cluster": ["x", "x", "y", "z", "z", "z"],
        "responded": [1, 0, 0, 0, 0, 1], "second_treatment": [None, "stay", "answers", "stay", "stay", None],
    })  # fmt: skip
    reasons = dict.fromkeys("abcdef") | {"c": "no quiz_points"}
    found = units(rows, ["no_ai", "ai"], reasons, "_cluster")
    assert found["clusters"]["ai"] == {"allocated": 2, "analysed": 1}
    assert found["second"]["ai"] == {
        "responded": 1,
        "treatments": {"answers": {"allocated": 1, "analysed": 0}, "stay": {"allocated": 1, "analysed": 1}},
    }
    assert units(rows.drop(columns="second_treatment"), ["no_ai", "ai"], reasons, None) == {}
    arm = {"allocated": 3, "received": None, "discontinued": 0, "analysed": 3, "excluded": {}}
    drawn = diagram({"assessed": 6, "allocated": 6, "excluded": {}, "arms": {"no_ai": arm, "ai": arm}} | found,
                    {"no_ai": "No AI", "ai": "AI"})  # fmt: skip
    lines = [(line.words, line.figure) for box in drawn.boxes for line in box.lines]
    assert lines.count(("Clusters", "2")) == 1
    assert ("Responded", "1") in lines
    assert ("Second: answers", "0") in lines


def test_each_option_of_several_is_a_variable_of_the_baseline_table():
    options = ["asyncio", "curio", "requests", "twisted"]
    cells = [[name for place, name in enumerate(options) if number >> place & 1] for number in range(16)] * 2
    data = pd.DataFrame({"arm": ["ai"] * 16 + ["no_ai"] * 16, "libraries": [json.dumps(cell) for cell in cells]})
    data.loc[0, "libraries"] = None
    rows = baseline_table(data, ["libraries"], ["no_ai", "ai"], {}, {"libraries": [*options, "none"]})
    assert [(row["variable"], row["level"]) for row in rows] == [(f"libraries.{name}", "yes") for name in options]
    assert rows[0]["arms"]["ai"] == {"n": 15, "mean": None, "sd": None, "count": 8, "percent": 800 / 15}
    assert rows[0]["smd"] > 0
    free = data.assign(words=[f"word {number}" for number in range(32)])
    assert baseline_table(free, ["words"], ["no_ai", "ai"], {}) == []
    assert cut(free, ["libraries", "words"], {"libraries"}) == ["words"]


def test_over_clusters_no_row_bears_the_name_of_an_error_that_is_not_used():
    row = {"id": "done.newcombe", "method": "newcombe", "population": "itt", "detail": {"clusters": 6}}
    assert analysis_name(row) == "Risk difference"
    assert analysis_name(row | {"detail": {}}) == "Risk difference (Newcombe)"
    assert _named(row | {"clusters": 6}) == "Risk difference; errors over 6 clusters"


def test_two_levels_are_signed_as_the_mean_of_zero_and_one():
    treated, control = [1.0] * 20 + [0.0] * 6, [1.0] * 3 + [0.0] * 23
    counted = smd_categorical([6, 20], [23, 3])
    assert counted > 0
    assert counted == pytest.approx(smd_numeric(treated, control), rel=0.05)
