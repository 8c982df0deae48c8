"""A table collected elsewhere: what cannot be used is refused by row and column, the rest is analysed whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from analysis.pipeline.planning.plan import load_plan
from study_app.domain.errors import ProblemsFound, UserError
from study_app.domain.study.analysis_plan import read_plan

PLAN = """
control = "old"
replicates = 199
covariates = [{ column = "age" }]
subgroups = []
primary = ["score", "minutes"]

[columns]
participant_id = "Kürzel"
arm = "group"
score = "final mark"
minutes = "zeit"
done = "fertig"
age = "alter"

[[outcomes]]
id = "score"

[[outcomes]]
id = "minutes"
kind = "time"
cap = 35
event = "done"
"""


def table(n=40):
    rng = np.random.default_rng(0)
    minutes = np.minimum(rng.normal(28, 6, n), 35).round(2)
    return pd.DataFrame(
        {
            "Kürzel": [f"é{i}ß" for i in range(n)],
            "group": ["old", "new"] * (n // 2),
            "final mark": rng.normal(10, 2, n).round(2),
            "zeit": minutes,
            "fertig": (minutes < 35) * 1,
            "alter": rng.integers(20, 60, n),
        }
    )


def analysed(folder, rows):
    rows.to_csv(folder / "marks.csv", index=False)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    plan = load_plan(folder / "plan.toml")
    return analyse(load(folder / "marks.csv", plan.columns), plan)


def primary(result):
    return [row for row in result["estimates"] if row["role"] == "primary"]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("final mark", "7,5", "row 5, column final mark: '7,5' is not a number"),
        ("final mark", np.inf, "row 5, column final mark: inf is not finite"),
        ("zeit", -1.0, "row 5, column zeit: -1 is a time below zero"),
        ("fertig", "ja", "row 5, column fertig: 'ja' says neither yes nor no"),
        ("fertig", 2, "row 5, column fertig: 2 says neither yes nor no"),
    ],
)
def test_a_cell_that_is_no_usable_number_is_named_and_not_dropped(tmp_path, column, cell, message):
    rows = table().astype({column: object})
    rows.loc[3, column] = cell
    with pytest.raises(ProblemsFound, match="marks.csv") as caught:
        analysed(tmp_path, rows)
    assert message in str(caught.value)


def test_all_columns_with_wrong_cells_are_named_at_once(tmp_path):
    rows = table().assign(fertig="ja", **{"final mark": "gut"})
    with pytest.raises(ProblemsFound) as caught:
        analysed(tmp_path, rows)
    assert "'gut' is not a number (39 more like it)" in str(caught.value)
    assert "'ja' says neither" in str(caught.value)


def test_an_empty_table_is_refused(tmp_path):
    with pytest.raises(UserError, match="no row names an arm"):
        analysed(tmp_path, table().head(0))


def test_a_row_without_an_arm_is_counted_and_not_analysed(tmp_path):
    rows = table()
    rows.loc[4, "group"] = None
    rows.loc[[6, 8], "final mark"] = None
    result = analysed(tmp_path, rows)
    assert (result["flow"]["assessed"], result["flow"]["allocated"]) == (40, 39)
    assert result["flow"]["arms"]["old"]["excluded"] == {"no score": 2}
    assert primary(result)[0]["n"] == {"new": 20, "old": 17}


def test_a_category_met_in_one_arm_alone_does_not_cost_the_primary_row(tmp_path):
    rows = table().assign(alter=["x", "y", "z", "y"] * 10)
    found = primary(analysed(tmp_path, rows))[0]
    assert found["p_value"] is not None
    assert "the arms do not share the levels of a covariate" in found["note"]


def test_a_column_named_as_the_table_has_it_is_told_the_name_that_the_plan_gave_it(tmp_path):
    table().to_csv(tmp_path / "marks.csv", index=False)
    (tmp_path / "plan.toml").write_text(PLAN.replace('column = "age"', 'column = "alter"'), encoding="utf-8")
    plan = load_plan(tmp_path / "plan.toml")
    with pytest.raises(UserError, match=r"covariates\.alter: .* no column 'alter'; write 'age', as the plan's columns"):
        analyse(load(tmp_path / "marks.csv", plan.columns), plan)


def test_a_control_that_is_no_arm_is_refused_and_none_replaces_it(tmp_path):
    with pytest.raises(UserError, match="control: 'old' is not an arm of marks.csv; name one of: OLD, new"):
        analysed(tmp_path, table().replace("old", "OLD"))


def test_a_table_without_a_named_control_says_which_arm_was_taken(tmp_path):
    table().to_csv(tmp_path / "marks.csv", index=False)
    (tmp_path / "plan.toml").write_text(PLAN.replace('control = "old"', ""), encoding="utf-8")
    plan = load_plan(tmp_path / "plan.toml")
    result = analyse(load(tmp_path / "marks.csv", plan.columns), plan)
    assert "The plan names no control: the others are compared with 'new'." in result["warnings"]


def test_a_time_beyond_the_cap_counts_with_the_cap_and_a_row_without_an_arm_with_its_reason(tmp_path):
    rows = table()
    rows.loc[3, ["zeit", "fertig"]] = 60, 1
    rows.loc[5, "group"] = None
    result = analysed(tmp_path, rows)
    new = rows[(rows["group"] == "new")]["zeit"].clip(upper=35).mean()
    means = {row["id"]: row["estimate"] for row in result["estimates"]}
    assert means["minutes.mean.new"] == pytest.approx(new)
    assert "minutes: 1 values beyond the cap of 35 count with the cap." in result["warnings"]
    assert result["flow"]["excluded"] == {"no arm recorded": 1}


def test_a_control_coded_as_a_whole_number_is_the_arm_of_that_number(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN.replace('control = "old"', "control = 0"), encoding="utf-8")
    (tmp_path / "switch.toml").write_text(PLAN.replace('control = "old"', "control = true"), encoding="utf-8")
    rows = table()
    rows.assign(group=(rows["group"] == "new") * 1).to_csv(tmp_path / "marks.csv", index=False)

    plan = load_plan(tmp_path / "plan.toml")

    assert plan.control in set(load(tmp_path / "marks.csv", plan.columns).participants["arm"])
    with pytest.raises(ProblemsFound, match="control"):
        load_plan(tmp_path / "switch.toml")


def test_a_table_has_no_rows_for_columns_that_it_does_not_have(tmp_path):
    """Nobody's receipt, compliance, strata or last activity: only what the plan itself lists says so."""
    rng = np.random.default_rng(3)
    arm = np.array(["a", "b", "c"])[np.arange(90) % 3]
    ends = rng.exponential(4, 90)
    cut = np.where(arm == "c", 3.0, rng.uniform(1, 9, 90))
    people = pd.DataFrame({"id": np.arange(90), "arm": arm, "score": rng.normal(10, 2, 90).round(2)})
    people = people.assign(status=(ends <= cut) * 1, time=np.minimum(ends, cut).round(3))
    people.to_csv(tmp_path / "trial.csv", index=False)
    time = {"id": "time", "kind": "time", "cap": 5, "event": "status"}
    asked = {"outcome": "score", "method": "wald_iv", "population": "complier"}
    plan = {"control": "a", "outcomes": [{"id": "score"}, time], "primary": ["score", "time"], "covariates": [],
            "subgroups": [], "replicates": 99, "columns": {"participant_id": "id"}}  # fmt: skip
    result = analyse(load(tmp_path / "trial.csv", plan["columns"]), read_plan(plan, file="plan.toml", key=""))
    unmade = [row for row in result["estimates"] if "not estimable" in row["note"]]
    assert {row["population"] for row in result["estimates"]} == {"itt"}
    assert all("follow-up" in row["note"] or "no outcome is missing" in row["note"] for row in unmade)
    means = {row["id"].split(".")[-1]: row for row in result["estimates"] if row["method"] == "rmst_by_arm"}
    assert [means[arm]["estimate"] is None for arm in "abc"] == [False, False, True]
    listed = read_plan(plan | {"analyses": [asked]}, file="plan.toml", key="")
    result = analyse(load(tmp_path / "trial.csv", plan["columns"]), listed)
    assert any(row["id"].startswith("score.wald_iv") for row in result["estimates"])
