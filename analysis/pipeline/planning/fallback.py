"""The pre-declared way down where a model does not bear its covariates: Lin -> ANCOVA with HC2 -> unadjusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.estimators.attrition import MANY
from analysis.estimators.core.validation import Floats, dummies, groups
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Fallback

LADDER = ("rerandomization", "lin")
"""Methods that begin with Lin's model and step down from it."""


@dataclass(frozen=True)
class AdjustmentModel:
    """What remains of the planned adjustment."""

    kind: Literal["lin", "ancova", "mean"]
    covariates: tuple[str, ...]
    strata: tuple[str, ...] = ()
    reason: str = ""
    """Why it is not Lin's; empty where it is."""


def choose(
    data: pd.DataFrame, arms: Sequence[str], covariates: Sequence[str], strata: Sequence[str], rule: Fallback
) -> AdjustmentModel:
    """Return the highest step that the data bear.

    Lin's model (covariates interacted with the arms, strata as main effects) needs at most one column (covariates, and
    what the strata add to them) for each `people_per_covariate` people and no leverage above `max_leverage`. ANCOVA
    takes what fits that number and that leverage, the strata first, for they decided the allocation, and then the
    covariates in the plan's order; what does not fit is passed over. Where nothing fits, the difference is unadjusted.

    Args:
        data: complete cases, with `arm`.
        arms: control first.
        covariates: numeric columns in the plan's order.
        strata: columns of categories.
        rule: the plan's thresholds.
    """
    varying = tuple(name for name in covariates if data[name].nunique() > 1)
    factors = tuple(name for name in strata if data[name].nunique() > 1)
    reason = _unfit(data, arms, (*varying, *factors), rule, interacted=len(varying))
    if reason is None:
        return AdjustmentModel("lin", varying, factors)
    kept: list[str] = []
    for name in (*factors, *varying):
        if _unfit(data, arms, (*kept, name), rule, interacted=0) is None:
            kept.append(name)
    chosen = [tuple(name for name in names if name in kept) for names in (varying, factors)]
    return AdjustmentModel("ancova" if kept else "mean", chosen[0], chosen[1], reason)


def within_cells(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that works in cells of covariates and strata, with as many as leave both arms in every cell.

    Each cell needs enough people for an error, too. The last is left out first; what a cell is made of stands in the
    row's note. Indicators of missing values make no cells: their people have the mean, and are with those whose level
    is nearest to it. Raises what the method raises of a single covariate where none leaves both.
    """

    def called(data: pd.DataFrame, *, covariates: Sequence[str] = (), stratum: Sequence[str] = (), **rest: Any) -> Any:
        names = [(name, "stratum") for name in stratum]
        names += [(name, "covariates") for name in covariates if not name.startswith("_missing_")]
        for count in range(len(names), 0, -1):
            kept = {key: tuple(n for n, kind in names[:count] if kind == key) for key in ("covariates", "stratum")}
            try:
                found = method(_with_levels(data, kept["covariates"]), **kept, **rest)
            except StudyError:
                if count == 1:
                    raise
                continue
            if count == 1 or all(row.effect_size for row in (found if isinstance(found, list) else [found])):
                return found
        raise LookupError("no covariate and no stratum to form cells of")

    return called


def _with_levels(data: pd.DataFrame, covariates: Sequence[str]) -> pd.DataFrame:
    """Return the data with the mean that stands for a missing level replaced by the level nearest to it.

    A mean between two levels would be a further cell, of the few people whose level is missing.
    """
    changed = {}
    for name in covariates:
        flag = name.replace("_x_", "_missing_", 1)
        missing = data[flag] == 1 if flag in data else pd.Series(data=False, index=data.index)
        levels = np.unique(data.loc[~missing, name]) if missing.any() else np.empty(0)
        if 0 < len(levels) <= MANY:
            near = [levels[np.abs(levels - value).argmin()] for value in data.loc[missing, name]]
            changed[name] = data[name].mask(missing, pd.Series(near, index=data.index[missing]))
    return data.assign(**changed)


def _unfit(
    data: pd.DataFrame, arms: Sequence[str], names: Sequence[str], rule: Fallback, *, interacted: int
) -> str | None:
    """Why a model does not bear these columns, the first of them interacted with the arms; None where it does."""
    blocks = [_columns(data, name) for name in names]
    ones = np.ones((len(data), 1))
    count = int(np.linalg.matrix_rank(np.column_stack([ones, *blocks]))) - 1
    if count > len(data) / rule.people_per_covariate:
        return f"{count} covariates for {len(data)} people"
    treated = [(data["arm"] == arm).to_numpy(dtype=float)[:, None] for arm in arms[1:]]
    products = [arm * block for arm in treated for block in blocks[:interacted]]
    basis, scale, _ = np.linalg.svd(np.column_stack([ones, *treated, *blocks, *products]), full_matrices=False)
    # Directions that the columns do not span have singular values of rounding size; counted, they would add leverage.
    kept = scale > scale.max() * 1e-10
    if kept.sum() >= len(data):
        return f"{len(data)} people for {int(kept.sum())} coefficients"
    # Row sums of the squared left singular vectors are the diagonal of the hat matrix, without inverting X'X.
    leverage = float((basis[:, kept] ** 2).sum(axis=1).max())
    if leverage > rule.max_leverage:
        return f"largest leverage {leverage:.3f}"
    spanned = int(np.linalg.matrix_rank(np.column_stack([ones, *blocks[:interacted]])))
    shared = kept.sum() == 1 + count + len(treated) * (spanned if interacted else 1)
    return None if shared else "the arms do not share the levels of a covariate"


def _columns(data: pd.DataFrame, name: str) -> Floats:
    """Return a covariate about its mean, or a factor's indicators, (n, columns)."""
    if pd.api.types.is_numeric_dtype(data[name]):
        values = data[[name]].to_numpy(dtype=float)
        # Centred for the sake of the singular values: next to the intercept and the arms it changes no leverage.
        return np.asarray(values - values.mean(axis=0), dtype=np.float64)
    codes, labels = groups(data, [name])
    return dummies(codes, len(labels))
