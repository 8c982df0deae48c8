"""People excluded after allocation: named wherever the report speaks of everyone allocated, and in the bounds."""

from __future__ import annotations

import json
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
import tomli_w
from support.analysis.synthetic_trial import Trial, write

from analysis.cli import analyze

SAID = "without 3 excluded after allocation (NO_AI 0; AI 3)"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    base = tmp_path_factory.mktemp("set_aside")
    rows = [{"outcome": "quiz_points", "method": name} for name in ("welch_t", "lee_bounds", "worst_case")]
    trial = Trial(n=24, plan={"replicates": 99, "primary": ["quiz_points"], "analyses": rows}, answers=False)
    table = trial.table()
    gone = table.index[table["arm"] == "ai"][:3]
    table.loc[gone, "status"] = "excluded"
    table.loc[gone, "exclusion_reason"] = "spoke to each other"
    out = analyze(write(base / "data", trial, table), base / "out").out
    html = unescape(re.sub(r"<[^>]+>", "", (out / "report.html").read_text(encoding="utf-8")))
    return json.loads((out / "results.json").read_text(encoding="utf-8")), re.sub(r"\s+", " ", html)


def test_every_sentence_on_everyone_allocated_names_the_excluded_by_arm(made):
    result, page = made
    assert result["missing"]["left_out"] == {"excluded": {"no_ai": 0, "ai": 3}}
    for sentence in (
        f"every covariate and outcome of the 21 people allocated {SAID} is known",
        f"ITT: everyone allocated {SAID}, in the arm allocated",
        f"Everyone allocated {SAID}, in the arm allocated: 9 to 12 people an arm",
        f"0 of 21 people allocated {SAID} lack a covariate or an outcome",
    ):
        assert sentence in page


def test_bounds_count_the_excluded_as_missing(made):
    result, _ = made
    rows = {row["id"]: row for row in result["estimates"]}
    arms = result["flow"]["arms"]
    lee, worst = rows["quiz_points.lee_bounds"], rows["quiz_points.worst_case"]
    kept = arms["ai"]["analysed"] / arms["ai"]["allocated"]
    assert lee["detail"]["retention"] == {"ai": pytest.approx(kept), "no_ai": 1.0}
    assert worst["note"].startswith("3 and 0 outcomes missing")
    for row in (lee, worst):
        assert "3 excluded after allocation count as missing (no_ai 0, ai 3)" in row["note"]
        assert row["ci_low"] < rows["quiz_points.welch_t"]["estimate"] < row["ci_high"]
    assert sum(rows["quiz_points.welch_t"]["n"].values()) == 21


def test_the_primary_row_stands_once_more_with_everyone_as_allocated(made):
    result, page = made
    rows = {row["id"]: row for row in result["estimates"]}
    primary, everyone = rows["quiz_points.rerandomization"], rows["quiz_points.rerandomization.with_excluded"]
    assert (sum(primary["n"].values()), sum(everyone["n"].values())) == (21, 24)
    assert (everyone["role"], everyone["population"]) == ("sensitivity", "with_excluded")
    assert everyone["status"] == primary["status"]
    assert everyone["note"].startswith("Everyone allocated, in the arm allocated, those excluded afterwards with")
    assert everyone["estimate"] != primary["estimate"]
    assert "ITT with the excluded" in page


def test_without_an_exclusion_there_is_no_such_row_unless_the_plan_asks_for_it(tmp_path):
    asked = {"outcome": "quiz_points", "method": "welch_t", "population": "with_excluded"}
    trial = Trial(n=24, plan={"replicates": 99, "primary": ["quiz_points"], "analyses": [asked]}, answers=False)
    out = analyze(write(tmp_path / "data", trial), tmp_path / "out").out
    rows = json.loads((out / "results.json").read_text(encoding="utf-8"))["estimates"]
    assert [row["id"] for row in rows if row["population"] == "with_excluded"] == ["quiz_points.welch_t.with_excluded"]


def test_an_unfinished_time_of_an_excluded_person_counts_with_the_cap_also_in_a_primary_row(
    tmp_path,
):
    rng = np.random.default_rng(1)
    people = pd.DataFrame({"participant_id": [f"p{n}" for n in range(36)], "arm": ["new", "old"] * 18})
    people = people.assign(minutes=rng.uniform(8, 25, 36).round(1), done=1, status="completed")
    people.loc[[3, 11, 17], ["minutes", "done", "status"]] = [5.0, 0, "excluded"]
    people.to_csv(tmp_path / "table.csv", index=False)
    asked = {"outcome": "minutes", "method": "rerandomization", "role": "primary"}
    plan = {
        "control": "old", "primary": ["minutes"], "subgroups": [], "replicates": 199,
        "columns": {"participant_id": "participant_id", "status": "status"},
        "outcomes": [{"id": "minutes", "kind": "time", "event": "done", "cap": 30, "censored": "at_cap"}],
        "analyses": [asked, asked | {"population": "with_excluded"}],
    }  # fmt: skip
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(plan))
    out = analyze(tmp_path / "table.csv", tmp_path / "out", plan=tmp_path / "plan.toml").out
    rows = json.loads((out / "results.json").read_text(encoding="utf-8"))["estimates"]
    (row,) = [row for row in rows if row["population"] == "with_excluded" and row["method"] == "rerandomization"]
    capped = people.assign(minutes=people["minutes"].where(people["done"] == 1, 30.0)).groupby("arm")["minutes"].mean()
    assert row["estimate"] == pytest.approx(capped["new"] - capped["old"])
    assert "it counts people who were excluded" in (out / "supplement" / "README.md").read_text(encoding="utf-8")
