"""In every design the scripts of the supplement reach the very rows of results.json, or its page says why not."""

from __future__ import annotations

import csv
import json
import runpy
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w

from analysis.cli import analyze
from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.prepare import Prepared, prepare
from analysis.pipeline.recomputing import collecting as module
from analysis.pipeline.recomputing import recomputed
from analysis.report.supplement import supplement
from study_app.content.study_file import read_study
from study_app.domain.study.analysis_plan import Plan

ROOT = Path(__file__).parents[3]

PLAN: dict[str, Any] = {"control": "old", "covariates": [], "subgroups": [], "replicates": 199}
SCORE = {"id": "score", "kind": "continuous", "unit": "points"}
TIME = {"id": "minutes", "kind": "time", "unit": "min", "event": "done", "cap": 30.0}


def row(method: str = "rerandomization", outcome: str = "score", **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "method": method, "role": "primary", **more}


def table(n: int, arms: tuple[str, ...], rooms: int, missing: int) -> pd.DataFrame:
    """People in rooms; whole rooms have an arm where there are some."""
    rng = np.random.default_rng(5)
    room = np.arange(n) % rooms if rooms else np.arange(n)
    arm = np.asarray([arms[index % len(arms)] for index in range(max(rooms, n))])[room if rooms else rng.permutation(n)]
    score = rng.normal(10, 3, n) + 2.5 * (arm == arms[1])
    made = pd.DataFrame(
        {"participant_id": [f"p{index}" for index in range(n)], "arm": arm, "score": score.round(3),
         "minutes": np.clip(rng.normal(22, 7, n), 3, 30).round(2), "age": rng.integers(20, 60, n),
         "stratum": np.where(room % 4 < 2, "site=NA", "site=01"), "room": [f"r{number}" for number in room],
         "compliant": (rng.random(n) < 0.8) * 1}
    )  # fmt: skip
    made["done"] = (made["minutes"] < 30) * 1
    made["born"] = made["age"] * -31_557_600e6
    made["score"] = made["score"].astype(object)
    made.loc[list(range(0, 3 * missing, 3)), "score"] = ""
    return made


@dataclass(frozen=True)
class Given:
    """A table, a plan, and what its supplement must have."""

    plan: dict[str, Any]
    here: tuple[str, ...]
    why_not: dict[str, str] = field(default_factory=dict)
    n: int = 36
    arms: tuple[str, ...] = ("old", "new")
    rooms: int = 0
    missing: int = 0
    drop: tuple[str, ...] = ("stratum", "room")
    spread: float = 0.0
    """Standard deviation between rooms."""
    left_early: int = 0
    """People who are lost before the cap, so that their times are right-censored."""


