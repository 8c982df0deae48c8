"""Names that the analysis reads of any table: meant as it reads them, or refused, and never read as something else."""

from __future__ import annotations

import pytest

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Plan

PLAN = {
    "control": "a", "covariates": [], "subgroups": [], "estimands": [], "replicates": 199,
    "outcomes": [{"id": "y"}], "primary": ["y"],
}  # fmt: skip


def people(tmp_path, more: str, cells, **plan):
    """A table of 24 people with more columns, as opened with this plan."""
    path = tmp_path / "trial.csv"
    rows = [f"{'ab'[n % 2]},{n % 7}.5,{cells(n)}" for n in range(24)]
    path.write_text("\n".join([f"arm,y,{more}", *rows]) + "\n", encoding="utf-8")
    chosen = Plan.model_validate(PLAN | plan)
    return load(path, chosen.columns), chosen


def refusal(*given, **plan) -> str:
    with pytest.raises(ProblemsFound) as found:
        analyse(*people(*given, **plan))
    return str(found.value)


@pytest.mark.parametrize("name", ["is_simulated", "is_preview", "received", "compliant"])
def test_a_flag_of_ours_that_says_neither_one_nor_zero_is_refused_by_row(tmp_path, name):
    said = refusal(tmp_path, name, lambda n: "FALSE" if n else "")
    assert f"row 3, column {name}: 'FALSE' is neither 1 nor 0 (22 more like it)" in said
    assert "give the column another name" in said
    mapped = refusal(tmp_path, "mine", lambda n: n, columns={name: "mine"})
    assert "row 4, column mine: 2 is neither 1 nor 0" in mapped


def test_a_flag_of_ours_with_ones_and_zeros_is_taken(tmp_path):
    found = analyse(*people(tmp_path, "received,is_simulated", lambda n: f"{n % 2},0"))
    assert [found["flow"]["arms"][arm]["received"] for arm in "ab"] == [0, 12]


def test_a_status_of_ours_that_the_plan_never_named_leaves_no_one_out_in_silence(tmp_path):
    said = refusal(tmp_path, "status", lambda n: "in_progress" if n % 3 else "done")
    assert "row 3, column status: 'in_progress' (15 more like it)" in said
    assert 'status = "status"' in said


def test_a_status_that_the_plan_maps_is_ours_and_must_be_one(tmp_path):
    given = people(tmp_path, "state", lambda n: "excluded" if n < 4 else "completed", columns={"status": "state"})
    found = analyse(*given)
    assert [found["flow"]["arms"][arm]["analysed"] for arm in "ab"] == [10, 10]
    said = refusal(tmp_path, "state", lambda n: "done", columns={"status": "state"})
    assert "row 2, column state: 'done' is not a status (23 more like it)" in said


def test_a_status_of_their_own_does_not_say_why_people_have_no_arm(tmp_path):
    path = tmp_path / "trial.csv"
    path.write_text("arm,y,status\n" + "a,1,single\nb,2,married\na,2,single\nb,3,single\n,,married\n")
    plan = Plan.model_validate(PLAN)
    assert analyse(load(path), plan)["flow"]["excluded"] == {"no arm recorded": 1}


def test_a_column_between_two_of_ours_makes_no_baseline_variable_of_a_table_from_elsewhere(tmp_path):
    given = people(tmp_path, "finished_at,after,warmup_minutes", lambda n: f"{n},{n * 2},{n}")
    assert analyse(*given)["baseline"] == []


def test_numbers_in_a_column_called_like_our_moments_are_no_days_of_recruitment(tmp_path):
    found = analyse(*people(tmp_path, "enrolled_at", lambda n: 45123 + n))
    assert found["flow"]["recruitment"] == {"first": None, "last": None}


def test_without_strata_the_row_says_that_labels_are_permuted_among_all(tmp_path):
    found = analyse(*people(tmp_path, "sex", lambda n: n % 3))
    (row,) = [row for row in found["estimates"] if row["id"] == "y.rerandomization"]
    assert "there are no strata, and labels are permuted among all" in row["note"]
    assert "within strata" not in row["note"]


def test_an_empty_stratum_is_one_alone_and_the_others_still_count(tmp_path):
    found = analyse(*people(tmp_path, "stratum", lambda n: "" if n == 5 else "xy"[n // 12]))
    (row,) = [row for row in found["estimates"] if row["id"] == "y.rerandomization"]
    assert "permuted within strata" in row["note"]
    assert "complete randomisation" not in row["note"]


@pytest.mark.parametrize(
    ("plan", "use"),
    [
        ({"outcomes": [{"id": "stratum"}], "primary": ["stratum"]}, "an outcome"),
        ({"outcomes": [{"id": "y", "kind": "time", "cap": 9, "event": "stratum"}]}, "an event"),
        ({"covariates": [{"column": "stratum"}]}, "a covariate"),
        ({"subgroups": [{"column": "stratum"}]}, "a subgroup"),
    ],
)
def test_numbers_in_a_column_called_stratum_are_not_taken_for_strata(tmp_path, plan, use):
    said = refusal(tmp_path, "stratum", lambda n: n // 2 % 2 if use == "an event" else n, **plan)
    assert f"column stratum: is the strata of the allocation, and the plan has {use} in it; give the column" in said


@pytest.mark.parametrize(
    ("plan", "key"),
    [({"covariates": [{"column": "y"}]}, "covariates.y"),
     ({"subgroups": [{"column": "y"}]}, "subgroups.y"), ({"cluster": "y"}, "cluster")],
)  # fmt: skip
def test_a_primary_outcome_is_not_adjusted_for_itself(tmp_path, plan, key):
    said = refusal(tmp_path, "age", lambda n: n, **plan)
    assert f"plan: analysis.{key}: is the column of the primary outcome 'y'; name a column" in said
