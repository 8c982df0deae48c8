"""Cells that do not hold what their column holds: named by file, row and column, never turned into something else."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from support.analysis.synthetic_trial import write
from support.trials.quiz_study import simulated, written

from analysis.cli import analyze
from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Plan


def changed(folder, row: int, column: str, cell: str, table: str = "participants"):
    path = folder / "data" / f"study-made_description-{table}_data.csv"
    rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
    rows[row - 1][rows[0].index(column)] = cell
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\r\n").writerows(rows)
    return folder


def refusal(folder, **plan) -> str:
    with pytest.raises(ProblemsFound) as found:
        analyse(load(folder), Plan.model_validate(plan) if plan else None)
    return "\n".join(map(str, found.value.problems))


@pytest.mark.parametrize("column", ["years_python", "warmup_minutes", "away_minutes", "outside_pastes"])
def test_a_letter_in_a_column_of_numbers_is_named(tmp_path, column):
    folder = write(tmp_path)
    header = (folder / "data" / "study-made_description-participants_data.csv").read_text().splitlines()[0]
    if column not in header:
        pytest.skip("the made-up trial does not have it")
    text = refusal(changed(folder, 6, column, "x"))
    assert f"study-made_description-participants_data.csv: row 6, column {column}: 'x' is not a number" in text


@pytest.mark.parametrize(
    ("column", "cell"), [("completion_event", "2"), ("warmup_minutes", "-1"), ("quiz_score", "1.5"), ("status", "done")]
)
def test_a_value_that_the_column_cannot_have_is_named(tmp_path, column, cell):
    assert f"row 3, column {column}: " in refusal(changed(write(tmp_path), 3, column, cell))


def test_na_in_an_export_is_a_bad_cell(tmp_path):
    assert "row 4, column warmup_minutes: 'NA' is not a number" in refusal(
        changed(write(tmp_path), 4, "warmup_minutes", "NA")
    )


def test_every_bad_column_is_named_at_once(tmp_path):
    folder = changed(changed(write(tmp_path), 4, "warmup_minutes", "?"), 5, "quiz_points", "ten")
    text = refusal(folder)
    assert "row 4, column warmup_minutes" in text
    assert "row 5, column quiz_points" in text


def test_a_bad_cell_of_another_table_is_named(tmp_path):
    text = refusal(changed(write(tmp_path, answers=True), 2, "points", "full", "answers"))
    assert "study-made_description-answers_data.csv: row 2, column points: 'full' is not a number" in text


# -- tables collected elsewhere ----------------------------------------------------------------------------------------

ROWS = [(arm, n, 5 + n + (2 if arm == "drug" else 0), n % 2) for n in range(12) for arm in ("placebo", "drug")]
COLON = {
    "control": "placebo",
    "columns": {"arm": "rx"},
    "covariates": [],
    "subgroups": [],
    "estimands": [],
    "replicates": 199,
}


def table(tmp_path, header: str, rows) -> object:
    path = tmp_path / "trial.csv"
    path.write_text(header + "\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    return path


def timed(**more) -> dict:
    return {"id": "time", "kind": "time", "event": "status", "cap": 15, "unit": "days"} | more


def test_a_column_called_status_is_the_event_that_the_plan_says_it_is(tmp_path):
    path = table(tmp_path, "rx,age,time,status", ROWS)
    plan = Plan.model_validate(COLON | {"outcomes": [timed()], "primary": ["time"]})
    found = analyse(load(path, plan.columns), plan)
    survival = [row for row in found["estimates"] if row["method"] == "kaplan_meier"]
    assert all(row["estimate"] < 1 for row in survival)


@pytest.mark.parametrize("name", ["status", "stratum", "method", "type", "form", "task", "item", "object", "site_id"])
def test_no_column_name_is_reserved_in_a_table_from_elsewhere(tmp_path, name):
    path = table(tmp_path, f"rx,age,y,{name}", ROWS)
    loaded = load(path, {"arm": "rx"})
    values = loaded.participants[name]
    assert [float(value) for value in values[:4]] == [0, 0, 1, 1]


def test_right_censored_times_are_not_overwritten_by_the_cap(tmp_path):
    from analysis import METHODS

    path = table(tmp_path, "rx,age,time,status", ROWS)
    plan = Plan.model_validate(COLON | {"outcomes": [timed()], "primary": ["time"]})
    found = {row["id"]: row for row in analyse(load(path, plan.columns), plan)["estimates"]}
    raw = load(path, plan.columns).participants
    due = METHODS["rmst"](raw, outcome="time", arm="arm", control="placebo", event="status", horizon=15)
    assert found["time.rmst"]["estimate"] == pytest.approx(due[0].estimate)
    assert found["time.rmst"]["std_error"] == pytest.approx(due[0].std_error)
    primary = found["time.rerandomization"]
    got = [primary[name] for name in ("estimate", "ci_low", "ci_high")]
    assert got == pytest.approx([due[0].estimate, due[0].ci_low, due[0].ci_high])
    assert "time.welch_t" not in found, "which needs whole times"
    assert not any(name.startswith("time.mean") for name in found)


def test_a_plan_may_say_that_unfinished_times_count_with_the_cap(tmp_path):
    path = table(tmp_path, "rx,age,time,status", ROWS)
    plan = Plan.model_validate(COLON | {"outcomes": [timed(censored="at_cap")], "primary": ["time"]})
    found = {row["id"]: row for row in analyse(load(path, plan.columns), plan)["estimates"]}
    assert found["time.welch_t"]["estimate"] is not None


@pytest.mark.parametrize("mark", ["NA", "NaN", "N/A", "."])
def test_marks_of_missing_values_are_missing_with_a_warning(tmp_path, mark):
    rows = [(arm, mark if n in (3, 7) else n, y, s) for arm, n, y, s in ROWS]
    path = table(tmp_path, "rx,age,y,status", rows)
    plan = COLON | {"outcomes": [{"id": "y"}], "primary": ["y"], "covariates": [{"column": "age"}]}
    found = analyse(load(path, plan["columns"]), Plan.model_validate(plan))
    assert any("are taken as missing: age (4)" in text for text in found["warnings"])
    assert any("4 missing values have the mean and an indicator" in text for text in found["deviations"])
    assert not any("age_" in text for text in found["deviations"])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rx;y\nplacebo;1\ndrug;2\n", "semicolons"),
        ("rx\ty\nplacebo\t1\ndrug\t2\n", "tabs"),
        ("rx|y\nplacebo|1\ndrug|2\n", "bars"),
        ("rx;y\nplacebo;1,0\ndrug;2,0\n", "semicolons, with commas for decimal points in y"),
    ],
)
def test_a_table_with_other_separators_is_read_with_a_warning(tmp_path, text, named):
    path = tmp_path / "trial.csv"
    path.write_text(text)
    found = load(path, {"arm": "rx"})
    assert found.participants["y"].tolist() == [1, 2]
    assert f"trial.csv: read as separated by {named}" in found.warnings


def test_the_command_refuses_a_bad_cell_and_writes_nothing(tmp_path):
    folder = changed(write(tmp_path / "data"), 6, "years_python", "x")
    with pytest.raises(ProblemsFound):
        analyze(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    shutil.rmtree(tmp_path / "data")


@pytest.mark.slow
def test_a_letter_in_any_column_of_numbers_of_any_table_of_an_export_is_named(tmp_path):
    """Whatever the plan makes of the column: outcomes, covariates, strata, questions, quizzes by role, times."""
    written(tmp_path, before=QUESTIONS)
    _, dataset = simulated(tmp_path, participants=4)
    tables = {path.name.split("description-")[1].split("_")[0]: path for path in (dataset / "data").glob("*.csv")}
    missed, tried = [], 0
    for name, path in tables.items():
        kept = path.read_bytes()
        rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
        columns = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        for column in [each for each in numeric(columns) if each in rows[0]] if len(rows) > 1 else ():
            at, changed_rows = rows[0].index(column), [list(row) for row in rows]
            changed_rows[1][at] = "x"
            with path.open("w", encoding="utf-8", newline="") as handle:
                csv.writer(handle, lineterminator="\r\n").writerows(changed_rows)
            tried += 1
            try:
                load(dataset).tables[name]  # noqa: B018
                missed.append(f"{name}.{column}: taken")
            except ProblemsFound as found:
                if f"{path.name}: row 2, column {column}: 'x' is not " not in str(found):
                    missed.append(f"{name}.{column}: {found}")
        path.write_bytes(kept)
    assert missed == [], "\n".join(missed)
    assert tried > 80


def numeric(sidecar: dict) -> list[str]:
    """The columns that hold numbers or 0/1, by the table's sidecar."""
    kinds = ("integer", "decimal", "double", "boolean")
    return [each["name"] for each in sidecar["variableMeasured"] if each["additionalType"].endswith(kinds)]


QUESTIONS = """
[[stages]]
id = "about"
kind = "survey"
[[stages.questions]]
id = "years"
kind = "number"
prompt = "?"
[[stages.questions]]
id = "mood"
kind = "scale"
low = 1
high = 7
prompt = "?"
[[stages.questions]]
id = "often"
kind = "choice"
prompt = "?"
options = [{ value = 1, label = "a" }, { value = 2, label = "b" }]
"""
