"""Power of a planned trial: the registered plan's primary rows over made-up trials, and formulas beside."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

from analysis.data.dataset import Dataset
from analysis.pipeline.analyse import primary_rows
from analysis.pipeline.looks.plan_rows import replicates_needed
from analysis.pipeline.planning.plan import schedule
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.formulas import FormulaPower, formulas, within_people
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.second_decisions import formulas_of_second, true_difference
from analysis.pipeline.power.spreads import spread_problems, spreads_of
from analysis.pipeline.power.staged_trials import first_people, look_sizes, stopped_trial
from analysis.pipeline.power.with_margin import row_with_margin, sides_of
from analysis.pipeline.power.workers import cluster_client, on_cluster, processes
from analysis.pipeline.prepare import prepare
from analysis.pipeline.regimes.rows import METHODS_OF_REGIMES
from study_app.dataset.schema.plan_fit import known_before
from study_app.domain.allocation.options import orders
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.study import Study
from study_app.rerandomisation.scheme_properties import scheme_properties

DEFAULT_EFFECTS = (0.5, 0.738)
"""Cohen's medium effect, and the published study's."""
REPLICATES = 499
"""Re-randomisations a simulated trial; with them a 5 % test has exactly its level."""
BATCH = 20
"""Simulated trials per piece of work, each with its own seed: the same answer for any number of workers."""
Progress = Callable[[int, int], None]


Row = tuple[str, str, tuple[str, ...]]
"""Id, outcome and contrast of a row."""


@dataclass(frozen=True)
class Counts:
    """What a number of simulated trials came to."""

    rows: tuple[Row, ...] = ()
    """The primary rows, in the plan's order."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Row -> trials in which the plan's rule rejects it."""
    some: int = 0
    """Trials that reject any primary row."""
    every: int = 0
    """Trials that reject all of them."""
    not_made: Counter[str] = field(default_factory=Counter)
    """Row -> trials in which it could not be computed; they count as not rejected."""
    people: int = 0
    """People of all trials, up to where each stopped."""
    stopped: Counter[int] = field(default_factory=Counter)
    """Look -> trials that stopped there; empty without planned looks."""
    beside: tuple[Row, ...] = ()
    """Secondary rows of a second decision: each is rejected at the level, without adjustment."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            max(self.rows, other.rows, key=len), self.rejected + other.rejected, self.some + other.some,
            self.every + other.every, self.not_made + other.not_made, self.people + other.people,
            self.stopped + other.stopped, max(self.beside, other.beside, key=len),
        )  # fmt: skip