USUAL = "score.rerandomization"
THREE = ("old", "new", "hint")
DESIGNS = {
    "usual": Given({}, (USUAL, "score.welch_t")),
    "missing": Given({"covariates": [{"column": "age"}]}, (USUAL,), missing=5),
    "strata": Given({}, (USUAL,), missing=4, drop=("room",)),
    "few": Given({}, (USUAL,), n=8),
    "clusters": Given({"cluster": "room"}, (USUAL,), rooms=12, drop=("stratum",)),
    "clusters in strata": Given({"cluster": "room"}, (USUAL,), rooms=12, drop=()),
    "three arms": Given({"covariates": [{"column": "age"}]}, (f"{USUAL}.new", f"{USUAL}.hint"), arms=THREE, n=45),
    "contrast": Given(
        {"analyses": [row(contrast=["new", "hint"]), {"outcome": "score", "method": "welch_t"}]},
        (f"{USUAL}.new_vs_hint", "score.welch_t.new", "score.welch_t.hint"), arms=THREE, n=45),
    "per protocol": Given(
        {"analyses": [row(population="per_protocol"), row()]}, (f"{USUAL}.per_protocol", USUAL), missing=3
    ),
    "one-sided": Given({"analyses": [row(options={"alternative": "greater"})]}, (USUAL,)),
    "less": Given({"analyses": [row(options={"alternative": "less"})]}, (USUAL,)),
    "not studentised": Given({"analyses": [row(options={"studentised": False})]}, (USUAL,)),
    "the difference itself": Given(
        {"analyses": [row(options={"studentised": False, "statistic": "mean"})]}, (USUAL,)),
    "the difference itself of three arms": Given(
        {"analyses": [row(options={"studentised": False, "statistic": "mean"})]},
        (f"{USUAL}.new", f"{USUAL}.hint"), arms=THREE, n=45),
    "HC0": Given(
        {"analyses": [row(options={"vcov": "HC0"}, adjusted=True)], "covariates": [{"column": "age"}]}, (USUAL,)
    ),
    "times": Given(
        {"outcomes": [{**TIME, "censored": "at_cap"}]},
        ("minutes.rerandomization", "minutes.logrank", "minutes.cox", "minutes.welch_t"),
    ),
    "last activity": Given(
        {"outcomes": [{**TIME, "censored": "at_cap"}], "analyses": [
            row(outcome="minutes", options={"time": "last_activity", "statistic": "mean"})]},
        ("minutes.rerandomization",),
    ),
    "seen to the horizon": Given(
        {"outcomes": [TIME], "analyses": [row(outcome="minutes", options={"statistic": "rmst"})]},
        ("minutes.rerandomization",),
    ),
    "restricted": Given(
        {"outcomes": [TIME], "analyses": [row(outcome="minutes"), row(
            outcome="minutes", label="more", options={"alternative": "less"}, population="per_protocol")]},
        ("minutes.rerandomization", "minutes.rerandomization.more.per_protocol"), left_early=5,
    ),
    "restricted of three arms in strata": Given(
        {"outcomes": [TIME], "analyses": [row(outcome="minutes")]},
        ("minutes.rerandomization.new", "minutes.rerandomization.hint"),
        arms=("old", "new", "hint"), n=45, left_early=6, drop=("room",),
    ),
    "restricted of clusters": Given(
        {"outcomes": [TIME], "analyses": [row(outcome="minutes")], "cluster": "room"},
        ("minutes.rerandomization",), rooms=12, left_early=5, drop=("stratum",),
    ),
    "other methods": Given(
        {"analyses": [row(), row("kruskal")]}, (USUAL,),
        {"score.kruskal": "the plan decides by kruskal, and the scripts compute"},
    ),
    "ranks": Given(
        {"analyses": [row("mann_whitney"), row("mann_whitney", label="less", options={"alternative": "less"})]},
        ("score.mann_whitney", "score.mann_whitney.less"), missing=3,
    ),
    "ranks with ties": Given(
        {"outcomes": [{"id": "age", "kind": "continuous"}], "analyses": [row("mann_whitney", "age")]},
        ("age.mann_whitney.new", "age.mann_whitney.hint"), arms=THREE, n=150,
    ),
    "regressions of clusters": Given(
        {"cluster": "room", "covariates": [{"column": "age"}], "analyses": [
            row("lin", adjusted=True), row("ancova", adjusted=True), row("cluster_robust", options={"vcov": "CR1"}),
            row("ols")]},
        ("score.lin", "score.ancova", "score.cluster_robust", "score.ols"), n=60, rooms=12, missing=5, drop=(),
    ),
    "regressions": Given(
        {"covariates": [{"column": "age"}], "analyses": [
            row("lin", adjusted=True), row("ancova", adjusted=True), row("ols", options={"vcov": "HC1"}),
            row("ols", label="plain", population="per_protocol"), row("lin", label="plain"),
            row("student_t"), row("welch_t")]},
        ("score.lin", "score.ancova", "score.ols", "score.ols.plain.per_protocol", "score.lin.plain", "score.student_t",
         "score.welch_t"), n=48, missing=4, drop=("room",),
    ),
    "regressions of three arms": Given(
        {"covariates": [{"column": "age"}], "analyses": [
            row("lin", adjusted=True), row("welch_t"), row("ancova", adjusted=True, contrast=["new", "hint"])]},
        ("score.lin.new", "score.lin.hint", "score.welch_t.new", "score.welch_t.hint", "score.ancova.new_vs_hint"),
        arms=THREE, n=60,
    ),
    "a covariate in microseconds": Given(
        {"covariates": [{"column": "born"}], "analyses": [row("lin", adjusted=True), row(adjusted=True)]},
        ("score.lin", USUAL), n=48,
    ),
    "a step down from a regression": Given(
        {"covariates": [{"column": "age"}], "analyses": [row("lin", adjusted=True)]}, ("score.lin",), n=14,
    ),
    "shares and times": Given(
        {"outcomes": [{**TIME, "censored": "right"}, {"id": "compliant", "kind": "binary"}],
         "primary": ["minutes", "compliant"], "analyses": [
            row("logrank", "minutes"), row("cox", "minutes"), row("newcombe", "compliant"),
            row("fisher", "compliant"),
            row("fisher", "compliant", label="more", options={"alternative": "greater"})]},
        ("minutes.logrank", "minutes.cox", "compliant.newcombe", "compliant.fisher", "compliant.fisher.more"),
        left_early=5,
    ),
    "times of three arms": Given(
        {"outcomes": [{**TIME, "censored": "right"}], "analyses": [row("logrank", "minutes"), row("cox", "minutes")]},
        (),
        {"minutes.logrank": "the scripts compute logrank of two arms", "minutes.cox.new": "compute cox of two arms",
         "minutes.cox.hint": "compute cox of two arms"}, arms=THREE, n=45, left_early=5,
    ),
    "what usual functions cannot": Given(
        {"cluster": "room", "analyses": [row("welch_t"), row("tost", options={"margin": 2.0})]},
        ("score.tost",),
        {"score.welch_t": "its people come in clusters, and the scripts have no such errors for welch_t"},
        rooms=12, drop=("stratum",),
    ),
    "ranks of unequal spread": Given(
        {"analyses": [row("brunner_munzel"),
                      row("brunner_munzel", label="more", options={"alternative": "greater"}),
                      row("brunner_munzel", label="less", options={"alternative": "less"})]},
        ("score.brunner_munzel", "score.brunner_munzel.more", "score.brunner_munzel.less"), missing=3,
    ),
    "margins": Given(
        {"covariates": [{"column": "age"}], "analyses": [
            row("noninferiority", options={"margin": 1.5}),
            row("noninferiority", label="lower", options={"margin": 4.0, "better": "lower", "equal_var": True}),
            row("noninferiority", label="adjusted", options={"margin": 1.5}, adjusted=True),
            row("tost", options={"margin": 5.0}),
            row("tost", label="adjusted", options={"margin": 5.0}, adjusted=True, population="per_protocol")]},
        ("score.noninferiority", "score.noninferiority.lower", "score.noninferiority.adjusted", "score.tost",
         "score.tost.adjusted.per_protocol"), n=48, missing=4,
    ),
    "margins of three arms": Given(
        {"covariates": [{"column": "age"}], "analyses": [
            row("noninferiority", options={"margin": 2.5}, adjusted=True),
            row("tost", options={"margin": 4.0}, contrast=["new", "hint"], adjusted=True)]},
        ("score.noninferiority.new", "score.noninferiority.hint", "score.tost.new_vs_hint"), arms=THREE, n=60,
        drop=("room",),
    ),
    "models of clusters": Given(
        {"cluster": "room", "covariates": [{"column": "age"}], "analyses": [
            row("mixed_model", adjusted=True), row("mixed_model", label="plain"),
            row("noninferiority", options={"margin": 1.0}, adjusted=True), row("mann_whitney"),
            row("brunner_munzel")]},
        ("score.mixed_model", "score.mixed_model.plain", "score.noninferiority", "score.mann_whitney",
         "score.brunner_munzel"), n=60, rooms=12, missing=5, drop=(), spread=2.0,
    ),
    "models of clusters that do not vary": Given(
        {"cluster": "room", "covariates": [{"column": "born"}], "outcomes": [{"id": "minutes", "kind": "continuous"}],
         "analyses": [row("mixed_model", "minutes", adjusted=True)]},
        ("minutes.mixed_model",), n=60, rooms=12, drop=("stratum",),
    ),
    "models of clusters of three arms": Given(
        {"cluster": "room", "covariates": [{"column": "born"}],
         "outcomes": [SCORE, {"id": "compliant", "kind": "binary"}], "primary": ["score", "compliant"], "analyses": [
            row("mixed_model", adjusted=True), row("mann_whitney"), row("newcombe", "compliant")]},
        ("score.mixed_model.new", "score.mixed_model.hint", "score.mann_whitney.new", "score.mann_whitney.hint",
         "compliant.newcombe.new", "compliant.newcombe.hint"),
        arms=THREE, n=90, rooms=15, missing=3, drop=("stratum",), spread=2.0,
    ),
    "options of usual rows": Given(
        {"outcomes": [{**TIME, "censored": "at_cap"}], "analyses": [
            row(outcome="minutes", options={"statistic": "mean"}),
            {"outcome": "minutes", "method": "cox", "adjusted": True}], "covariates": [{"column": "age"}]},
        ("minutes.rerandomization",),
    ),
}  # fmt: skip
QUICK = ("clusters in strata", "contrast", "restricted", "regressions", "regressions of clusters", "shares and times",
         "margins", "models of clusters", "times of three arms")  # fmt: skip
