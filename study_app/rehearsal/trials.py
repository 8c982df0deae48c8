"""One whole trial of a rehearsal, at either level: people, allocation, the plan's primary rows, and what was true."""

from __future__ import annotations

import atexit
import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.dataset import Dataset, Tables
from analysis.data.load import load
from analysis.pipeline.analyse import primary_rows
from analysis.pipeline.power.planned_trials import ledger_table, study_meta
from analysis.pipeline.power.second_decisions import fill_second_decision
from analysis.pipeline.power.trial_power import simulated_plan
from analysis.pipeline.prepare import prepare
from analysis.pipeline.regimes.rows import METHODS_OF_REGIMES
from study_app.bootstrap import App, keep_draft
from study_app.domain.allocation.options import options
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.clusters import COLUMN
from study_app.domain.study.rehearsal.section import RehearsalLevel, Scenario
from study_app.domain.study.study import Study
from study_app.rehearsal.drawn_people import DrawnPerson, draw_people, mean_truth
from study_app.rehearsal.looks import stopped_rows
from study_app.rehearsal.second_decisions import as_truth, decide_again, measured, truth_of_second
from study_app.rerandomisation import replicate
from study_app.services.researcher.exporting.export import export
from study_app.services.spending import spent_usd
from study_app.settings import Settings, read_settings
from study_app.simulation import open_for_simulation, seed_of_people, simulate
from study_app.simulation.cached_sandbox import Memory
from study_app.simulation.second_truth import within

SCORES = {"quiz_points": "points", "quiz_score": "share"}
TIMES = frozenset({"completion_minutes", "task_minutes"})
DIFFERENCES = frozenset(
    {
        "lin",
        "ols",
        "ancova",
        "welch_t",
        "student_t",
        "rerandomization",
        "permutation",
        "rmst",
        "cluster_robust",
        "noninferiority",
        "embedded_regimes",
        "second_treatments",
    }
)
"""Methods whose estimate is a difference in units of the outcome, so that the effect put in is what they estimate."""


@dataclass(frozen=True)
class TrialJob:
    """Everything that one trial depends on; workers get it as it is."""

    study_file: str
    level: RehearsalLevel
    scenario: Scenario
    participants: int
    number: int
    """Of the trial within its scenario, from 1."""
    seed: int

    @property
    def text(self) -> str:
        """The trial's own seed: it depends on nothing but the rehearsal's seed, the scenario and the number."""
        return f"{self.seed}:{self.scenario.id}:{self.number}"

    @property
    def whole(self) -> int:
        """The same as a whole number."""
        return int.from_bytes(hashlib.sha256(self.text.encode()).digest()[:6], "big")


@dataclass(frozen=True)
class TrialResult:
    """What a trial came to."""

    scenario: str
    number: int
    rows: tuple[dict[str, Any], ...]
    """Primary rows, and those of a second decision: id, outcome, role, contrast, estimate, interval, p values, and the
    true effect where it is known."""
    statuses: dict[str, int]
    """Status -> people."""
    arms: dict[str, int]
    """Arm -> people allocated."""
    minutes: float
    """Mean time from the entry to the end, waiting between sessions left out."""
    usd: float | None
    """Cost of the assistant, by the declared prices; None where no reply was written (level outcomes)."""
    look: int | None = None
    """At which planned look it stopped; None without looks."""

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def play(job: TrialJob, memory: Memory) -> TrialResult:
    """Play one trial; equal jobs give equal results, wherever they run.

    Args:
        job: which.
        memory: of what programs did in earlier trials of this process.
    """
    if job.level == "outcomes":
        return _drawn(job, _content(job.study_file, Path(job.study_file).stat().st_mtime_ns))
    with opened(job.study_file, job.whole) as (app, folder):
        _allocate_afresh(app, job)
        return _lived(job, app, folder, memory)


@lru_cache(maxsize=2)
def _content(study_file: str, changed: int) -> App:
    """Return a study to read content from, opened once for all drawn trials of a process, which write nothing."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(opened(study_file, 0))[0]


@contextmanager
def opened(study_file: str, seed: int) -> Iterator[tuple[App, Path]]:
    """Provide a study on a database that is thrown away, and the folder of both."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as name:
        folder = Path(name)
        app = open_for_simulation(_settings(Path(study_file), folder), seed)
        try:
            yield app, folder
        finally:
            app.close()


