"""The supplement: others compute the primary results again, without this package."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from support.analysis.synthetic_trial import Trial, write

from analysis.cli import analyze

CONTRAST = {"outcome": "quiz_points", "method": "rerandomization", "role": "primary", "contrast": ["hints", "ai"],
            "adjusted": True}  # fmt: skip
TRIALS = {
    "two": Trial(n=40, plan={"replicates": 199}, missing_quiz=0.1),
    "strata": Trial(n=40, plan={"replicates": 99}, strata=("years_python",)),
    "contrast": Trial(n=60, arms=("no_ai", "ai", "hints"), plan={"replicates": 99, "analyses": [CONTRAST]}),
    "three": Trial(n=60, arms=("no_ai", "ai", "hints"), plan={"replicates": 99}),
}
MANY = [pytest.param(name, marks=pytest.mark.slow) if name != "two" else name for name in TRIALS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = {}

    def supplement(name):
        if name not in made:
            base = tmp_path_factory.mktemp(name)
            analyze(write(base / "data", TRIALS[name]), base / "out")
            made[name] = base / "out" / "supplement"
        return made[name]

    return supplement


@pytest.mark.parametrize("name", MANY)
def test_the_python_script_alone_reaches_every_expected_value(folder, tmp_path, name):
    alone = shutil.copytree(folder(name), tmp_path / "alone")
    done = subprocess.run([sys.executable, "-I", "recompute.py"], cwd=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same  quiz_points.rerandomization" in done.stdout
    assert "OTHER" not in done.stdout


@pytest.mark.parametrize("name", MANY)
def test_the_r_script_alone_reaches_every_expected_value(folder, tmp_path, name):
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed; the Python script of the supplement is run instead")
    alone = shutil.copytree(folder(name), tmp_path / "alone")
    done = subprocess.run(["Rscript", "recompute.R"], cwd=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same  quiz_points.rerandomization" in done.stdout


@pytest.mark.slow
def test_the_supplement_computes_the_contrast_that_the_plan_names(folder):
    made = folder("contrast")
    rows = json.loads((made.parent / "results.json").read_text())["estimates"]
    (row,) = [row for row in rows if row["id"] == "quiz_points.rerandomization.hints_vs_ai"]
    expected = pd.read_csv(made / "expected.csv").query("id == @row['id']").set_index("quantity")["value"]
    assert expected["estimate"] == pytest.approx(row["estimate"])
    assert "against ai" in (made / "README.md").read_text()


@pytest.mark.slow
def test_a_primary_row_of_another_population_is_computed_of_its_own_people(tmp_path):
    row = CONTRAST | {"contrast": [], "population": "per_protocol"}
    trial = Trial(n=40, missing_quiz=0.1, noncompliance=0.2, plan={"replicates": 99, "analyses": [row]})
    analyze(write(tmp_path / "data", trial), tmp_path / "out")
    made = tmp_path / "out" / "supplement"
    assert "quiz_points.rerandomization.per_protocol" in set(pd.read_csv(made / "expected.csv")["id"])
    data = pd.read_csv(made / "data.csv")
    assert data["quiz_points.per_protocol"].notna().sum() < data["completion_minutes"].notna().sum()
    done = subprocess.run([sys.executable, "-I", "recompute.py"], cwd=made, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_changed_value_is_found(folder, tmp_path):
    alone = shutil.copytree(folder("two"), tmp_path / "alone")
    lines = (alone / "data.csv").read_text().splitlines()
    first, *cells = lines[1].split(",")
    lines[1] = ",".join(["ai" if first == "no_ai" else "no_ai", *cells])
    (alone / "data.csv").write_text("\n".join(lines) + "\n")
    done = subprocess.run([sys.executable, "-I", "recompute.py"], cwd=alone, capture_output=True, text=True)
    assert done.returncode == 1
    assert "OTHER" in done.stdout


def test_the_supplement_names_nobody_and_imports_nothing_of_ours(folder):
    made = folder("two")
    assert "participant" not in (made / "data.csv").read_text().splitlines()[0]
    assert "import analysis" not in (made / "recompute.py").read_text()
    assert "quiz_points ~ d * (" in (made / "README.md").read_text()


@pytest.mark.parametrize("state", ["launched", pytest.param("closed", marks=pytest.mark.slow)])
def test_there_is_no_supplement_while_arms_are_hidden(tmp_path, state):
    analyze(write(tmp_path / "data", Trial(n=24, state=state, plan={"replicates": 99})), tmp_path / "out")
    assert not (tmp_path / "out" / "supplement").exists()


SCRIPTS = Path(__file__).parents[3] / "analysis" / "scripts"


@pytest.mark.slow
def test_a_numbered_script_shows_the_formula_and_refuses_a_wrong_path_in_one_line(folder, tmp_path):
    data = folder("two").parents[1] / "data"
    script = SCRIPTS / "01_primary.py"
    done = subprocess.run([sys.executable, script, data], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert rows[0]["formula"].startswith("quiz_points ~ d * (")
    wrong = subprocess.run([sys.executable, script, tmp_path / "nowhere"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert wrong.stderr.startswith("error: ")
