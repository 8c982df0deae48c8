"""The pre-declared way down where a model does not bear its covariates: Lin -> ANCOVA with HC2 -> unadjusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.checks import Trial
from analysis.estimators.assignments import replicate
from analysis.estimators.replicated import Regression, Test
from analysis.results import Estimate
from study_app.domain.plan import Fallback


@dataclass(frozen=True)
class Model:
    """What remains of the planned adjustment."""

    kind: Literal["lin", "ancova", "mean"]
    covariates: tuple[str, ...]
    reason: str = ""
    """Why it is not Lin's; empty where it is."""


def choose(
    data: pd.DataFrame, arms: Sequence[str], covariates: Sequence[str], strata: Sequence[str], rule: Fallback
) -> Model:
    """The highest step that the data bear.

    Lin's model needs at most one covariate column (strata counted by their levels less one) for each
    `people_per_covariate` people and no leverage above `max_leverage`. ANCOVA takes as many covariates as that allows,
    first named first kept, under the same leverage. Else the difference is unadjusted.

    Args:
        data: complete cases, with `arm`.
        arms: control first.
        covariates: numeric columns in the plan's order.
        strata: columns of categories.
        rule: the plan's thresholds.
    """
    varying = [name for name in covariates if data[name].nunique() > 1]
    levels = sum(max(0, data[name].nunique() - 1) for name in strata)
    allowed = int(len(data) / rule.people_per_covariate)
    if len(varying) + levels > allowed:
        reason: str | None = f"{len(varying) + levels} covariates for {len(data)} people"
    else:
        reason = _unfit(data, arms, varying, strata, rule, interacted=True)
    if reason is None:
        return Model("lin", tuple(varying))
    fewer = varying[:allowed]
    if fewer and _unfit(data, arms, fewer, (), rule, interacted=False) is None:
        return Model("ancova", tuple(fewer), reason)
    return Model("mean", (), reason)


def _unfit(
    data: pd.DataFrame,
    arms: Sequence[str],
    covariates: Sequence[str],
    strata: Sequence[str],
    rule: Fallback,
    *,
    interacted: bool,
) -> str | None:
    """Why a model does not bear these columns; None where it does."""
    x = data[list(covariates)].to_numpy(dtype=float)
    x = x - x.mean(axis=0)
    treated = [(data["arm"] == arm).to_numpy(dtype=float)[:, None] for arm in arms[1:]]
    blocks = [pd.get_dummies(data[name], drop_first=True).to_numpy(dtype=float) for name in strata]
    parts = [np.ones((len(data), 1)), *treated, x, *blocks, *([arm * x for arm in treated] if interacted else [])]
    basis, scale, _ = np.linalg.svd(np.column_stack(parts), full_matrices=False)
    kept = scale > scale.max() * 1e-10
    if kept.sum() >= len(data):
        return f"{len(data)} people for {int(kept.sum())} coefficients"
    leverage = float((basis[:, kept] ** 2).sum(axis=1).max())
    return f"largest leverage {leverage:.3f}" if leverage > rule.max_leverage else None


def ancova_rerandomization(
    data: pd.DataFrame,
    *,
    outcome: str,
    arm: str,
    control: str,
    covariates: Sequence[str],
    level: float,
    seed: int,
    replicates: int,
    scheme: Any = None,
    arms: Sequence[str] | None = None,
    stratum: str | None = None,
) -> list[Estimate]:
    """Re-randomisation test of the ANCOVA-adjusted difference over its HC2 standard error, interval by inversion.

    One row for each arm but the control; columns and scheme as in the method `rerandomization`.
    Reference: Zhao & Ding (2021), J. Econometrics 225:278-294.
    """
    trial = Trial(
        data, "rerandomization", outcome, arm, control, tuple(covariates),
        (stratum,) if stratum and scheme is None else (), level=level, seed=seed,
    )  # fmt: skip
    drawn = replicate(trial, scheme, replicates, arms)
    ones = np.ones((len(data), 1))
    x = trial.x[0]
    model = Regression(trial.y, np.column_stack([ones, x - x.mean(axis=0)]), 1, "HC2")
    rows = []
    for pair in trial.pairs():
        shift = (trial.codes == pair.index).astype(float)
        count = len(trial.labels)
        observed, others = model.moments(trial.codes, drawn.codes, pair.index, count, shift)
        if not np.isfinite(observed.studentised()[0]):
            rows.append(pair.estimate(note="not estimable: the statistic does not exist for the observed assignment"))
            continue
        test = Test(observed, others, drawn.exact, "two-sided")
        low, high = test.interval(level)
        rows.append(
            pair.estimate(
                estimate=float(observed.a[0]),
                std_error=float(np.sqrt(observed.yy[0])),
                df=float(len(trial.y) - model.fixed.shape[1] - (count - 1)),
                statistic=float(observed.studentised()[0]),
                p_value=test.p_value(),
                ci_low=low,
                ci_high=high,
                note=f"{drawn.how}: {len(drawn.codes)} assignments, ANCOVA, HC2 variance",
            )
        )
    return rows