def _allocate_afresh(app: App, job: TrialJob) -> None:
    """Give the trial an allocation that no other has: the seed of simulated ledgers follows from the study's hash."""
    context = app.context
    contact = f"{app.study.contact} (rehearsal {job.text})"
    context.take(app.study.model_copy(update={"contact": contact}), app.library, {})
    with context.registry.begin() as unit:
        keep_draft(context, unit)


def _settings(study: Path, folder: Path) -> Settings:
    return read_settings({}, study_file=study, database=f"sqlite:///{folder}/study.db", var=folder / "var")


# -- outcomes ----------------------------------------------------------------------------------------------------------


def _drawn(job: TrialJob, app: App) -> TrialResult:
    study = app.study
    people = draw_people(app, job.scenario, job.participants, seed_of_people(job.whole))
    allocated = [person for person in people if person.reaches_allocation()]
    rng = np.random.default_rng(np.random.SeedSequence([job.whole]))
    profiles = [person.profile() for person in allocated]
    drawn = replicate(study.allocation, profiles, 1, rng, arms=study.arms)[0]
    names = [option.id for option in options(study.allocation, study.arms)]
    for person, place in zip(allocated, drawn, strict=True):
        person.allocate(names[place])
    if study.second_decision:
        decide_again(study, allocated, rng)
    plan, dataset = simulated_plan(study.analysis, len(study.arms)), drawn_dataset(study, allocated)
    look: int | None = None
    if plan.stopping.interim and allocated:
        stopped = stopped_rows(plan, dataset, job.whole, METHODS_OF_REGIMES if study.second_decision else ())
        look, rows, allocated = stopped.look, list(stopped.rows), allocated[: stopped.people]
        # Who would have come later never came.
        people = people[: people.index(allocated[-1]) + 1]
    else:
        rows = _analysed(dataset, plan, job.whole)
    truth = mean_truth(allocated) | truth_of_second(study, allocated)
    return TrialResult(
        scenario=job.scenario.id,
        number=job.number,
        rows=_beside_truth(rows, study, truth, _quiz_max(allocated, study)),
        statuses=dict(sorted(Counter(person.status for person in people).items())),
        arms={name: sum(person.arm_id == name for person in allocated) for name in names},
        minutes=fmean(person.minutes_present for person in people),
        usd=None,
        look=look,
    )


def drawn_dataset(study: Study, people: Sequence[DrawnPerson]) -> Dataset:
    """Return drawn people as a dataset that the analysis takes.

    Args:
        study: whose.
        people: allocated, in order.
    """
    table = pd.DataFrame([person.row() for person in people])
    table["participant_id"] = [f"s{place:06d}" for place in range(len(people))]
    table["arm"] = [person.arm_id for person in people]
    table["status"] = [person.status for person in people]
    table["is_simulated"], table["is_preview"], table["outage_minutes"] = 1.0, 0.0, 0.0
    table["allocation_index"] = np.arange(1, len(people) + 1)
    if study.allocation.cluster:
        table[COLUMN] = [person.profile()[study.allocation.cluster] for person in people]
    levels = [study.allocation.levels(person.profile()) for person in people]
    table["stratum"] = [study.allocation.stratum(level) for level in levels]
    ledger = ledger_table(table, levels)
    if study.second_decision:
        responded = np.array([np.nan if person.responded is None else float(person.responded) for person in people])
        again = fill_second_decision(study, table, responded, [person.walk.second or None for person in people])
        ledger = pd.concat([ledger.assign(decision=1), again], ignore_index=True)
    tables = {"participants": table, "allocations": ledger}
    if study.allocation.method == "sequence":
        periods = [
            {"participant_id": name} | row
            for name, person in zip(table["participant_id"], people, strict=True)
            for row in person.periods()
        ]
        tables["periods"] = pd.DataFrame(periods)
    return Dataset(Path("rehearsal"), Tables({}, tables), study_meta(study), "", plain=False)


