"""Planned looks of a rehearsed trial: where it stops, and what its rows say there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.data.dataset import Dataset
from analysis.pipeline.analyse import primary_rows
from analysis.pipeline.power.staged_trials import first_people, stopped_trial
from analysis.pipeline.prepare import prepare
from study_app.domain.errors import UserError
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.rehearsal.section import RehearsalLevel


@dataclass(frozen=True)
class StoppedRows:
    """What a trial with planned looks found where it stopped."""

    look: int
    people: int
    """Allocated until then."""
    rows: tuple[dict[str, Any], ...]
    """Primary rows, p adjusted for the looks and the family; after them secondary rows, at which no look is taken."""


def require_looks_played(plan: Plan, level: RehearsalLevel) -> None:
    """Refuse planned looks at a level that would play every trial to its end.

    Raises:
        UserError: it would.
    """
    if plan.stopping.interim and level == "services":
        raise UserError(
            "--level services: plays every trial to its end, and the plan looks at the data before "
            "(analysis.stopping); use --level outcomes, which stops trials as planned"
        )


def stopped_rows(plan: Plan, dataset: Dataset, seed: int, beside: Sequence[str]) -> StoppedRows:
    """Look at a trial as planned, and return its rows where it stops.

    Args:
        plan: with looks.
        dataset: everybody, in order of allocation.
        seed: of the trial.
        beside: methods whose secondary rows are counted, too.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    trial = stopped_trial(plan, dataset, len(dataset.participants), rng)
    rows = list(trial.rows)
    if beside:
        prepared = prepare(first_people(dataset, trial.n), plan, include_simulated=True)
        made = primary_rows(prepared, seed=seed % 2**31, intervals=True, after_looks=False, beside=tuple(beside))
        rows += [row for row in made if row["role"] != "primary"]
    return StoppedRows(trial.look, trial.n, tuple(rows))
