"""A made-up trial with planned looks: its rows at each look, until the plan's rule stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from analysis.data.dataset import Dataset, Tables
from analysis.design.sequential import SequentialTest, TakenLook
from analysis.pipeline.analyse import primary_rows
from analysis.pipeline.looks.rows import adjusted_over_family, z_of
from analysis.pipeline.prepare import prepare
from study_app.domain.study.analysis_plan import Plan


@dataclass(frozen=True)
class StoppedTrial:
    """Where a trial ended and what it found."""

    look: int
    n: int
    rows: tuple[dict[str, Any], ...]
    """Primary rows of the last look, p adjusted for the looks and the family."""


def stopped_trial(plan: Plan, dataset: Dataset, n: int, rng: np.random.Generator) -> StoppedTrial:
    """Look at a trial as planned; it stops once every primary row is rejected, or all are below a futility bound.

    Args:
        plan: with looks.
        dataset: everybody, in order of allocation.
        n: people at the planned end.
        rng: where the seeds of the analyses come from.
    """
    sizes = look_sizes(plan, n)
    z: dict[str, list[float]] = {}
    stopped: StoppedTrial | None = None
    for look, size in enumerate(sizes, start=1):
        prepared = prepare(first_people(dataset, size), plan, include_simulated=True)
        made = primary_rows(prepared, seed=int(rng.integers(2**31)), intervals=False, after_looks=False)
        rows = [row for row in made if row["role"] == "primary"]
        for row in rows:
            # A row that could not be made at a look counts with z = 0, as in the pipeline: it crosses nothing, and the
            # error of that look is spent all the same.
            z.setdefault(row["id"], [0.0] * (look - 1)).append(z_of(row))
        stopped = StoppedTrial(look, size, _tested(plan, sizes, rows, z))
        # At the end there is nothing left to stop, and the last rows are the result either way.
        if look < len(sizes) and _stops(plan, look, stopped.rows, z):
            break
    return stopped or StoppedTrial(0, 0, ())


def look_sizes(plan: Plan, n: int) -> tuple[int, ...]:
    """Return people at each look."""
    return (*(plan.stopping.due_at(look, n) for look in range(1, len(plan.stopping.looks))), n)


def first_people(dataset: Dataset, count: int) -> Dataset:
    """Return the trial as it was when so many people were allocated."""
    people = dataset.participants
    kept = people[people["allocation_index"] <= count]
    ids = set(kept["participant_id"])
    tables = {
        name: table[table["participant_id"].isin(ids)].reset_index(drop=True)
        for name, table in ((name, dataset.tables[name]) for name in dataset.tables)
    }
    return Dataset(dataset.path, Tables({}, tables), dataset.study, "", plain=False)


def _tested(
    plan: Plan, sizes: tuple[int, ...], rows: list[dict[str, Any]], z: Mapping[str, list[float]]
) -> tuple[dict[str, Any], ...]:
    looked_up = _table(plan, sizes, len(rows))
    found = [{**row, "sequential_p": looked_up(z[row["id"]])} for row in rows]
    adjusted = adjusted_over_family(plan, found)
    return tuple(
        {**row, "p_adjusted": None if row["p_value"] is None else p} for row, p in zip(found, adjusted, strict=True)
    )


# The table costs numerical integration and depends on sizes and levels alone, which all trials of a cell share.
@lru_cache(maxsize=8)
def _cached(rule: Any, sizes: tuple[int, ...], levels: tuple[float, ...]) -> Any:
    looks = tuple(TakenLook(k, size, share) for k, (size, share) in enumerate(zip(sizes, rule.looks, strict=True), 1))
    return SequentialTest(rule, looks).table(levels)


def _table(plan: Plan, sizes: tuple[int, ...], family: int) -> Any:
    # Holm decides at alpha / k for k from 1 to the size of the family: the table is exact there and interpolates
    # elsewhere.
    return _cached(plan.stopping, sizes, tuple((1 - plan.level) / share for share in range(1, family + 1)))


def _stops(plan: Plan, look: int, rows: tuple[dict[str, Any], ...], z: Mapping[str, list[float]]) -> bool:
    if all(row["p_adjusted"] is not None and row["p_adjusted"] <= 1 - plan.level + 1e-12 for row in rows):
        return True
    bounds = plan.stopping.futility
    return bool(bounds) and all(abs(values[-1]) < bounds[look - 1] for values in z.values())