NAMES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in DESIGNS]


def analysed(folder: Path, given: Given) -> Path:
    """Write table and plan, and run the analysis as the command does."""
    data = table(given.n, given.arms, given.rooms, given.missing).drop(columns=list(given.drop))
    if given.spread:
        seen = data["score"] != ""
        room = table(given.n, given.arms, given.rooms, given.missing)["room"].str[1:].astype(int)
        shift = np.random.default_rng(8).normal(0, given.spread, given.rooms)[room]
        data.loc[seen, "score"] = (data.loc[seen, "score"].astype(float) + shift[seen]).round(3)
    gone = data.index[3::3][: given.left_early]
    data.loc[gone, "done"] = 0
    data.loc[gone, "minutes"] = 8.0 + np.arange(len(gone))
    data.to_csv(folder / "data.csv", index=False)
    plan = PLAN | {"outcomes": [SCORE]} | given.plan
    (folder / "plan.toml").write_text(tomli_w.dumps(plan))
    analyze(folder / "data.csv", folder / "out", plan=folder / "plan.toml")
    return folder / "out"


def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the Python script here, for the libraries that it imports take seconds to load."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(folder / "recompute.py"))
    said = capsys.readouterr().out
    assert ended.value.code == 0, said
    return said


def expected(folder: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for line in csv.DictReader((folder / "expected.csv").open()):
        found.setdefault(line["id"], {})[line["quantity"]] = float(line["value"])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_scripts_reach_the_rows_of_the_results_or_the_page_says_why_not(tmp_path, capsys, name):
    given = DESIGNS[name]
    out = analysed(tmp_path, given)
    rows = {each["id"]: each for each in json.loads((out / "results.json").read_text())["estimates"]}
    page = (out / "supplement" / "README.md").read_text()
    for left_out, reason in given.why_not.items():
        assert f"- `{left_out}`: " in page
        assert reason in page
    if name.endswith("do not vary"):
        assert all("no variation between clusters" in rows[each]["note"] for each in given.here)
    primary = {each for each, found in rows.items() if found["role"] == "primary"}
    assert primary == (set(given.here) | set(given.why_not)) & primary, "every primary row is here or is explained"
    if not given.here:
        assert [path.name for path in (out / "supplement").iterdir()] == ["README.md"]
        return
    held = expected(out / "supplement")
    assert set(given.here) <= set(held)
    both_scripts_reach(out / "supplement", rows, capsys)


def both_scripts_reach(folder: Path, rows: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    for row_id, figures in expected(folder).items():
        assert figures == {name: pytest.approx(rows[row_id][name], rel=1e-9) for name in figures}
    assert "OTHER" not in run(folder, capsys)
    if shutil.which("Rscript"):
        done = subprocess.run(["Rscript", folder / "recompute.R"], capture_output=True, text=True)
        if "is not installed" in done.stdout:
            others = [line for line in done.stdout.splitlines() if line.startswith("OTHER")]
            assert all(line.endswith("was not computed") for line in others), done.stdout
            return
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "treatments", [2, pytest.param(3, marks=pytest.mark.slow)], ids=["two treatments", "three treatments"]
)
def test_the_scripts_reach_the_rows_of_a_sequence_of_treatments(tmp_path, capsys, treatments):
    prepared = crossover(treatments)
    estimates = analyse_prepared(prepared)["estimates"]
    found = recomputed(prepared, estimates, prepared.plan.seed)
    assert found is not None
    assert {name for model in found.models for name, *_ in model.rows} == {
        row["id"] for row in estimates if row["role"] == "primary"
    }
    assert len(found.models) == 2
    for name, text in supplement(found, "a crossover").items():
        (tmp_path / name).write_text(text)
    assert "participant" not in (tmp_path / "data.csv").read_text()
    assert "~ factor(person) + factor(period) + d`" in (tmp_path / "README.md").read_text()
    both_scripts_reach(tmp_path, {each["id"]: each for each in estimates}, capsys)


def crossover(treatments: int) -> Prepared:
    """A made-up trial of the shipped crossover, or of one more treatment; some periods have no value."""
    study = read_study(ROOT / "examples" / "crossover" / "study.toml")
    arms = (*study.arms, study.arms[-1].model_copy(update={"id": "another"}))[:treatments]
    outcomes = [{"id": "quiz_points", "kind": "continuous"}, {"id": "completion_minutes", "kind": "time", "cap": 40.0}]
    plan = Plan.model_validate(
        {"outcomes": outcomes, "primary": ["quiz_points", "completion_minutes"], "covariates": [], "subgroups": [],
         "estimands": [], "strata": False, "replicates": 199}
    )  # fmt: skip
    trial = PlannedTrial(study.model_copy(update={"arms": arms, "analysis": plan}), plan, Assumptions(periods=0.5))
    data = trial.dataset(18, 0.4, np.random.default_rng(2))
    periods = data.tables["periods"]
    periods["points"] = periods["points"].mask(periods.index % 11 == 4)
    return prepare(data, plan, include_simulated=True)


@pytest.mark.slow
def test_where_a_file_cannot_hold_all_assignments_the_p_of_those_it_holds_has_another_name(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(module, "CELLS", 36 * 120)
    out = analysed(tmp_path, DESIGNS["usual"])
    held = expected(out / "supplement")[USUAL]
    assert set(held) == {"estimate", "statistic", "p_of_these_assignments"}
    assert len((out / "supplement" / "assignments.txt").read_text().split()) == 120
    assert "the file holds the first 120 of the 199 assignments" in (out / "supplement" / "README.md").read_text()
    run(out / "supplement", capsys)
