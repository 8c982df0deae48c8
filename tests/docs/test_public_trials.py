"""Three public trials that are not ours: each plan of docs/tutorial gives R's figures, and the page prints them."""

from __future__ import annotations

import csv
import doctest
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.cli import analyze

FOLDER = Path(__file__).parents[2] / "docs" / "tutorial"
PAGE = (FOLDER / "public_trials.md").read_text(encoding="utf-8")
TRIALS = ("anorexia", "veteran", "epilepsy")


def of_r(name):
    with (FOLDER / name / "r.csv").open(encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    found = {}
    for name in TRIALS:
        out = tmp_path_factory.mktemp(name) / "out"
        analyze(FOLDER / name / "data.csv", out, FOLDER / name / "plan.toml")
        rows = json.loads((out / "results.json").read_text(encoding="utf-8"))
        found[name] = ({row["id"]: row for row in rows["estimates"]}, (out / "report.html").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", TRIALS)
def test_every_figure_is_that_of_r_and_stands_on_the_page(results, name):
    rows, _ = results[name]
    wanted = of_r(name)
    assert len(wanted) >= 5
    for want in wanted:
        ours, theirs = rows[want["row"]][want["quantity"]], float(want["value"])
        assert ours == pytest.approx(theirs, rel=1e-8, abs=1e-12), want
        assert f"| `{want['row']}` | {want['quantity']} | {ours:.6g} | {theirs:.6g} |" in PAGE


@pytest.mark.parametrize("name", TRIALS)
def test_other_people_s_trials_are_not_called_studies_of_ours(results, name):
    _, page = results[name]
    for words in ("Used any AI", "still at work", "first task", "Quiz quality", "Interaction styles", "No interim"):
        assert words not in page, words


@pytest.mark.parametrize("name", TRIALS)
def test_the_page_shows_each_plan_as_it_is(name):
    assert (FOLDER / name / "plan.toml").read_text(encoding="utf-8").strip() in PAGE


@pytest.mark.slow
def test_r_writes_the_same_tables_and_figures_again(tmp_path):
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed; the figures that R wrote are in r.csv")
    again = shutil.copytree(FOLDER, tmp_path / "tutorial")
    subprocess.run(["Rscript", "figures.R"], cwd=again, check=True, capture_output=True)
    for name in TRIALS:
        assert (again / name / "data.csv").read_bytes() == (FOLDER / name / "data.csv").read_bytes()
        with (again / name / "r.csv").open(encoding="utf-8") as rows:
            for new, old in zip(csv.DictReader(rows), of_r(name), strict=True):
                assert float(new["value"]) == pytest.approx(float(old["value"]), rel=1e-9, abs=1e-13)


def test_the_examples_in_python_give_what_the_page_says(monkeypatch):
    monkeypatch.chdir(FOLDER.parents[1])
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(str(FOLDER / "python.md"), module_relative=False, optionflags=flags)
    assert found.attempted > 20
    assert found.failed == 0


def test_a_folder_called_analysis_does_not_shadow_ours(tmp_path):
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis" / "__init__.py").write_text("MINE = 1\n", encoding="utf-8")
    program = (
        "import analysis, study_analysis\n"
        "from study_analysis.estimators.core.results import Estimate\n"
        "from study_analysis.pipeline.software import software\n"
        "assert analysis.MINE == 1 and study_analysis.Estimate is Estimate\n"
        "row = {'method': 'welch_t', 'estimate': 1.0, 'p_value': None, 'ci_low': None}\n"
        "assert 'scipy' in software([row], {})\n"
        "print(round(study_analysis.power.t_test_power(d=0.5, n=64), 4))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "0.8015"), done.stderr
