"""A cell from which no value follows is refused by row, column and value, and nothing is made of it in silence."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.data.load import load
from analysis.data.outcome_checks import cell_problems
from analysis.pipeline.analyse import analyse
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Plan

PLAN = {"control": "a", "covariates": [], "subgroups": [], "estimands": [], "replicates": 199}
TIME = {"id": "days", "kind": "time", "event": "seen", "cap": 15}


def people(tmp_path, more: str, cells, **plan):
    """A table of 60 people with more columns, as opened with this plan."""
    path = tmp_path / "trial.csv"
    rows = [f"{'ab'[n % 2]},{cells(n)}" for n in range(60)]
    path.write_text("\n".join([f"arm,{more}", *rows]) + "\n", encoding="utf-8")
    return load(path), Plan.model_validate(PLAN | plan)


def refusal(*given, **plan) -> str:
    with pytest.raises(ProblemsFound) as found:
        analyse(*people(*given, **plan))
    return str(found.value)


@pytest.mark.parametrize("censored", ["right", "at_cap"])
def test_a_time_whose_event_is_empty_is_neither_seen_nor_censored(tmp_path, censored):
    def cells(n):
        return f"{1 + n % 14},{'' if n % 5 == 1 else n % 2}"

    said = refusal(tmp_path, "days,seen", cells, outcomes=[TIME | {"censored": censored}], primary=["days"])
    assert "row 3, column seen: the cell is empty beside a time (11 more like it)" in said
    assert "write 1 = the event was seen, 0 = it was not, or leave the time empty, too" in said


def test_of_someone_in_progress_the_time_may_be_known_before_the_event():
    plan = Plan.model_validate(PLAN | {"outcomes": [TIME], "primary": ["days"]})
    table = pd.DataFrame({"status": ["completed", "in_progress"], "days": [9.0, 7.0], "seen": [1.0, None]})
    assert cell_problems(plan, table, "participants", plain=False) == []
    (problem,) = cell_problems(plan, table.assign(status="completed"), "participants", plain=False)
    assert "row 3, column seen" in str(problem)


def test_a_time_and_an_event_that_are_both_empty_are_missing_and_counted(tmp_path):
    def cells(n):
        return "," if n % 5 == 1 else f"{1 + n % 14},{n % 2}"

    found = analyse(*people(tmp_path, "days,seen", cells, outcomes=[TIME], primary=["days"]))
    (row,) = [row for row in found["estimates"] if row["id"] == "days.rmst"]
    assert "12 of 60 left out: days missing" in row["note"]


def test_subgroups_of_right_censored_times_say_why_they_have_no_numbers(tmp_path):
    given = people(
        tmp_path, "days,seen,sex", lambda n: f"{1 + n % 14},{n % 3 % 2},{'mf'[n // 30]}", outcomes=[TIME],
        primary=["days"], subgroups=[{"column": "sex"}],
    )  # fmt: skip
    rows = {row["id"]: row for row in analyse(*given)["estimates"] if ".sex" in row["id"]}
    assert set(rows) == {"days.subgroup.sex.f", "days.subgroup.sex.m", "days.interaction.sex"}
    for row in rows.values():
        assert (row["estimate"], row["p_value"], row["p_adjusted"]) == (None, None, None)
        assert "not estimable: " in row["note"]
        assert "right-censored before the cap" in row["note"]


SCORED = {
    "outcomes": [{"id": "y"}],
    "primary": ["y"],
    "covariates": [{"column": "ses", "scores": ["low", "mid", "high"]}],
}


def test_a_level_without_a_score_is_refused_and_not_called_missing(tmp_path):
    said = refusal(tmp_path, "y,ses", lambda n: f"{n % 7},{('low', 'Mid', 'high')[n % 3]}", **SCORED)
    assert "row 3, column ses: 'Mid' is not among the plan's scores (19 more like it)" in said
    assert "low, mid, high" in said


def test_an_empty_cell_of_a_scored_covariate_is_missing(tmp_path):
    found = analyse(*people(tmp_path, "y,ses", lambda n: f"{n % 7},{('low', '', 'high')[n % 3]}", **SCORED))
    assert "Covariate 'ses': 20 missing values have the mean and an indicator." in found["deviations"]


@pytest.mark.parametrize("top", [{"upper": 20}, {"upper_column": "most"}], ids=["upper", "upper_column"])
def test_a_bounded_score_beyond_its_ends_is_refused(tmp_path, top):
    outcomes = [{"id": "y", "kind": "bounded"} | top]
    over = refusal(tmp_path, "y,most", lambda n: f"{35 if n == 4 else n % 7},20", outcomes=outcomes, primary=["y"])
    assert "row 6, column y: 35 is above the highest possible value, 20" in over


def test_columns_under_other_names_are_refused_by_the_users_own(tmp_path):
    path = tmp_path / "trial.csv"
    path.write_text("arm,mark,class\na,1,low\nb,2,top\n", encoding="utf-8")
    plan = Plan.model_validate(PLAN | SCORED | {"columns": {"y": "mark", "ses": "class"}})
    with pytest.raises(ProblemsFound, match="row 3, column class: 'top' is not among the plan's scores"):
        analyse(load(path, plan.columns), plan)
