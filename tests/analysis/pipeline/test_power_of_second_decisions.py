"""Power of a trial with a second decision: its rows by the study's own draws and weights, beside what must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.trials import design_studies

from analysis.design.power import t_test_power
from analysis.pipeline.analyse import primary_rows
from analysis.pipeline.power.assumptions import SPREADS, Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.second_decisions import true_difference
from analysis.pipeline.power.trial_power import simulated_plan, trial_power
from analysis.pipeline.prepare import prepare
from analysis.pipeline.regimes.rows import METHODS_OF_REGIMES, arm_of_row
from analysis.pipeline.trial_ledger import Ledger, ledger_of
from analysis.report.power_curve import power_curve
from study_app.content.study_file import read_study

GIVEN = Assumptions(responders=0.4, second_effect=0.9)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(design_studies.made(tmp_path_factory.mktemp("power"), "second_decision"))


def power(study, *, n, effect, sims, given=GIVEN, **more):
    found = trial_power(study, sizes=[n], effects=[effect], sims=sims, workers="1", given=given, **more)
    return found["power"][0], found


def last(row):
    return row["id"].rsplit(".", 1)[-1]


def test_regimes_and_second_treatments_stand_behind_the_primary_rows_with_what_is_assumed(study):
    entry, found = power(study, n=120, effect=0.6, sims=12)
    assert [last(row) for row in entry["secondary"]] == [
        "plain/more_vs_plain/stay",
        "other/stay_vs_plain/stay",
        "other/more_vs_plain/stay",
        "more_vs_stay",
        "plain/more_vs_stay",
        "other/more_vs_stay",
    ]
    assert [row["difference"] for row in entry["secondary"]] == pytest.approx([0.54, 0.6, 1.14, 0.9, 0.9, 0.9])
    assert found["family"] == len(entry["rows"]) == 1
    assert (found["assumptions"]["responders"], found["assumptions"]["second_effect"]) == (0.4, 0.9)
    for row in entry["secondary"]:
        expected = [formula["power"] for formula in row["formulas"]]
        assert row["not_estimable"] == 0
        for value in expected:
            assert abs(row["simulated"] - value) < 4 * np.sqrt(max(value * (1 - value), 0.02) / 12) + 0.02, row
    assert [arm_of_row(row["id"]) for row in entry["secondary"]] == ["", "", "", "", "plain", "other"]
    titles = [axes.get_title(loc="left") for axes in power_curve(found, {}, {}).axes]
    assert len(set(titles)) == len(titles) == 7
    regime = entry["secondary"][1]["formulas"][0]
    # 60 people an arm, 40 % with weight 1 and the others over a half.
    assert regime["n"] == pytest.approx({"other/stay": 60 / 1.6, "plain/stay": 60 / 1.6})
    assert regime["power"] == pytest.approx(t_test_power(0.6, 60 / 1.6), abs=1e-12)
    assert entry["secondary"][3]["formulas"][0]["n"] == pytest.approx({"more": 36, "stay": 36})


def test_a_made_up_trial_is_drawn_and_weighted_as_the_study_says(study):
    data = PlannedTrial(study, simulated_plan(study.analysis), GIVEN).dataset(400, 0.0, np.random.default_rng(5))
    people, rows = data.participants, data.tables["allocations"]
    again = rows[rows["decision"] == 2]
    assert people["responded"].mean() == pytest.approx(0.4, abs=0.1)
    assert set(again["participant_id"]) == set(people.loc[people["responded"] == 0, "participant_id"])
    assert set(people["first_probability"]) == {0.5}
    assert set(people["second_probability"].dropna()) == {0.5}
    for arm, stratum in people.dropna(subset=["second_treatment"]).groupby("arm"):
        counts = stratum["second_treatment"].value_counts()
        assert abs(counts["stay"] - counts["more"]) <= 2, f"blocks of {arm} are not balanced"
    assert set(again["stratum"]) == {"first=plain", "first=other"}


def test_arms_are_rerandomised_over_their_own_ledger(study):
    data = PlannedTrial(study, simulated_plan(study.analysis), GIVEN).dataset(60, 0.0, np.random.default_rng(5))
    prepared = prepare(data, simulated_plan(study.analysis), include_simulated=True)
    ledger, note = ledger_of(prepared.dataset, prepared.view)
    assert isinstance(ledger, Ledger), note
    assert [person.participant_id for person in ledger.design.people] == list(data.participants["participant_id"])
    drawn = ledger.draw(50, np.random.default_rng(1))
    # Blocks of two and four: no allocation of the arms strays further than half a block.
    assert np.abs((drawn == 0).sum(axis=1) - 30).max() <= 1


def test_a_study_with_one_decision_names_no_assumption_of_a_second():
    assert "responders" not in Assumptions().to_json()
    assert "responders" in Assumptions().to_json(second=True)


@pytest.mark.slow
def test_without_effects_each_row_is_rejected_as_often_as_the_level_says(study):
    entry, _ = power(study, n=160, effect=0.0, sims=400, given=replace(GIVEN, second_effect=0.0))
    for row in [*entry["rows"], *entry["secondary"]]:
        assert abs(row["simulated"] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 400), row["id"]


@pytest.mark.slow
def test_the_simulation_comes_back_to_the_true_difference_and_near_the_formula(study):
    planned = PlannedTrial(study, simulated_plan(study.analysis), GIVEN)
    rng, found = np.random.default_rng(3), {}
    for _ in range(60):
        prepared = prepare(planned.dataset(300, 0.5, rng), planned.plan, include_simulated=True)
        for row in primary_rows(prepared, seed=1, intervals=False, beside=METHODS_OF_REGIMES):
            found.setdefault((row["id"], tuple(row["contrast"])), []).append(row["estimate"])
    # A bounded score holds six standard deviations over its top.
    unit = (planned.plan.outcomes[0].upper or 100.0) / SPREADS
    for (name, contrast), values in found.items():
        true = true_difference(study, contrast, 0.5, GIVEN)
        if true is not None:
            error = np.std(values) / np.sqrt(len(values))
            # Scores are clipped at three standard deviations, which takes a little of a difference away.
            assert abs(np.mean(values) - true * unit) < 4 * error + 0.02 * unit, name
