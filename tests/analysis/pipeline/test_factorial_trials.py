"""Trials with factors through the pipeline: what decides, what is held, what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.trials.design_studies import made

from analysis.data.dataset import Tables
from analysis.data.view import view
from analysis.pipeline.analyse import analyse, primary_rows
from analysis.pipeline.factorial.levels import Levels, _sizes
from analysis.pipeline.planning.plan_check import study_plan_problems
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.trial_power import simulated_plan, trial_power
from analysis.pipeline.prepare import prepare
from analysis.pipeline.recomputing import recomputed
from analysis.report.render import adjusted_for
from analysis.report.supplement import supplement
from analysis.report.wording import analysis_name, step_down
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.domain.allocation import Allocator, Scheme
from study_app.domain.allocation.arms import Arm
from study_app.domain.study.analysis_plan import Analysis, Covariate, Fallback, Multiplicity, Stopping
from study_app.domain.study.study import Study


def crossed(folder, name="factors_and_control") -> Study:
    return read_study(made(folder, name))


def trial(study: Study, n=160, effect=0.8, seed=2):
    plan = simulated_plan(study.analysis, len(study.arms))
    return PlannedTrial(study, plan, Assumptions()).dataset(n, effect, np.random.default_rng(seed)), plan


def test_main_effects_and_interactions_decide_as_one_family_and_the_rest_follows(tmp_path):
    study = crossed(tmp_path)
    data, plan = trial(study)
    rows = {row["id"]: row for row in analyse(data, plan, include_simulated=True)["estimates"]}
    deciding = [name for name, row in rows.items() if row["role"] == "primary"]
    assert deciding == [
        "quiz_points.factorial_rerandomization.tone",
        "quiz_points.factorial_rerandomization.promise",
        "quiz_points.factorial.interaction.tone_x_promise",
    ]
    tone = rows[deciding[0]]
    assert list(tone["contrast"]) == ["keen", "calm"]
    assert tone["estimate"] > 0
    assert tone["p_adjusted"] >= tone["p_value"]
    assert rows["quiz_points.factorial.main.tone"]["estimate"] == pytest.approx(tone["estimate"])
    assert "quiz_points.factorial.simple.keen_none_vs_calm_none" in rows
    assert rows["quiz_points.factorial.control.cells_vs_plain"]["n"]["cells"] > rows[
        "quiz_points.factorial.control.tone.calm_vs_plain"]["n"]["calm"]  # fmt: skip


STEPS = [
    pytest.param(0.05, "unadjusted", "", marks=pytest.mark.slow),
    (0.4, "ANCOVA", "part of the plan's covariates"),
]


@pytest.mark.parametrize(("leverage", "step", "said"), STEPS)
def test_effects_of_factors_that_step_down_claim_no_more_than_they_are_adjusted_for(tmp_path, leverage, step, said):
    data, plan = trial(crossed(tmp_path, "factors"), n=30)
    data.participants["pretest_points"] = np.random.default_rng(1).random(30)
    rule = {"covariates": (Covariate(column="pretest_points"),), "fallback": Fallback(max_leverage=leverage)}
    prepared = prepare(data, plan.model_copy(update=rule), include_simulated=True)
    asked = next(entry for entry in prepared.analyses if entry.method.startswith("factorial") and entry.adjusted)
    rows = [row for row in primary_rows(prepared, intervals=False) if row["method"] == asked.method]
    assert rows
    for row in rows:
        assert "fallback from slopes of each cell" in row["note"]
        assert step_down(row) == step
        assert adjusted_for(prepared, asked, row) == said
        assert "fallback" in analysis_name(row)


@pytest.mark.parametrize("method", ["minimisation", "cluster"])
def test_where_no_factor_can_be_held_the_regression_decides(tmp_path, method):
    raw = crossed(tmp_path, "factors").model_dump(mode="json", by_alias=True, exclude={"arms"})
    scheme = {
        "minimisation": {"factors": [{"variable": "pretest_points", "cuts": [5]}]},
        "cluster": {"cluster": "label"},
    }
    study = Study.model_validate(raw | {"allocation": {"method": method, **scheme[method]}})
    data, plan = trial(study, n=240)
    rows = primary_rows(prepare(data, plan, include_simulated=True), intervals=False)
    assert [row["method"] for row in rows] == ["factorial"] * 3
    assert all(row["p_value"] is not None for row in rows)


@pytest.mark.slow
def test_simulated_power_is_that_of_the_formula(tmp_path):
    found = trial_power(crossed(tmp_path, "factors"), sizes=[120], effects=[0.6], sims=24, workers="1")["power"][0]
    tone, promise, interaction = found["rows"]
    for row in (tone, promise):
        assert abs(row["simulated"] - found["analytic"]) < 4 * np.sqrt(0.25 / 24)
    assert interaction["formulas"] == []
    assert interaction["simulated"] < 0.4


@pytest.mark.parametrize("weights", [(1, 1, 1, 1), (2, 1, 1, 1, 1)])
def test_blocks_are_read_from_the_probabilities_of_the_ledger(weights):
    arms = tuple(Arm(id=f"a{n}", weight=weight) for n, weight in enumerate(weights))
    total = sum(weights)
    allocator = Allocator(Scheme(method="permuted_blocks", block_sizes=(total, 2 * total)), arms)
    drawn = [allocator.allocate({}, draw) for draw in np.random.default_rng(1).random((60, 4))]
    sizes = _sizes(
        pd.Series([list(each.probabilities) for each in drawn]), [a.id for a in arms], [e.arm for e in drawn]
    )
    names, start = [each.arm for each in drawn], 0
    for size in sizes[:-1]:
        assert size in (total, 2 * total)
        assert Counter(names[start : start + size]) == {arm.id: arm.weight * size // total for arm in arms}
        start += size


def test_people_are_drawn_again_within_blocks_only_where_each_block_has_just_its_places(tmp_path):
    """A slot that came back after somebody left puts one more person into its block than there are places."""
    study = crossed(tmp_path, "factors")
    allocator = Allocator(study.allocation.model_copy(update={"block_sizes": (4, 8)}), study.arms)
    drawn = [allocator.allocate({}, draw) for draw in np.random.default_rng(1).random((40, 4))]
    data, _ = trial(study, n=40)
    ledger = data.tables["allocations"].assign(
        arm=[each.arm for each in drawn], probabilities=[json.dumps(list(each.probabilities)) for each in drawn],
        study_hash="one", returned="[]",
    )  # fmt: skip
    data.participants["arm"] = ledger["arm"]

    def held(**changes):
        tables = Tables({}, {"participants": data.participants, "allocations": ledger.assign(**changes)})
        changed = replace(data, tables=tables)
        return Levels.of(changed, view(changed, seed=1, include_simulated=True))

    levels = held()
    blocks = data.participants.assign(block=data.participants["participant_id"].map(levels.blocks)).groupby("block")
    *whole, _ = (Counter(people) for _, people in blocks["arm"])
    assert levels.how == "blocks as the ledger shows them"
    assert all(set(counts.values()) in ({1}, {2}) and len(counts) == 4 for counts in whole)
    for changes in ({"returned": ["[]"] * 39 + ["[3]"]}, {"study_hash": ["one"] * 20 + ["two"] * 20}):
        assert (held(**changes).blocks, held(**changes).how) == ({}, "strata")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"multiplicity": Multiplicity(method="graphical", weights=(1,), transitions=((0,),))}, "a weight to each"),
        ({"stopping": Stopping(kind="pocock", looks=(0.5, 1.0))}, "planned looks are taken at comparisons of arms"),
        ({"analyses": (Analysis(outcome="quiz_points", method="factorial", options={"effects": "control"}),)},
         "there is no control outside the cells"),
        ({"analyses": (Analysis(outcome="quiz_points", method="factorial", options={"effects": "some"}),)}, "'some'"),
        ({"analyses": (Analysis(outcome="quiz_points", method="factorial", population="as_treated"),)},
         "what was received has no levels"),
    ],
)  # fmt: skip
def test_check_refuses_what_factors_do_not_carry(tmp_path, change, sentence):
    study = crossed(tmp_path, "factors")
    assert sentence in said(study.model_copy(update={"analysis": study.analysis.model_copy(update=change)}), tmp_path)


def test_check_refuses_methods_of_factors_without_factors_and_draws_that_nothing_holds(tmp_path):
    row = Analysis(outcome="quiz_points", method="factorial_rerandomization")
    (tmp_path / "plain").mkdir()
    plain = crossed(tmp_path / "plain", "blocks")
    assert "declare [[factors]]" in said(_with(plain, row), tmp_path / "plain")
    balanced = crossed(tmp_path, "factors").model_copy(update={"allocation": Scheme(method="urn", alpha=1, beta=1)})
    assert "no factor can be drawn again" in said(_with(balanced, row), tmp_path)


def _with(study: Study, row: Analysis) -> Study:
    return study.model_copy(update={"analysis": study.analysis.model_copy(update={"analyses": (row,)})})


def said(study: Study, folder) -> str:
    library = FolderLibrary(study, folder, "study.toml")
    return "\n".join(str(problem) for problem in study_plan_problems(study, library.bank, "study.toml"))


@pytest.mark.parametrize(
    ("name", "leverage"),
    [("factors_and_control", 1.0), *(pytest.param("factors", at, marks=pytest.mark.slow) for at in (1.0, 0.4))],
)
def test_the_scripts_of_the_supplement_reach_the_effects_of_factors(tmp_path, name, leverage):
    data, plan = trial(crossed(tmp_path, name), n=64)
    data.participants["pretest_points"] = np.random.default_rng(1).random(64)
    data.participants.loc[3, "quiz_points"] = np.nan
    rule = {"covariates": (Covariate(column="pretest_points"),), "fallback": Fallback(max_leverage=leverage),
            "replicates": 99}  # fmt: skip
    if name == "factors_and_control":
        nested = Analysis(outcome="quiz_points", method="factorial", role="primary", label="whole", adjusted=True,
                          options={"effects": "all"})  # fmt: skip
        rule["analyses"] = (*plan.analyses, nested)
    prepared = prepare(data, plan.model_copy(update=rule), include_simulated=True)
    rows = {row["id"]: row for row in primary_rows(prepared)}
    assert ("quiz_points.factorial.whole.tone.calm_vs_plain" in rows) == (name == "factors_and_control")
    found = recomputed(prepared, list(rows.values()), prepared.plan.seed)
    assert found is not None
    assert not found.left_out
    for file, text in supplement(found, "crossed factors").items():
        (tmp_path / file).write_text(text)
    held = pd.read_csv(tmp_path / "expected.csv")
    assert set(held["id"]) == {name for name, row in rows.items() if row["role"] == "primary"}
    assert all(rows[line.id][line.quantity] == pytest.approx(line.value) for line in held.itertuples())
    scripts = [[sys.executable, "-I", tmp_path / "recompute.py"]]
    for script in [*scripts, *([["Rscript", tmp_path / "recompute.R"]] if shutil.which("Rscript") else [])]:
        done = subprocess.run(script, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
