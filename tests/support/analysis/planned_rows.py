"""Every method over an in-memory trial of a study: what `check` says of each row, and what the analysis makes of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from support.trials.design_studies import made

from analysis.data.dataset import Dataset
from analysis.estimators.core.results import Estimate
from analysis.estimators.methods import METHODS
from analysis.pipeline.crossover import CrossoverRunner
from analysis.pipeline.planning.plan_check import NEEDS, study_plan_problems
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.prepare import prepare
from analysis.pipeline.runner import AnalysisRunner
from analysis.pipeline.trial_ledger import ledger_of
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.domain.study.analysis_plan import Analysis, Plan, read_plan
from study_app.domain.study.study import Study

OUTCOMES = (
    {"id": "quiz_points", "kind": "bounded", "upper_column": "quiz_max"},
    {"id": "posttest_score", "kind": "continuous"},
    {"id": "all_done", "column": "task_completed", "kind": "binary"},
    {"id": "ranked", "column": "attention_passed", "kind": "ordinal"},
    {"id": "pages", "column": "retention_points", "kind": "count"},
)
TIME = {"id": "completion_minutes", "kind": "time", "event": "completion_event"}
OPTIONS = {"margin": 2.0, "moderator": "pretest_points", "x": "pretest_points"}
POPULATIONS = ("with_excluded", "per_protocol", "as_treated", "complier")


@dataclass(frozen=True)
class JudgedRow:
    """A row of a plan with what was said and made of it."""

    row: Analysis
    refused: tuple[str, ...]
    """Problems that `check` names."""
    made: tuple[Estimate, ...]


def rows_of(study: Study, methods: tuple[str, ...] = tuple(METHODS), every: bool = True) -> Iterator[Analysis]:
    """Rows of each method: over outcomes of each kind, adjusted, in each population, of two treated arms, bare.

    `every`: over all kinds of outcomes; else each method meets one of them, another in each study.
    """
    named = [outcome["id"] for outcome in OUTCOMES] + ["completion_minutes"] * bool(study.main_task_stages)
    arms = [arm.id for arm in study.arms]
    for place, method in enumerate(methods):
        needed = NEEDS.get(method, ("", ""))[0]
        given = {needed: OPTIONS[needed]} if needed in OPTIONS else {}
        first = named[(place + len(study.allocation.method)) % len(named)]
        for outcome in named if every else dict.fromkeys(("quiz_points", first)):
            options = given | _of_outcome(outcome, method, needed)
            for adjusted in (False, True):
                yield _row(outcome, method, "adjusted" if adjusted else "plain", options, adjusted=adjusted)
        for population in POPULATIONS:
            yield _row("quiz_points", method, "of", given, population=population)
        if needed:
            yield _row("quiz_points", method, "bare", {})
        if len(arms) > 2:
            yield _row("quiz_points", method, "direct", given, contrast=(arms[2], arms[1]))


def _of_outcome(outcome: str, method: str, needed: str) -> dict[str, Any]:
    """What a margin is of an outcome: one that it can reach, and the better side where less is usually that."""
    options: dict[str, Any] = {"margin": 0.1} if needed == "margin" and outcome == "posttest_score" else {}
    if method == "noninferiority" and outcome in ("pages", "completion_minutes"):
        options["better"] = "lower"
    return options


def _row(outcome: str, method: str, label: str, options: dict[str, Any], **more: Any) -> Analysis:
    given = {"outcome": outcome, "method": method, "label": label, "options": options, **more}
    return Analysis.model_validate(given)


def judged(folder: Path, name: str, methods: tuple[str, ...] = tuple(METHODS), every: bool = True) -> list[JudgedRow]:
    """Rows over one made-up trial of a study of the design table."""
    study = read_study(made(folder, name))
    rows = list(rows_of(study, methods, every))
    plan = _plan(study)
    refused = _refused(study, plan.model_copy(update={"analyses": tuple(rows)}), rows, folder)
    runner = _runner(study, plan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [JudgedRow(row, tuple(refused[row.id]), tuple(runner.run(row))) for row in rows]


def _plan(study: Study) -> Plan:
    outcomes = [*OUTCOMES, *([TIME] if study.main_task_stages else [])]
    table = {
        "outcomes": outcomes, "primary": ["quiz_points"], "estimands": [], "replicates": 99, "subgroups": [],
        "covariates": [{"column": "pretest_points"}],
    }  # fmt: skip
    return read_plan(table, file="plan.toml").with_limit(study.task_limit)


def _refused(study: Study, plan: Plan, rows: list[Analysis], folder: Path) -> dict[str, list[str]]:
    library = FolderLibrary(study, folder, "study.toml")
    found: dict[str, list[str]] = {row.id: [] for row in rows}
    for problem in study_plan_problems(study.model_copy(update={"analysis": plan}), library.bank, "study.toml"):
        about = [name for name in found if problem.key.startswith(f"analysis.analyses.{name}.")]
        if about:
            found[max(about, key=len)].append(str(problem))
    return found


def _runner(study: Study, plan: Plan) -> AnalysisRunner | CrossoverRunner:
    trial = PlannedTrial(study, plan, Assumptions())
    people = 120 if study.allocation.method == "cluster" else 96
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = trial.dataset(people, 0.3, np.random.default_rng(3))
    with_behaviour(data, study)
    prepared = prepare(data, plan, include_simulated=True)
    ledger, note = ledger_of(data, prepared.view)
    if prepared.sequence:
        return CrossoverRunner(prepared.view, plan, study.control.id, ledger, note, 1)
    return AnalysisRunner(prepared.frame, plan, prepared.view, ledger, note, 1, levels=prepared.levels)


def with_behaviour(data: Dataset, study: Study) -> None:
    """Add what people received, where the study has tasks, and three people who left before every outcome but time."""
    table, rng = data.participants, np.random.default_rng(4)
    for column in ("quiz_points", "quiz_max", "posttest_score", "task_completed", "attention_passed"):
        if column not in table:
            table[column] = np.nan
    if "retention_points" not in table:
        table["retention_points"] = np.nan
    known = 1.0 if study.main_task_stages else np.nan
    table["received"] = known * ((table["arm"] != study.control.id) | (rng.random(len(table)) < 0.2))
    table["compliant"] = known * (rng.random(len(table)) < 0.9)
    measured = [outcome.get("column", outcome["id"]) for outcome in OUTCOMES]
    table.loc[[3, 8, 13], measured] = np.nan
