"""What `check` refuses and a dataset can still hold: rows are left empty with a reason, wrong numbers are refused."""

from __future__ import annotations

import numpy as np
import pytest
from support.analysis.planned_rows import with_behaviour
from support.trials.contradictions import SCALE, asked, score
from support.trials.design_studies import HELP, TASKS
from support.trials.quiz_study import ARMS, written

from analysis.pipeline.analyse import analyse, analyse_prepared
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.prepare import prepare
from analysis.pipeline.recomputing import recomputed
from study_app.content.study_file import read_study
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Plan

HELPED = {"arms": ARMS.replace("instructions", 'assistant = "full"\ninstructions') + HELP, "after": TASKS}
TIME = {"id": "completion_minutes", "kind": "time", "event": "completion_event"}


def analysed(folder, rows=(), plan=None, outcomes=(), **parts):
    """The result of a made-up trial of a study, by its plan with some rows and keys more."""
    study = read_study(written(folder, **parts))
    data = PlannedTrial(study, study.analysis, Assumptions()).dataset(40, 0.3, np.random.default_rng(1))
    with_behaviour(data, study)
    table = study.analysis.model_dump(exclude_unset=True) | (plan or {})
    table["outcomes"] = [*table["outcomes"], *outcomes]
    table["analyses"] = [{"outcome": "quiz_points"} | row for row in rows]
    return analyse(data, Plan.model_validate(table).with_limit(study.task_limit), include_simulated=True)


def test_a_trial_whose_control_is_still_empty_has_no_rows_and_no_models_to_compute_again(tmp_path):
    study = read_study(written(tmp_path))
    data = PlannedTrial(study, study.analysis, Assumptions()).dataset(40, 0.3, np.random.default_rng(1))
    data.tables["participants"].loc[:, "arm"] = "other"
    prepared = prepare(data, study.analysis, include_simulated=True)
    estimates = analyse_prepared(prepared)["estimates"]
    assert not [row["id"] for row in estimates if row["p_value"] is not None]
    assert recomputed(prepared, estimates, 1) is None


def refused(folder, **given):
    with pytest.raises(ProblemsFound) as found:
        analysed(folder, **given)
    return {problem.key: problem.what for problem in found.value.problems}


def test_where_every_arm_is_offered_an_assistant_no_row_compares_by_what_was_received(tmp_path):
    rows = {row["id"]: row for row in analysed(tmp_path, **HELPED)["estimates"]}
    of_use = [row for row in rows.values() if row["population"] in ("as_treated", "complier")]
    assert {row["method"] for row in of_use} == {"welch_t", "wald_iv", "tsls"}
    for row in of_use:
        assert (row["estimate"], row["p_value"]) == (None, None)
        assert "not estimable: " in row["note"]
        assert "are all offered an assistant, or none" in row["note"]
    assert rows["quiz_points.welch_t"]["estimate"] is not None


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"method": "welch_t", "contrast": ("other", "other")}, "contrast: ['other', 'other'] are not two arms"),
        ({"method": "welch_t", "contrast": ("other", "third")}, "contrast: ['other', 'third'] are not two arms"),
        ({"method": "factorial"}, "method: factorial compares levels of factors"),
        ({"method": "second_treatments"}, "method: second_treatments compares treatments of a second decision"),
        ({"method": "cluster_robust"}, "method: cluster_robust needs clusters"),
        ({"method": "welch_t", "population": "as_treated"}, "population: the study has no main tasks"),
        ({"method": "logrank"}, "method: logrank takes times, and 'quiz_points' is bounded"),
    ],
    ids=lambda given: given["method"] if isinstance(given, dict) else "",
)
def test_a_primary_row_that_no_data_could_answer_is_empty_and_does_not_count(tmp_path, row, reason):
    sound = {"method": "lin", "role": "primary"}
    estimates = analysed(tmp_path, rows=[sound, row | {"role": "primary"}])["estimates"]
    first, *others = [each for each in estimates if each["role"] == "primary"]
    assert [each["estimate"] for each in others] == [None]
    assert reason in others[0]["note"]
    assert "stopped on these data" not in others[0]["note"]
    assert first["p_adjusted"] == first["p_value"]
    assert "p adjusted over 1 of 2 primary rows" in first["note"]


def test_a_loss_without_a_direction_is_refused_for_the_test_would_be_of_the_other_side(tmp_path):
    row = {"outcome": "completion_minutes", "method": "noninferiority", "options": {"margin": 2.0}}
    given = {"rows": [row], "outcomes": [TIME], **HELPED}
    found = refused(tmp_path, **given)
    assert list(found) == ["analysis.analyses.completion_minutes.noninferiority.options.better"]
    given["rows"] = [row | {"options": {"margin": 2.0, "better": "lower"}}]
    # This made-up trial has no times: the row is there and says so.
    (made,) = [each for each in analysed(tmp_path, **given)["estimates"] if each["method"] == "noninferiority"]
    assert made["estimate"] is None
    assert "not estimable: 'completion_minutes' holds no values" in made["note"]


LOOKS = {"stopping": {"kind": "pocock", "looks": [0.01, 1.0]}, "replicates": 999}


def test_looks_that_no_registered_rule_can_be_applied_to_are_refused_and_early_ones_are_said(tmp_path):
    row = {"method": "tost", "role": "primary", "options": {"margin": 2.0}}
    assert list(refused(tmp_path, rows=[row], plan=LOOKS)) == ["analysis.analyses.quiz_points.tost.method"]
    said = analysed(tmp_path, plan=LOOKS)["warnings"]
    assert "analysis.stopping.looks: the first look is at 1 of 52 people, fewer than 2 in each arm." in said


def test_a_column_with_two_sources_is_refused_where_the_plan_names_it_and_said_elsewhere(tmp_path):
    parts = {"post": asked("a", f"{SCALE}\ncorrect = 1") + score('["a"]', "active_minutes")}
    (said,) = [text for text in analysed(tmp_path, **parts)["warnings"] if "active_minutes" in text]
    assert "the column 'active_minutes' would hold the score 'active_minutes' and what every dataset says" in said
    found = refused(tmp_path, outcomes=[{"id": "active_minutes", "kind": "continuous"}], **parts)
    assert list(found) == ["analysis.outcomes.active_minutes.column"]


def test_an_older_plan_whose_columns_do_not_differ_is_analysed_without_them(tmp_path):
    (tmp_path / "shown").mkdir()
    form = asked("one", f"{SCALE}\neligible = [3]", kind="eligibility")
    study = read_study(written(tmp_path / "shown", before=form))
    data = PlannedTrial(study, study.analysis, Assumptions()).dataset(40, 0.3, np.random.default_rng(1))
    data.tables["participants"]["one"] = 3.0
    plan = Plan.model_validate(study.analysis.model_dump(exclude_unset=True) | {"covariates": [{"column": "one"}]})
    result = analyse(data, plan, include_simulated=True)
    assert "Covariate 'one' is left out: it does not vary in the analysed data." in result["deviations"]
    assert result["estimates"][0]["estimate"] is not None


def test_limits_of_compliance_that_nothing_can_reach_are_said(tmp_path):
    said = analysed(tmp_path, plan={"compliance": {"quiz_away_minutes": 2}})["warnings"]
    assert [text for text in said if text.startswith("analysis.compliance.quiz_away_minutes: the study has no main ")]