def trial_power(
    study: Study,
    *,
    sizes: Sequence[int] | None = None,
    effects: Sequence[float] | None = None,
    sims: int = 500,
    workers: str = "2",
    seed: int = 1,
    given: Assumptions | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Power of the registered plan, for each size and standardised effect.

    Each simulated trial is allocated by the study's scheme, and its primary rows are those of `study analyze`: the
    plan's outcomes, covariates, strata, cap and multiplicity rule, with 499 re-randomisations.

    Args:
        study: arms, scheme, plan, planned n.
        sizes: total numbers of allocated participants; None takes the study's target.
        effects: each other arm minus control, in standard deviations of the outcome before any cap or bound.
        sims: simulated trials for each row.
        workers: number of processes, or `tcp://HOST:PORT` of a Dask scheduler.
        seed: of the simulation.
        given: what is assumed beside the study; None takes the defaults.
        progress: called with simulated trials done and in all, where processes of this machine do the work.

    Returns:
        JSON types. `power`: one entry for each size and effect, with `rows` (id, outcome, contrast, simulated,
        mc_error, formulas), `any` and `all` (a primary row, all of them), and the first row's `simulated`, `mc_error`
        and `analytic` once more; of a study with a second decision also `secondary`, the rows that compare embedded
        regimes and second treatments, each at `alpha` without adjustment, with the true `difference`.
        `schemes`: properties of the allocation at the first size. `alpha`, `family`,
        `multiplicity`, `assumptions`: what everything rests on.

    Raises:
        UserError: the study has one arm, a number cannot be used, or workers is neither number nor address.
    """
    if len(study.arms) < 2:
        raise UserError("arms: there is only one, so there is nothing to compare; add a control arm")
    chosen_sizes = list(sizes or [study.recruitment.target_n])
    chosen_effects = list(effects or DEFAULT_EFFECTS)
    if not all(np.isfinite(chosen_effects)):
        raise UserError("--effect: not a finite number; give a standardised difference such as 0.5")
    assumed = (given or Assumptions()).check()
    plan = _with_measured_covariates(simulated_plan(study.analysis, len(study.arms)), study)
    adjusts = any(row.adjusted for row in schedule(plan, len(study.arms)) if row.role == "primary")
    if assumed.r2 and (not plan.covariates or not adjusts or study.allocation.method == "sequence"):
        what = "no covariate of the plan enters the comparison, so none explains that much"
        raise ProblemsFound([Problem("--r2", "", what, "leave it out, or name covariates that the study measures")])
    if wrong := spread_problems(plan, assumed):
        raise ProblemsFound(wrong)
    planned = PlannedTrial(study, plan, assumed)
    cells = [(n, effect) for n in chosen_sizes for effect in chosen_effects]
    found = _simulated(planned, cells, sims, workers, seed, progress)
    rows = [_entry(planned, *cell, counts, sims) for cell, counts in zip(cells, found, strict=True)]
    return {
        "power": rows,
        "schemes": _schemes(planned, chosen_sizes[0], seed),
        "alpha": round(1 - study.analysis.level, 12),
        "family": len(rows[0]["rows"]),
        "multiplicity": study.analysis.multiplicity.method,
        "replicates": planned.plan.replicates,
        "assumptions": replace(assumed, sd=spreads_of(plan, assumed)).to_json(second=bool(study.second_decision)),
    }


def _with_measured_covariates(plan: Plan, study: Study) -> Plan:
    """Return the plan without covariates that the study does not measure, as the analysis leaves them out."""
    known = known_before(study)
    kept = tuple(entry for entry in plan.covariates if entry.column in known)
    return Plan.model_construct(**dict(plan) | {"covariates": kept})


def simulated_plan(plan: Plan, arms: int = 2) -> Plan:
    """Return the plan as far as it decides the primary rows, with few re-randomisations.

    With planned looks they are as many as the boundaries need.
    """
    outcomes = tuple(outcome for outcome in plan.outcomes if outcome.id in plan.primary)
    deciding = tuple(row for row in plan.analyses if row.role == "primary" or row.method in METHODS_OF_REGIMES)
    # Only primary rows decide, so the rest of the plan would cost time in every simulated trial and change no count.
    less = {
        "outcomes": outcomes,
        "analyses": deciding,
        "subgroups": (),
        "margins": (),
        "replicates": _replicates(plan, arms),
    }
    # Not validated again: the plan as registered was, and the shortened one need not be legal as a plan by itself.
    return Plan.model_construct(**dict(plan) | less)


def _replicates(plan: Plan, arms: int) -> int:
    """Return a number that is fine enough for every boundary, and with which a 5 % test has exactly its level."""
    needed = replicates_needed(plan, arms)
    # p is (1 + hits) / (1 + replicates), so with 500 k - 1 replicates a level of 5 % is itself a possible value of p
    # and the test is neither conservative nor liberal.
    return max(REPLICATES, math.ceil((needed + 1) / (REPLICATES + 1)) * (REPLICATES + 1) - 1)


def _simulated(
    planned: PlannedTrial,
    cells: Sequence[tuple[int, float]],
    sims: int,
    workers: str,
    seed: int,
    progress: Progress | None,
) -> list[Counts]:
    jobs = [
        # The seed belongs to the batch and not to the process, or the figures would depend on how many workers there
        # are.
        (cell, batch, min(BATCH, sims - batch * BATCH))
        for cell in range(len(cells))
        for batch in range(math.ceil(sims / BATCH))
    ]
    calls = [delayed(_trials)(planned, *cells[cell], size, [seed, cell, batch]) for cell, batch, size in jobs]
    total = [Counts() for _ in cells]
    done = 0
    for (cell, _, size), counts in zip(jobs, _counted(calls, workers), strict=True):
        total[cell] += counts
        done += size
        if progress is not None:
            progress(done, sims * len(cells))
    return total


def _counted(calls: list[Any], workers: str) -> Any:
    """Return the counts of each call, in order."""
    if on_cluster(workers):
        with cluster_client(workers), parallel_config(backend="dask", wait_for_workers_timeout=30):
            return list(Parallel()(calls))
    # A generator, so that progress is seen while the work goes on; in order of the calls, for they are zipped with the
    # jobs.
    return Parallel(n_jobs=processes(workers), return_as="generator")(calls)


def _trials(planned: PlannedTrial, n: int, effect: float, count: int, seed: Sequence[int]) -> Counts:
    """`count` simulated trials, and what the plan's rule says in each."""
    rng = np.random.default_rng(np.random.SeedSequence(list(seed)))
    total = Counts()
    # Each process has a core already; threads of the BLAS below it would compete for the others.
    with threadpool_limits(1):
        for _ in range(count):
            total += _one_trial(planned, n, effect, rng)
    return total


def _one_trial(planned: PlannedTrial, n: int, effect: float, rng: np.random.Generator) -> Counts:
    dataset, level = planned.dataset(n, effect, rng), 1 - planned.plan.level
    if planned.plan.stopping.interim:
        trial = stopped_trial(planned.plan, dataset, n, rng)
        rows = [*trial.rows, *_of_second(planned, first_people(dataset, trial.n))]
        return replace(_decided(rows, level), people=trial.n, stopped=Counter([trial.look]))
    prepared = prepare(dataset, planned.plan, include_simulated=True)
    # The seed comes from the trial's generator: with the plan's own seed every trial would use the same
    # re-randomisations.
    used = int(rng.integers(2**31))
    rows = primary_rows(prepared, seed=used, intervals=False, beside=_methods_beside(planned))
    return replace(_decided(rows, level), people=n)


def _methods_beside(planned: PlannedTrial) -> tuple[str, ...]:
    """Return the methods whose secondary rows are counted: those of a second decision."""
    return METHODS_OF_REGIMES if planned.study.second_decision else ()


def _of_second(planned: PlannedTrial, dataset: Dataset) -> list[dict[str, Any]]:
    """Return the secondary rows of a second decision, of the people of a stopped trial; no look is at them."""
    if not planned.study.second_decision:
        return []
    prepared = prepare(dataset, planned.plan, include_simulated=True)
    rows = primary_rows(prepared, seed=0, intervals=False, after_looks=False, beside=METHODS_OF_REGIMES)
    return [row for row in rows if row["role"] != "primary"]


def _decided(rows: Sequence[Mapping[str, Any]], alpha: float) -> Counts:
    """Return one trial's decisions."""
    p = {row["id"]: row["p_value"] if row["p_adjusted"] is None else row["p_adjusted"] for row in rows}
    # An adjusted p is a product of floats: one that equals the level must not fall above it by rounding.
    rejected = Counter(name for name, value in p.items() if value is not None and value <= alpha + 1e-12)
    # Counted as not rejected: left out, power would be that of the trials whose data happened to bear the analysis.
    missing = Counter(name for name, value in p.items() if value is None)
    # A ratio beside a restricted mean belongs to the same test, and not to the second decision.
    second = [row for row in rows if not _is_primary(row) and row["method"] in METHODS_OF_REGIMES]
    primary, beside = (
        tuple((row["id"], row["outcome"], tuple(row["contrast"] or ())) for row in some)
        for some in (filter(_is_primary, rows), second)
    )
    hits = [name in rejected for name, *_ in primary]
    return Counts(primary, rejected, int(any(hits)), int(all(hits)), missing, beside=beside)


def _is_primary(row: Mapping[str, Any]) -> bool:
    return bool(row["role"] == "primary")


def _entry(planned: PlannedTrial, n: int, effect: float, counts: Counts, sims: int) -> dict[str, Any]:
    """Power at one size and effect, row by row."""
    rows = [_of_row(planned, n, effect, row, counts, sims) for row in counts.rows]
    second = {"secondary": [_of_row(planned, n, effect, row, counts, sims) for row in counts.beside]}
    first = rows[0]
    whole = {"any": counts.some / sims, "all": counts.every / sims}
    looks = {"looks": _looks(planned.plan, n, counts, sims)} if planned.plan.stopping.interim else {}
    return {
        "n": n, "effect": effect, "sims": sims, "rows": rows,
        "analytic": _strictest(first["formulas"]), "simulated": first["simulated"], "mc_error": first["mc_error"],
        **{name: {"power": power, "mc_error": monte_carlo_error(power, sims)} for name, power in whole.items()},
        **looks, **(second if counts.beside else {}),
    }  # fmt: skip


def _looks(plan: Plan, n: int, counts: Counts, sims: int) -> dict[str, Any]:
    """Return where trials stopped, and how many people they took on average."""
    shares = [counts.stopped[look] / sims for look in range(1, len(plan.stopping.looks) + 1)]
    sizes = look_sizes(plan, n)
    mean = counts.people / sims
    # Error of a mean of sizes, from the shares that stopped at each look; the sizes themselves are fixed.
    spread = sum(share * (size - mean) ** 2 for share, size in zip(shares, sizes, strict=True))
    return {"expected_n": mean, "mc_error": math.sqrt(spread / sims), "sizes": list(sizes), "stopped": shares}


def _of_row(planned: PlannedTrial, n: int, effect: float, row: Row, counts: Counts, sims: int) -> dict[str, Any]:
    name, outcome, contrast = row
    power = counts.rejected[name] / sims
    second = planned.study.second_decision
    true = true_difference(planned.study, contrast, effect, planned.given) if second else None
    return {
        "id": name,
        "outcome": outcome,
        "contrast": list(contrast),
        "sides": sides_of(planned.plan.analyses, name),
        "simulated": power,
        "mc_error": monte_carlo_error(power, sims),
        "not_estimable": counts.not_made[name],
        "formulas": [entry.to_json() for entry in _beside(planned, n, effect, row, len(counts.rows))],
    } | ({} if true is None else {"difference": true})


def _beside(planned: PlannedTrial, n: int, effect: float, row: Row, family: int) -> list[FormulaPower]:
    """Formulas for a row that compares an arm with the control, or a level of a factor with the first one.

    None for others, whose difference is 0 here.
    """
    study, (_, outcome, contrast) = planned.study, row
    if study.factors:
        return _of_levels(planned, n, effect, row, family)
    if study.second_decision and contrast and contrast[0] not in {arm.id for arm in study.arms}:
        measured = planned.plan.outcome(outcome)
        return formulas_of_second(planned.plan, study, measured, (row[0], contrast), n, effect, planned.given)
    if len(contrast) != 2 or contrast[1] != study.control.id:
        return []
    if study.allocation.method == "sequence":
        arms = [arm.id for arm in study.arms]
        if len(arms) != 2 or any(sorted(order) != sorted(arms) for order in orders(study.allocation, arms)):
            return []
        compared = (contrast[0], contrast[1])
        return within_people(planned.plan, outcome, compared, n, effect, planned.given, family)
    total = sum(arm.weight for arm in study.arms)
    weights = {arm.id: arm.weight / total for arm in study.arms}
    # Expected and not drawn sizes: a formula has one answer, and the schemes differ in how far sizes stray.
    sizes = (n * weights[contrast[0]], n * weights[contrast[1]])
    clustered = bool(study.allocation.cluster)
    compared = (contrast[0], contrast[1])
    return formulas(
        planned.plan, planned.plan.outcome(outcome), compared, sizes, effect, planned.given, family,
        clustered=clustered, analysis=row_with_margin(planned.plan.analyses, row[0]),
    )  # fmt: skip


def _of_levels(planned: PlannedTrial, n: int, effect: float, row: Row, family: int) -> list[FormulaPower]:
    """Return the formulas of a main effect: two groups, each of the cells at one level."""
    study, (name, outcome, contrast) = planned.study, row
    total = sum(arm.weight for arm in study.arms)
    weight = {arm.id: arm.weight / total for arm in study.arms}
    factor = next((each.id for each in study.factors if each.id in name.split(".")), None)
    if factor is None or len(contrast) != 2:
        return []
    sizes = [n * sum(weight[arm] for arm in study.arms_at(factor, level)) for level in contrast]
    clustered = bool(study.allocation.cluster)
    return formulas(
        planned.plan, planned.plan.outcome(outcome), (contrast[0], contrast[1]), (sizes[0], sizes[1]), effect,
        planned.given, family, clustered=clustered,
    )  # fmt: skip


def _strictest(found: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the first formula at the lowest level, which Holm's first step asks for."""
    level = min((entry["alpha"] for entry in found), default=None)
    return next((entry["power"] for entry in found if entry["alpha"] == level), None)


def monte_carlo_error(power: float, sims: int) -> float:
    """Return standard error of a share of simulated trials.

    Where none of them or all of them count, the binomial formula gives 0, as if the share were known; there it is the
    standard deviation of the share given the trials, by Jeffreys' prior.
    """
    if 0 < power < 1:
        return float(np.sqrt(power * (1 - power) / sims))
    return float(np.sqrt(0.5 * (sims + 0.5) / (sims + 2)) / (sims + 1))


def _schemes(planned: PlannedTrial, n: int, seed: int) -> list[dict[str, Any]]:
    # A key that no cell can have, so that the properties of schemes share no draws with the simulated trials.
    rng = np.random.default_rng(np.random.SeedSequence([seed, 2**31]))
    study = planned.study
    if study.allocation.method == "sequence":
        return []  # orders are allocated: guessing one says nothing of a period that all treatments share
    margins = {name: dict.fromkeys(values, 1.0) for name, values in planned.margins.items()}
    margins = {name: shares for name, shares in margins.items() if name in study.allocation.variables}
    clustered = planned.profiles(n, rng) if study.allocation.cluster else None
    found = scheme_properties(study.allocation, study.arms, n, margins=margins, profiles=clustered, rng=rng)
    return [
        {
            "method": scheme["method"],
            "chosen": scheme["chosen"],
            "mean_imbalance": scheme["imbalance"]["overall"]["mean"],
            "imbalance_95": scheme["imbalance"]["overall"]["p95"],
            "predictability": scheme["predictability"]["mean"],
            "chance": found["chance"],
        }
        for scheme in found["schemes"]
    ]
