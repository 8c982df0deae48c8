"""What rehearsed trials come to: power, type I error, coverage, cost and time, each with its Monte Carlo error."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from analysis.pipeline.power.trial_power import monte_carlo_error
from analysis.pipeline.power.with_margin import sides_of
from study_app.domain.study.rehearsal.section import NULL, RehearsalLevel, Scenario
from study_app.domain.study.study import Study
from study_app.rehearsal.trials import TrialResult

Figure = dict[str, float | None]
"""`value` and its Monte Carlo standard error `mc_error`; None where there is nothing to count."""


def figures(
    study: Study,
    scenarios: Sequence[Scenario],
    results: Sequence[TrialResult],
    *,
    level: RehearsalLevel,
    participants: int,
    trials: int,
    seed: int,
) -> dict[str, Any]:
    """Return the figures of a rehearsal as JSON types.

    `alpha`, `multiplicity`, `family`: the plan's rule. `scenarios`: for each its assumptions; `any` and `all`, the
    share of trials that reject a primary row, or all of them, after the plan's rule; for each row `role`, `sides` of
    its test, `rejected` (of the scenario without effects: the type I error), `rejected_unadjusted`, `coverage`,
    `mean_estimate`, `mean_true`, `bias`, `not_estimable`; `people` by status and arm, `minutes` a person,
    `person_hours` and `usd` a trial; with planned looks `looks`: the share of trials that stopped at each, and the
    people allocated until then.
    """
    entries = [
        _scenario(scenario, [result for result in results if result.scenario == scenario.id], study, participants)
        for scenario in scenarios
    ]
    return {
        "study": study.id,
        "level": level,
        "participants": participants,
        "trials": trials,
        "seed": seed,
        "alpha": _alpha(study),
        "family": max((sum(map(_primary, entry["rows"])) for entry in entries), default=0),
        "multiplicity": study.analysis.multiplicity.method,
        "expected": study.rehearsal.model_dump(mode="json", exclude={"scenarios", "participants"}),
        "scenarios": entries,
    }


def _alpha(study: Study) -> float:
    return round(1 - study.analysis.level, 12)


def _scenario(scenario: Scenario, trials: Sequence[TrialResult], study: Study, participants: int) -> dict[str, Any]:
    alpha = _alpha(study)
    decided = [[_rejects(row, alpha) for row in trial.rows if _primary(row)] for trial in trials]
    costs = [trial.usd for trial in trials if trial.usd is not None]
    statuses, arms = Counter[str](), Counter[str]()
    for trial in trials:
        statuses.update(trial.statuses)
        arms.update(trial.arms)
    return {
        "id": scenario.id,
        "assumed": scenario.model_dump(mode="json", exclude={"id"}),
        "null": scenario.id == NULL,
        "any": share([any(row) for row in decided]),
        "all": share([bool(row) and all(row) for row in decided]),
        "rows": _rows(trials, study),
        "people": {
            "statuses": {name: count / len(trials) for name, count in sorted(statuses.items())},
            "arms": {name: count / len(trials) for name, count in arms.items()},
        },
        "minutes": mean([trial.minutes for trial in trials]),
        # Of those who came before a look that stopped the trial, where there are looks.
        "person_hours": fmean(trial.minutes * _people(trial, participants) for trial in trials) / 60,
        "usd": mean(costs),
    } | _looks(trials)


def _people(trial: TrialResult, participants: int) -> int:
    return participants if trial.look is None else sum(trial.statuses.values())


def _looks(trials: Sequence[TrialResult]) -> dict[str, Any]:
    taken = [trial for trial in trials if trial.look is not None]
    if not taken:
        return {}
    stopped = [share([trial.look == look for trial in taken]) for look in range(1, max(t.look or 0 for t in taken) + 1)]
    return {"looks": {"stopped": stopped, "expected_n": mean([float(sum(trial.arms.values())) for trial in taken])}}


def _rows(trials: Sequence[TrialResult], study: Study) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for trial in trials:
        for row in trial.rows:
            found.setdefault(row["id"], []).append(row)
    return [
        _rates_of_row(rows, _alpha(study)) | {"sides": sides_of(study.analysis.analyses, name)}
        for name, rows in found.items()
    ]


def _rates_of_row(rows: Sequence[dict[str, Any]], alpha: float) -> dict[str, Any]:
    first = rows[0]
    known = [row for row in rows if row["true"] is not None and row["estimate"] is not None]
    spans = [row for row in known if row["ci_low"] is not None and row["ci_high"] is not None]
    return {
        "id": first["id"],
        "outcome": first["outcome"],
        "role": first["role"],
        "contrast": first["contrast"],
        "rejected": share([_rejects(row, alpha) for row in rows]),
        "rejected_unadjusted": share([row["p_value"] is not None and row["p_value"] <= alpha + 1e-12 for row in rows]),
        "coverage": share([row["ci_low"] <= row["true"] <= row["ci_high"] for row in spans]),
        "mean_estimate": mean([row["estimate"] for row in rows if row["estimate"] is not None]),
        "mean_true": mean([row["true"] for row in known]),
        # Differences within trials and not of the two means: the truth varies with the people drawn, and its variance
        # cancels.
        "bias": mean([row["estimate"] - row["true"] for row in known]),
        "not_estimable": sum(row["estimate"] is None for row in rows),
    }


def _primary(row: Mapping[str, Any]) -> bool:
    return bool(row["role"] == "primary")


def _rejects(row: dict[str, Any], alpha: float) -> bool:
    """Return whether the plan's rule rejects; a row that could not be computed does not."""
    p = row["p_value"] if row["p_adjusted"] is None else row["p_adjusted"]
    return p is not None and p <= alpha + 1e-12


def share(hits: Sequence[bool]) -> Figure:
    """Return a share of trials with its Monte Carlo error."""
    if not hits:
        return {"value": None, "mc_error": None}
    value = sum(hits) / len(hits)
    return {"value": value, "mc_error": monte_carlo_error(value, len(hits))}


def mean(values: Sequence[float]) -> Figure:
    """Return a mean over trials with its Monte Carlo error."""
    if not values:
        return {"value": None, "mc_error": None}
    spread = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return {"value": fmean(values), "mc_error": spread}
