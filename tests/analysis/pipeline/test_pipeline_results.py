"""From a dataset directory to results.json: the rows, the states, the bytes."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from support.analysis.synthetic_trial import Trial, study, write
from threadpoolctl import threadpool_info

from analysis.cli import analyze, results_text
from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from analysis.pipeline.planning.plan import load_plan
from analysis.pipeline.trial_ledger import ledger_of
from study_app.domain.errors import ProblemsFound, UserError
from study_app.domain.study.analysis_plan import Plan

FAST = {"replicates": 199}
KEYS = [
    "schema", "state", "masked", "dry_run", "provenance", "flow", "baseline", "estimates", "outcomes", "meta_analysis",
    "missing",
    "psychometrics",
    "agreement", "styles", "treatment", "passing", "deviations", "warnings",
]  # fmt: skip
ROW = {
    "id", "role", "outcome", "population", "method", "contrast", "estimate", "unit", "std_error", "df", "statistic",
    "p_value", "p_adjusted", "ci_low", "ci_high", "ci_level", "effect_size", "n", "note", "detail",
    "status", "status_note",
}  # fmt: skip


def run(folder, **changes):
    options = {
        key: changes.pop(key) for key in ("include_simulated", "include_preview", "plan_", "seed_") if key in changes
    }
    changes.setdefault("plan", FAST)
    return analyse(
        load(write(folder, **changes)),
        options.get("plan_"),
        seed=options.get("seed_"),
        include_simulated=options.get("include_simulated", False),
        include_preview=options.get("include_preview", False),
    )


def row(result, name):
    return next(entry for entry in result["estimates"] if entry["id"] == name)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return run(tmp_path_factory.mktemp("trial"), noncompliance=0.15, dropout=0.08, missing_quiz=0.05)


def test_the_result_has_the_keys_of_the_contract_in_order(result):
    assert list(result) == KEYS
    assert result["schema"] == "study-results/1"
    assert all(set(entry) == ROW for entry in result["estimates"])


def test_the_two_primary_rows_are_decided_by_rerandomisation_under_holm(result):
    primary = [entry for entry in result["estimates"] if entry["role"] == "primary"]
    assert [(entry["outcome"], entry["method"]) for entry in primary] == [
        ("quiz_points", "rerandomization"),
        ("completion_minutes", "rerandomization"),
    ]
    small, large = sorted(entry["p_value"] for entry in primary)
    adjusted = sorted(entry["p_adjusted"] for entry in primary)
    assert adjusted == pytest.approx([min(1, 2 * small), max(min(1, 2 * small), large)])
    assert all(entry["ci_low"] < entry["estimate"] < entry["ci_high"] for entry in primary)


def test_the_time_row_is_the_difference_of_plain_means(tmp_path):
    folder = write(tmp_path, plan=FAST)
    table = load(folder).participants
    means = table.groupby("arm")["completion_minutes"].mean()
    found = row(analyse(load(folder)), "completion_minutes.rerandomization")
    assert found["estimate"] == pytest.approx(means["ai"] - means["no_ai"], rel=1e-12)


def test_the_quiz_row_is_the_lin_estimate(result):
    assert row(result, "quiz_points.rerandomization")["estimate"] == pytest.approx(
        row(result, "quiz_points.lin")["estimate"], rel=1e-12
    )


def test_every_row_is_named_once_and_says_why_where_it_has_no_number(result):
    names = [entry["id"] for entry in result["estimates"]]
    assert len(names) == len(set(names))
    for entry in result["estimates"]:
        if entry["estimate"] is None and entry["statistic"] is None and entry["ci_low"] is None:
            assert entry["note"]


def test_lee_and_worst_case_rows_stand_beside_a_missing_quiz(result):
    assert row(result, "quiz_points.lee_bounds")["ci_low"] < row(result, "quiz_points.lee_bounds")["ci_high"]
    assert row(result, "quiz_points.worst_case")["ci_low"] < row(result, "quiz_points.worst_case")["ci_high"]


def test_the_worst_case_is_the_end_of_the_scale_and_a_row_says_who_is_not_in_it(result):
    note = row(result, "quiz_points.worst_case")["note"]
    assert "set to the scale's ends 0 and 27" in note
    missing = sum(map(int, note.split(" outcomes")[0].split(" and ")))
    assert missing
    people = sum(row(result, "quiz_points.worst_case")["n"].values())
    assert f"{missing} of {people} left out: quiz_points missing" in row(result, "quiz_points.rerandomization")["note"]
    assert "left out" not in row(result, "quiz_points.lee_bounds")["note"]


def test_the_per_protocol_row_says_what_it_conditions_on(result):
    assert "behaviour after randomisation" in row(result, "quiz_points.lin.per_protocol")["note"]


def test_the_flow_adds_up(result):
    flow = result["flow"]
    assert flow["assessed"] == flow["allocated"] + sum(flow["excluded"].values())
    assert flow["allocated"] == sum(arm["allocated"] for arm in flow["arms"].values())
    for arm in flow["arms"].values():
        assert arm["allocated"] == arm["analysed"] + sum(arm["excluded"].values())


def test_the_baseline_table_has_no_p_values_and_one_smd_a_variable(result):
    assert {"variable", "level", "arms", "smd"} == set(result["baseline"][0])
    assert "p_value" not in json.dumps(result["baseline"])
    assert any(entry["level"] == "1 to 3 years" for entry in result["baseline"])


@pytest.mark.slow  # by default: two runs give the same bytes
def test_a_second_run_replaces_the_first_by_the_same_bytes(tmp_path):
    folder, out = write(tmp_path / "data", plan=FAST), tmp_path / "out"
    first = bytes_in(analyze(folder, out).out)
    (out / "report.html").write_text("torn")
    assert bytes_in(analyze(folder, out).out) == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def bytes_in(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_number_of_threads_does_not_touch_the_bytes(tmp_path, monkeypatch):
    seen = []

    def watched(*arguments):
        seen.extend(library["num_threads"] for library in threadpool_info())
        return ledger_of(*arguments)

    monkeypatch.setattr("analysis.pipeline.analyse.ledger_of", watched)
    run(tmp_path, n=12)
    assert seen
    assert set(seen) == {1}


def test_results_are_strict_json_without_nan(result):
    def refuse(text):
        raise AssertionError(text)

    json.loads(results_text(result), parse_constant=refuse)


@pytest.mark.slow
def test_the_seed_comes_from_the_plan_and_another_makes_every_row_exploratory(tmp_path):
    folder = write(tmp_path, plan=FAST)
    plan = Plan.model_validate(FAST).with_limit(35)
    assert analyse(load(folder))["provenance"]["seed"] == plan.seed
    other = analyse(load(folder), seed=1)
    assert {entry["role"] for entry in other["estimates"]} == {"exploratory"}
    assert any("exploratory" in text for text in other["deviations"])


def test_parquet_and_csv_give_the_same_estimates(tmp_path):
    folder = write(tmp_path, plan=FAST)
    before = analyse(load(folder))
    for path in (folder / "data").glob("*.csv"):
        table = load(folder).tables[path.name.split("description-")[1].removesuffix("_data.csv")]
        table.to_parquet(path.with_suffix(".parquet"))
        path.unlink()
    assert analyse(load(folder))["estimates"] == before["estimates"]


# -- who is in -------------------------------------------------------------------------------------------------------


def test_simulated_participants_stay_out_unless_asked_for(tmp_path):
    folder = write(tmp_path, simulated=True, state="draft", plan=FAST)
    without = analyse(load(folder))
    assert without["flow"]["assessed"] == 0
    assert any("52 simulated" in text for text in without["warnings"])
    with_them = analyse(load(folder), include_simulated=True)
    assert with_them["flow"]["allocated"] == 52
    assert any(text.startswith("SIMULATED DATA") for text in with_them["warnings"])


def test_preview_data_show_their_arms(tmp_path):
    found = run(tmp_path, preview=True, state="draft", include_preview=True)
    assert not found["masked"]
    assert not found["dry_run"]
    assert set(found["flow"]["arms"]) == {"no_ai", "ai"}


def test_excluded_people_are_counted_with_their_reason_and_not_analysed(tmp_path):
    table = Trial().table()
    table.loc[:2, ["status", "exclusion_reason"]] = ["excluded", "four blank questions"]
    found = analyse(load(write(tmp_path, Trial(plan=FAST), table)))
    reasons = [arm["excluded"].get("four blank questions", 0) for arm in found["flow"]["arms"].values()]
    assert sum(reasons) == 3
    assert sum(row(found, "completion_minutes.rerandomization")["n"].values()) == 49


# -- masked and dry run ----------------------------------------------------------------------------------------------


def every_byte(out):
    return "\n".join(path.read_text(encoding="utf-8") + path.name for path in sorted(out.rglob("*")) if path.is_file())


def test_a_closed_trial_names_no_arm_anywhere(tmp_path):
    arms = ("quietroom", "chatterbox")
    folder = write(tmp_path / "data", arms=arms, state="closed", plan=FAST, noncompliance=0.2)
    summary = analyze(folder, tmp_path / "out")
    text = every_byte(summary.out).lower()
    assert summary.masked
    assert not any(arm in text for arm in arms)
    assert set(summary.analysed) == {"arm_a", "arm_b"}
    assert "masked" in text


def test_a_masked_result_withholds_what_people_used(tmp_path):
    found = run(tmp_path, state="closed")
    assert all(arm["received"] is None for arm in found["flow"]["arms"].values())
    assert row(found, "quiz_points.wald_iv")["estimate"] is None
    assert "withheld" in found["styles"]["note"]


@pytest.mark.slow
def test_an_export_that_is_masked_already_is_taken_as_it_is(tmp_path):
    trial = Trial(state="closed", plan=FAST)
    table = trial.table()
    table["arm"] = table["arm"].map({"ai": "arm_b", "no_ai": "arm_a"})
    found = analyse(load(write(tmp_path, trial, table)))
    assert row(found, "quiz_points.rerandomization")["contrast"] == ["arm_b", "arm_a"]


def test_a_launched_trial_is_a_dry_run_on_labels_that_say_nothing(tmp_path):
    table = Trial(effect=-20).table()
    found = analyse(load(write(tmp_path / "a", Trial(state="launched", plan=FAST), table)))
    truth = analyse(load(write(tmp_path / "b", Trial(plan=FAST), table)))
    assert found["dry_run"]
    assert not found["masked"]
    assert row(truth, "quiz_points.rerandomization")["p_value"] < 0.02
    assert abs(row(found, "quiz_points.mean.ai")["estimate"] - row(truth, "quiz_points.mean.ai")["estimate"]) > 1


@pytest.mark.slow
def test_a_dry_run_works_on_an_export_without_arms(tmp_path):
    trial = Trial(state="launched", plan=FAST)
    table = trial.table().assign(arm=None, stratum=None, allocation_index=np.nan, allocated_at=None)
    folder = write(tmp_path, trial, table)
    next((folder / "data").glob("*allocations*")).unlink()
    one, two = analyse(load(folder)), analyse(load(folder))
    assert one == two
    assert one["flow"]["allocated"] == 52


@pytest.mark.slow
def test_every_page_of_a_dry_run_is_stamped(tmp_path):
    out = analyze(write(tmp_path / "data", state="launched", plan=FAST), tmp_path / "out").out
    html = (out / "report.html").read_text(encoding="utf-8")
    assert html.count("DRY RUN") > html.count("<section")


# -- awkward data ----------------------------------------------------------------------------------------------------


def test_an_empty_arm_gives_nulls_with_notes(tmp_path):
    table = Trial().table()
    table["arm"] = "no_ai"
    found = analyse(load(write(tmp_path, Trial(plan=FAST), table)))
    assert row(found, "quiz_points.rerandomization")["p_value"] is None
    assert "ai" in row(found, "quiz_points.rerandomization")["note"]
    assert row(found, "quiz_points.rerandomization")["n"] == {"no_ai": 52, "ai": 0}


def test_equal_scores_give_nulls_with_notes(tmp_path):
    table = Trial().table()
    table["quiz_points"] = 13.0
    found = analyse(load(write(tmp_path, Trial(plan=FAST), table)))
    assert row(found, "quiz_points.rerandomization")["estimate"] is None
    assert "same value" in row(found, "quiz_points.rerandomization")["note"]


@pytest.mark.slow
def test_three_people_are_reported_and_nothing_crashes(tmp_path):
    out = analyze(write(tmp_path / "data", n=3, plan=FAST), tmp_path / "out")
    assert out.rows > 20


def test_nobody_at_all_is_reported_and_nothing_crashes(tmp_path):
    table = Trial().table().iloc[:0]
    out = analyze(write(tmp_path / "data", Trial(plan=FAST), table), tmp_path / "out")
    assert out.analysed == {"no_ai": 0, "ai": 0}


@pytest.mark.slow  # by default: several arms, in tests/analysis/report/test_report_page.py
def test_five_arms_give_four_contrasts_under_one_holm(tmp_path):
    arms = ("c", "a1", "a2", "a3", "a4")
    found = run(tmp_path, arms=arms, n=75)
    primary = [entry for entry in found["estimates"] if entry["role"] == "primary"]
    assert [entry["contrast"] for entry in primary[:4]] == [[arm, "c"] for arm in arms[1:]]
    assert len(primary) == 8
    assert min(entry["p_adjusted"] for entry in primary) == pytest.approx(
        min(1, 8 * min(e["p_value"] for e in primary))
    )


@pytest.mark.slow
def test_an_empty_arm_among_several_leaves_the_others_alone(tmp_path):
    table = Trial(arms=("c", "a1", "a2"), n=60).table()
    table = table[table["arm"] != "a2"]
    found = analyse(load(write(tmp_path, Trial(arms=("c", "a1", "a2"), n=60, plan=FAST), table)))
    assert row(found, "quiz_points.rerandomization.a1")["p_value"] is not None
    assert row(found, "quiz_points.rerandomization.a2")["p_value"] is None


@pytest.mark.slow
def test_everyone_censored_is_a_constant_time(tmp_path):
    table = Trial().table()
    table[["completion_event", "task_completed"]] = 0
    table["completion_minutes"] = np.nan
    found = analyse(load(write(tmp_path, Trial(plan=FAST), table)))
    assert row(found, "completion_minutes.mean.ai")["estimate"] == 35
    assert row(found, "completion_minutes.rerandomization")["p_value"] is None


def test_missing_covariates_get_mean_and_indicator_and_the_primary_row_stays(tmp_path):
    table = Trial().table()
    table.loc[[1, 5, 9, 14, 20], "warmup_minutes"] = np.nan
    found = analyse(load(write(tmp_path, Trial(plan=FAST), table)))
    assert row(found, "quiz_points.rerandomization")["p_value"] is not None
    assert any("warmup_minutes" in text and "indicator" in text for text in found["deviations"])


def test_duplicated_ids_are_named_with_their_rows(tmp_path):
    table = Trial().table()
    table.loc[7, "participant_id"] = table.loc[3, "participant_id"]
    with pytest.raises(ProblemsFound, match=r"row 9, column participant_id: '.*' comes twice"):
        load(write(tmp_path, Trial(), table))


def test_a_missing_column_that_the_plan_names_is_an_error_that_names_it(tmp_path):
    plan = {"covariates": [{"column": "warmup_minutes"}, {"column": "shoe_size"}], "replicates": 199}
    with pytest.raises(ProblemsFound, match="covariates.shoe_size: the participants table has no column 'shoe_size'"):
        run(tmp_path, plan=plan)


def test_a_missing_required_column_is_an_error_that_names_it(tmp_path):
    table = Trial().table().drop(columns=["arm"])
    with pytest.raises(ProblemsFound, match="column arm: the column is missing"):
        load(write(tmp_path, Trial(), table))


def test_text_where_a_number_belongs_names_row_and_column(tmp_path):
    table = Trial().table().astype({"quiz_points": object})
    table.loc[4, "quiz_points"] = "many"
    with pytest.raises(ProblemsFound, match="row 6, column quiz_points: 'many' is not a number"):
        load(write(tmp_path, Trial(), table))


@pytest.mark.slow
def test_ids_beyond_ascii_are_kept(tmp_path):
    table = Trial(answers=False).table()
    table["participant_id"] = [f"çå試-{i}" for i in range(len(table))]
    folder = write(tmp_path, Trial(answers=False, plan=FAST), table)
    next((folder / "data").glob("*allocations*")).unlink()
    assert analyse(load(folder))["flow"]["allocated"] == 52


def test_a_file_changed_after_the_export_is_warned_about(tmp_path):
    folder = write(tmp_path, plan=FAST)
    path = next((folder / "data").glob("*participants*"))
    table = pd.read_csv(path, dtype=str)
    table.loc[0, "errors"] = "99"
    table.to_csv(path, index=False)
    assert any("changed after the export" in text for text in analyse(load(folder))["warnings"])


# -- the fallback ladder and the scheme ------------------------------------------------------------------------------


def test_too_many_covariates_step_down_to_ancova_and_say_so(tmp_path):
    found = run(tmp_path, n=24)
    assert "ANCOVA" in row(found, "quiz_points.rerandomization")["note"]
    assert any(text.startswith("quiz_points.rerandomization: Lin adjustment left") for text in found["deviations"])


@pytest.mark.slow
def test_ancova_and_its_rerandomisation_give_the_same_estimate(tmp_path):
    found = run(tmp_path, n=24)
    again = row(found, "quiz_points.lin")
    assert row(found, "quiz_points.rerandomization")["estimate"] == pytest.approx(again["estimate"], rel=1e-9)
    assert row(found, "quiz_points.rerandomization")["std_error"] == pytest.approx(again["std_error"], rel=1e-9)


def test_a_handful_of_people_step_down_to_the_plain_difference(tmp_path):
    found = run(tmp_path, n=12)
    assert "unadjusted" in row(found, "quiz_points.rerandomization")["note"]


def test_the_ledger_is_replayed_with_everybody_who_was_allocated(tmp_path):
    table = Trial(strata=("years_python",)).table()
    table.loc[:5, "status"] = "excluded"
    found = analyse(load(write(tmp_path, Trial(strata=("years_python",), plan=FAST), table)))
    assert "whole ledger" in row(found, "quiz_points.rerandomization")["note"]


@pytest.mark.slow
def test_a_study_file_with_every_default_written_out_is_read_like_one_without(tmp_path):
    short, long = (write(tmp_path / name, strata=("years_python",), plan=FAST) for name in ("short", "long"))
    raw = study(Trial(strata=("years_python",), plan=FAST))
    raw["allocation"] = Trial(strata=("years_python",)).scheme.model_dump(mode="json")
    raw["analysis"] = Plan.model_validate(FAST).model_dump(mode="json")
    (long / "materials" / "study.toml").unlink()
    (long / "materials" / "study.json").write_text(json.dumps(raw), encoding="utf-8")
    assert analyse(load(short)) == analyse(load(long))


@pytest.mark.slow
def test_a_column_that_only_the_defaults_name_is_left_out_and_said_so(tmp_path):
    table = Trial().table().drop(columns=["quiz_debugging_points", "years_python"])
    found = analyse(load(write(tmp_path, Trial(plan=FAST), table)))
    assert row(found, "quiz_points.rerandomization")["p_value"] is not None
    assert sum("the default plan goes without it" in text for text in found["deviations"]) == 3


def test_without_a_ledger_labels_are_permuted_within_strata_and_the_row_says_so(tmp_path):
    folder = write(tmp_path, plan=FAST)
    next((folder / "data").glob("*allocations*")).unlink()
    assert "no allocation ledger" in row(analyse(load(folder)), "quiz_points.rerandomization")["note"]


# -- plain tables and plans ------------------------------------------------------------------------------------------


def test_a_plain_table_is_analysed_by_a_plan_that_maps_columns(tmp_path):
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"group": ["new", "old"] * 20, "mark": rng.normal(10, 2, 40), "age": rng.integers(20, 60, 40)})
    table.to_csv(tmp_path / "marks.csv", index=False)
    (tmp_path / "plan.toml").write_text(
        'control = "old"\nreplicates = 199\ncovariates = [{ column = "age" }]\nsubgroups = []\n'
        '[columns]\narm = "group"\nscore = "mark"\n[[outcomes]]\nid = "score"\nunit = "marks"\n',
        encoding="utf-8",
    )
    summary = analyze(tmp_path / "marks.csv", tmp_path / "out", tmp_path / "plan.toml")
    assert [entry["id"] for entry in summary.primary] == ["score.rerandomization"]
    assert summary.primary[0]["contrast"] == ["new", "old"]


def test_a_mapped_column_that_is_not_there_is_named(tmp_path):
    (tmp_path / "marks.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ProblemsFound, match="column group: there is no such column"):
        load(tmp_path / "marks.csv", {"arm": "group"})


def test_all_problems_of_a_plan_are_named_at_once(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text('[analysis]\nlevel = "high"\nreplicats = 3\n', encoding="utf-8")
    with pytest.raises(ProblemsFound) as error:
        load_plan(file)
    assert "analysis.level" in str(error.value)
    assert "analysis.replicats: this key is not known" in str(error.value)


def test_the_plan_hash_does_not_depend_on_what_was_written_out():
    assert (
        Plan.default().sha256
        == Plan.model_validate({"level": 0.95, "primary": ["quiz_points", "completion_minutes"]}).with_limit(35).sha256
    )
    assert Plan.default().sha256 != Plan.model_validate({"level": 0.9}).sha256


@pytest.mark.slow
def test_secondary_outcomes_join_the_usual_ones(tmp_path):
    plan = Plan.model_validate({"secondary": [{"id": "learned", "kind": "ordinal", "unit": "points of 7"}], **FAST})
    assert plan.primary == ("quiz_points", "completion_minutes")
    assert Plan.model_validate(plan.model_dump(mode="json")).sha256 == plan.sha256
    found = run(tmp_path, plan={"secondary": [{"id": "learned", "kind": "ordinal"}], **FAST})
    assert row(found, "learned.mann_whitney")["role"] == "secondary"


def test_the_quiz_is_also_analysed_item_by_item(result):
    found = row(result, "quiz_items.mixed_logit")
    assert found["ci_low"] < found["estimate"] < found["ci_high"]


def test_results_never_replace_other_peoples_files(tmp_path):
    folder = write(tmp_path / "data", plan=FAST)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="not ours"):
        analyze(folder, tmp_path / "out")
    with pytest.raises(UserError, match="holds the dataset itself"):
        analyze(folder, folder)


def test_no_dataset_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="no dataset is there"):
        load(tmp_path / "nowhere")


def test_the_study_file_of_the_fixture_is_the_one_that_is_read(tmp_path):
    assert study(Trial())["allocation"] == {"method": "permuted_blocks"}
    assert load(write(tmp_path)).study.control == "no_ai"


def test_numbers_are_unrounded(result):
    estimate = row(result, "quiz_points.rerandomization")["estimate"]
    assert not math.isclose(estimate, round(estimate, 4), rel_tol=0, abs_tol=1e-12)


@pytest.mark.parametrize("state", ["launched", "closed"])
def test_the_analysis_withholds_every_column_that_the_schema_calls_revealing(tmp_path, state):
    from analysis.data.view import view
    from study_app.dataset.schema import REVEALING

    table = Trial().table()
    for name in sorted(REVEALING - set(table.columns)):
        table[name] = 0
    shown = view(load(write(tmp_path, Trial(state=state), table)), seed=1)
    assert not REVEALING & set(shown.participants.columns)
    assert not {"turns", "compliance", "periods", "allocations"} & set(shown.tables)


SLOW = [pytest.param(method, marks=pytest.mark.slow) for method in ("hommel", "bonferroni")]


@pytest.mark.parametrize("method", ["holm", *SLOW])
@pytest.mark.slow
def test_a_primary_row_that_cannot_be_made_does_not_count_in_the_family(tmp_path, method):
    """The quiz is the same for everybody, so that its row has no estimate: the p of the time stays as it is."""
    folder = write(tmp_path, plan=FAST | {"multiplicity": {"method": method}})
    path = next((folder / "data").glob("*_description-participants_data.csv"))
    people = pd.read_csv(path, dtype=str, keep_default_na=False)
    people.loc[people["quiz_points"] != "", "quiz_points"] = "9"
    people.to_csv(path, index=False, lineterminator="\r\n")
    found = analyse(load(folder))
    quiz, time = row(found, "quiz_points.rerandomization"), row(found, "completion_minutes.rerandomization")
    assert (quiz["role"], quiz["estimate"], quiz["p_value"], quiz["p_adjusted"]) == ("primary", None, None, None)
    assert time["p_adjusted"] == time["p_value"]
    assert "p adjusted over 1 of 2 primary rows; could not be made: quiz_points.rerandomization" in time["note"]