def _quiz_max(people: Sequence[DrawnPerson], study: Study) -> float:
    return people[0].walk.setting.scales.quiz_max if people and study.main_quiz is not None else 0.0


# -- services ----------------------------------------------------------------------------------------------------------


def _lived(job: TrialJob, app: App, folder: Path, memory: Memory) -> TrialResult:
    scenario = job.scenario
    summary = simulate(
        app,
        participants=job.participants,
        seed=job.whole,
        effect_score=scenario.effect_score,
        effect_minutes=scenario.effect_minutes,
        second_effect_score=scenario.second_effect_score,
        second_effect_minutes=scenario.second_effect_minutes,
        noncompliance=scenario.noncompliance,
        dropout=scenario.dropout,
        memory=memory,
    )
    export(app.context, folder / "dataset", include_simulated=True)
    dataset = load(folder / "dataset")
    study = app.study
    rows = _analysed(dataset, simulated_plan(study.analysis, len(study.arms)), job.whole)
    truth = {arm: measured(effect) for arm, effect in summary.realised.items()}
    truth |= as_truth(summary.second_treatments, summary.second_within_arms, summary.regimes)
    people = dataset.participants
    most = people["quiz_max"].max() if study.main_quiz is not None else 0.0
    return TrialResult(
        scenario=scenario.id,
        number=job.number,
        rows=_beside_truth(rows, study, truth, float(most)),
        statuses=summary.statuses,
        arms=summary.arms,
        minutes=_mean_minutes(dataset.tables["visits"]),
        usd=_cost(app),
    )


def _mean_minutes(visits: pd.DataFrame) -> float:
    began, ended = (pd.to_datetime(visits[name], utc=True) for name in ("started_at", "ended_at"))
    spent = (ended - began).dt.total_seconds().fillna(0.0)
    return float(spent.groupby(visits["participant_id"]).sum().mean() / 60)


def _cost(app: App) -> float:
    with app.context.registry.begin(write=False) as unit:
        return spent_usd(unit, app.library, "simulated")


# -- rows --------------------------------------------------------------------------------------------------------------


def _analysed(dataset: Dataset, plan: Plan, seed: int) -> list[dict[str, Any]]:
    prepared = prepare(dataset, plan, include_simulated=True)
    study = dataset.study.study
    beside = METHODS_OF_REGIMES if study is not None and study.second_decision else ()
    return primary_rows(prepared, seed=seed % 2**31, intervals=True, beside=beside)


def _beside_truth(
    rows: Sequence[Mapping[str, Any]], study: Study, truth: Mapping[str, Mapping[str, float]], most: float
) -> tuple[dict[str, Any], ...]:
    kept = ("id", "outcome", "role", "estimate", "ci_low", "ci_high", "p_value", "p_adjusted")
    outcomes = {outcome.id: outcome.name for outcome in study.analysis.outcomes}
    found = []
    for row in rows:
        base = study.control.id
        if row["method"] == "second_treatments":
            base = study.second_decision.treatments[0].id
        true = _true(row, outcomes.get(row["outcome"], row["outcome"]), truth, base, most)
        found.append({name: row[name] for name in kept} | {"contrast": list(row["contrast"] or ()), "true": true})
    return tuple(found)


def _true(
    row: Mapping[str, Any], column: str, truth: Mapping[str, Mapping[str, float]], base: str, most: float
) -> float | None:
    """Return what the row's estimate should be on average; None where the effect that was put in does not say."""
    name = "score" if column in SCORES else "minutes" if column in TIMES else ""
    # A ratio, a rank or an odds ratio has another true value than the effect that was put in, and none is known here.
    if not name or row["method"] not in DIFFERENCES or len(row["contrast"] or ()) != 2:
        return None
    arm_within = row["detail"].get("arm")
    # Truth is measured from the base (of regimes from nothing), so that a contrast of two others is their difference.
    sides = [each if each == base or not arm_within else within(arm_within, each) for each in row["contrast"]]
    one, other = (0.0 if side == base else truth.get(side, {}).get(name) for side in sides)
    if one is None or other is None:
        return None
    unit = most if column == "quiz_score" else 1.0
    return (one - other) / unit if unit else None
