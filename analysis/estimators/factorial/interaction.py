"""The difference of two differences of arms: what a condition does with one treatment less what it does without it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize

from analysis.estimators.core.effect_sizes import variance
from analysis.estimators.core.registry import Result, method_over_all_arms
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable
from analysis.estimators.numerics.linear import t_interval
from analysis.estimators.outcomes.proportions import wilson


@method_over_all_arms(without="control")
def difference_of_differences(trial: AnalysisRequest, cells: str = "") -> Result:
    """Difference of two differences between arms: (a - b) - (c - d) for the four arms of `cells`, `a, b, c, d`.

    Formula: of means, with the sum of the four s^2 / n as variance (HC2 of a mean for each arm) and Satterthwaite's
    degrees of freedom. Of an outcome of 0 and 1 the interval combines Wilson's limits of the four shares (MOVER), so
    that arms without any 1 have a width, and p is the error at which this interval ends at 0. Missing data: refused.
    `detail`: the four means.
    Reference: Zou & Donner (2008), Stat. Med. 27:1693-1702; Satterthwaite (1946), Biometrics Bull. 2:110-114.

    Example:
        >>> from analysis.estimators.core.examples import four_arms
        >>> row = difference_of_differences(
        ...     four_arms(), outcome="score", arm="arm", cells="ai_variant, ai, none_variant, none"
        ... )
        >>> round(row.estimate, 4), round(row.std_error, 4), round(row.df, 2)
        (2.0, 1.5275, 5.16)
    """
    names = [name.strip() for name in str(cells).split(",") if name.strip()]
    if len(names) != 4 or len(set(names)) < 4:
        raise AnalysisError.of("cells", f"{names} are not four arms", "name four arms: (a - b) - (c - d)")
    arms = trial.data[trial.arm].astype(str).to_numpy() if trial.arm else np.array([])
    parts = [trial.y[arms == name] for name in names]
    empty = [name for name, part in zip(names, parts, strict=True) if len(part) < 2]
    if empty:
        raise NotEstimable(f"fewer than two people in {empty[0]}")
    if np.ptp(trial.y) == 0:
        raise NotEstimable(f"{trial.outcome!r} has the same value in every row")
    means = [float(part.mean()) for part in parts]
    yes_no = bool(np.isin(trial.y, (0.0, 1.0)).all())
    figures = _of_shares(parts, means, trial.level) if yes_no else _of_means(parts, means, trial.level)
    return trial.estimate(
        **figures, n={name: len(part) for name, part in zip(names, parts, strict=True)},
        detail={"cells": names, "means": means},
        note=f"({names[0]} - {names[1]}) - ({names[2]} - {names[3]})" + ("; limits from Wilson's (MOVER)" * yes_no),
    )  # fmt: skip


def _estimate(means: Sequence[float]) -> float:
    return means[0] - means[1] - means[2] + means[3]


def _of_means(parts: Sequence[Floats], means: Sequence[float], level: float) -> dict[str, float]:
    pieces = np.array([variance(part) / len(part) for part in parts])
    total = float(pieces.sum())
    if not total > 0:
        raise NotEstimable("no arm varies")
    df = total**2 / float((pieces**2 / np.array([len(part) - 1 for part in parts])).sum())
    return t_interval(_estimate(means), float(np.sqrt(total)), df, level)


def _of_shares(parts: Sequence[Floats], means: Sequence[float], level: float) -> dict[str, float]:
    estimate = _estimate(means)

    def limits(at: float) -> tuple[float, float]:
        """Return the interval at a level: each share's limit on the side that moves the estimate there."""
        each = [wilson(int(part.sum()), len(part), at) for part in parts]
        signs = (1, -1, -1, 1)
        down = [mean - low if sign > 0 else high - mean
                for sign, mean, (low, high) in zip(signs, means, each, strict=True)]  # fmt: skip
        up = [high - mean if sign > 0 else mean - low
              for sign, mean, (low, high) in zip(signs, means, each, strict=True)]  # fmt: skip
        return estimate - float(np.hypot.reduce(down)), estimate + float(np.hypot.reduce(up))

    def nearest(error: float) -> float:
        low, high = limits(1 - error)
        return low if estimate > 0 else -high

    low, high = limits(level)
    error = float(np.sqrt(sum(mean * (1 - mean) / len(part) for mean, part in zip(means, parts, strict=True))))
    if estimate == 0 or nearest(1 - 1e-9) <= 0:
        p_value = 1.0
    else:
        p_value = float(optimize.brentq(nearest, 1e-12, 1 - 1e-9)) if nearest(1e-12) < 0 else 1e-12
    return {"estimate": estimate, "std_error": error, "p_value": p_value, "ci_low": low, "ci_high": high}
