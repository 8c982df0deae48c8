"""Do two looks keep their promises as the pipeline takes them? Simulated trials of known truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.design.sequential import TakenLook
from analysis.design.validation import ValidationFinding, repeated, share
from analysis.estimators.core.results import Estimate
from analysis.estimators.methods import METHODS
from analysis.pipeline.looks.final import Looks, after_looks
from analysis.pipeline.looks.rows import looked_at
from study_app.domain.study.analysis_plan import Plan

PEOPLE = 80
EFFECT = 0.6
"""Standard deviations between the arms where there is an effect, so that many trials stop at the first look."""
REPLICATES = 499
KINDS: dict[str, dict[str, Any]] = {
    "O'Brien-Fleming": {"kind": "obrien_fleming"},
    "Pocock": {"kind": "pocock"},
    "spending": {"kind": "spending", "spending": "obrien_fleming"},
}


def plan_of(kind: str) -> Plan:
    """Return a plan with one primary outcome and a look at half of the people."""
    return Plan.model_validate(
        {"outcomes": [{"id": "y"}], "primary": ["y"], "estimands": [],
         "stopping": {"looks": [0.5, 1.0], **KINDS[kind]}}
    )  # fmt: skip


def _rerandomized_row(table: pd.DataFrame, rng: np.random.Generator) -> Estimate:
    blocks = rng.permuted(np.tile([0, 0, 1, 1], (REPLICATES * len(table) // 4, 1)), axis=1)
    row: Any = METHODS["rerandomization"](
        table, outcome="y", arm="arm", control=0, covariates=("x",), interval=False,
        scheme=blocks.reshape(REPLICATES, len(table)),
    )  # fmt: skip
    named: Estimate = replace(row, id="y.rerandomization", role="primary", outcome="y")
    return named


def ended(kind: str, effect: float, seed: np.random.SeedSequence) -> list[dict[str, float]]:
    """Run one trial: the first look, the end where it is reached, and what the final analysis then says."""
    rng = np.random.default_rng(seed)
    arm = rng.permuted(np.tile([0, 0, 1, 1], (PEOPLE // 4, 1)), axis=1).ravel()
    x = rng.normal(size=PEOPLE)
    y = 0.5 * x + rng.normal(size=PEOPLE) * (1 + 0.5 * arm) + effect * arm
    table = pd.DataFrame({"arm": arm, "x": x, "y": y})
    plan, half = plan_of(kind), PEOPLE // 2
    first = _rerandomized_row(table[:half].reset_index(drop=True), rng)
    result = looked_at(plan, [TakenLook(1, half, 0.5)], {}, [first.to_json()])
    entry = {"look": 1, "n": half, "target": PEOPLE, "information": 0.5, "result": result}
    stops = result["decision"] == "efficacy"
    last = first if stops else _rerandomized_row(table, rng)
    looks = Looks(plan, (entry,), half if stops else PEOPLE, PEOPLE, not stops, hidden=False)
    (row,) = after_looks(looks, [last])
    plain = float(min(first.p_value or 1.0, last.p_value or 1.0) <= 0.05)
    if row.p_value is None or row.ci_low is None or row.ci_high is None or row.estimate is None:
        return [{"p": np.nan, "hit": np.nan, "below": np.nan, "plain": plain, "stops": float(stops)}]
    return [{
        "p": float(row.p_value <= 0.05), "hit": float(row.ci_low <= effect <= row.ci_high),
        "below": float(row.estimate < effect), "plain": plain, "stops": float(stops),
    }]  # fmt: skip


def two_looks_of(kind: str, trials: int, workers: int = 1) -> list[ValidationFinding]:
    """Type I error, coverage and the median of the final estimate under one kind of boundary."""
    own = 1500 + 10 * list(KINDS).index(kind)
    null = repeated(partial(ended, kind, 0.0), trials, own, workers)
    real = repeated(partial(ended, kind, EFFECT), trials, own + 1, workers)
    name = f"two looks through the pipeline, {kind}"
    return [
        share(f"{name}: final p at most .05, no effect", null.p, 0.05),
        share(f"{name}: either look at .05 without boundaries, no effect", null.plain, 0.05, "shown"),
        share(f"{name}: final interval holds no effect", null.hit, 0.95),
        share(f"{name}: final interval holds an effect of {EFFECT}", real.hit, 0.95),
        share(f"{name}: final estimate below an effect of {EFFECT}", real.below, 0.5),
    ]


def looks_gates(trials: int, workers: int = 1) -> Iterator[tuple[str, Callable[[], list[ValidationFinding]]]]:
    """Name of each part and what computes it."""
    for kind, rule in KINDS.items():
        yield f"pipeline_looks_{rule['kind']}", partial(two_looks_of, kind, trials, workers)
