"""A manipulation check of the arms that have an assistant: asked of them alone, compared in the report."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from support.trials import design_studies
from support.trials.quiz_study import ARMS, change_row, results, simulated

from analysis.cli import analyze
from study_app.dataset.verification import verify

CHECKS = """
[[stages]]
id = "checks"
kind = "survey"
[[stages.questions]]
id = "friendly"
kind = "scale"
prompt = "How friendly was the assistant?"
low = 1
high = 7
arms = ["other", "third"]
[[stages.questions]]
id = "helpful"
kind = "scale"
prompt = "How much did the assistant help you?"
low = 1
high = 7
arms = ["other", "third"]
"""
OUTCOMES = """
[[analysis.outcomes]]
id = "friendly"
kind = "continuous"
label = "Friendly (1-7)"
[[analysis.outcomes]]
id = "helpful"
kind = "continuous"
label = "Helpful (1-7)"
"""
ROWS = "".join(
    f'[[analysis.analyses]]\noutcome = "{name}"\nmethod = "welch_t"\nrole = "{{role}}"\ncontrast = ["third", "other"]\n'
    for name in ("friendly", "helpful")
)


def study(folder: Path, role: str = "exploratory") -> Path:
    design_studies.STUDIES["items_for_some_arms"] = {
        "arms": ARMS + design_studies.THIRD_ARM,
        "post": CHECKS,
        "plan": design_studies.plan(ROWS.format(role=role), OUTCOMES),
    }
    try:
        return design_studies.made(folder, "items_for_some_arms")
    finally:
        del design_studies.STUDIES["items_for_some_arms"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checks")
    study(folder)
    _, data = simulated(folder, participants=12)
    return data


def people(data: Path) -> list[dict[str, str]]:
    path = next((data / "data").glob("*_description-participants_data.csv"))
    return list(csv.DictReader(path.open(encoding="utf-8", newline="")))


def test_only_the_arms_that_are_asked_have_answers_and_verify_holds_them_to_it(dataset, tmp_path):
    rows = people(dataset)
    assert {row["arm"] for row in rows} == {"plain", "other", "third"}
    for row in rows:
        assert (row["friendly"] == "") == (row["arm"] == "plain") == (row["helpful"] == "")
    assert verify(dataset).findings == []


@pytest.mark.slow
def test_the_report_compares_the_items_between_the_arms_that_were_asked(dataset, tmp_path):
    analyze(dataset, tmp_path / "out", include_simulated=True)
    found = {row["id"]: row for row in results(tmp_path / "out")["estimates"]}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for name in ("friendly", "helpful"):
        row = next(row for key, row in found.items() if key.startswith(f"{name}.welch_t"))
        given = {arm: [float(p[name]) for p in people(dataset) if p["arm"] == arm] for arm in ("third", "other")}
        expected = stats.ttest_ind(given["third"], given["other"], equal_var=False)
        assert row["contrast"] == ["third", "other"]
        assert row["estimate"] == pytest.approx(np.mean(given["third"]) - np.mean(given["other"]))
        assert row["p_value"] == pytest.approx(expected.pvalue)
        assert row["n"] == {arm: len(values) for arm, values in given.items()}
    for label in ("Friendly (1-7)", "Helpful (1-7)"):
        assert label in page


def test_an_answer_of_an_arm_that_was_not_asked_is_found(dataset, tmp_path):
    copy = Path(shutil.copytree(dataset, tmp_path / "copy"))
    change_row(copy, "participants", lambda row: row["arm"] == "plain", friendly="4")
    assert not verify(copy).ok
