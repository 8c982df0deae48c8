"""Intraclass correlations."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.estimators.core.argument_kinds import share, table_of
from analysis.estimators.core.coefficient import Coefficient
from analysis.estimators.core.validation import AnalysisError, Floats, as_numbers, complete

_FEWEST = 5
"""Ratings of which pingouin computes an analysis of variance."""


def icc(ratings: pd.DataFrame | ArrayLike, kind: str | None = None, level: float = 0.95) -> Any:
    """Intraclass correlations of Shrout and Fleiss: all six as a table, or the one named.

    Formula: mean squares of the units x raters analysis of variance; exact F intervals, for ICC2 the approximate one
    with Satterthwaite's degrees of freedom (absolute agreement). Columns: type, ICC, F, df1, df2, p, lower, upper.
    `kind`: ICC1, ICC2, ICC3, ICC1k, ICC2k or ICC3k gives that one as a Coefficient.
    Missing data: refused.
    Reference: Shrout & Fleiss (1979), Psychol. Bull. 86:420-428; McGraw & Wong (1996), Psychol. Methods 1:30-46.

    Example:
        >>> table = icc([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
        >>> table["ICC"].round(2).tolist()
        [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    """
    frame, level = table_of("ratings", ratings), share("level", level)
    if frame.shape[1] < 2:
        raise AnalysisError.of("ratings", f"shape {frame.shape}", "give units x raters, at least 2 raters")
    x = np.column_stack([as_numbers(complete(frame, name)) for name in frame.columns])
    table = _icc_table(x, level)
    if kind is None:
        return table
    name = kind.upper().replace("K", "k").replace("(", "").replace(")", "").replace(",", "")
    if name not in table.index:
        raise AnalysisError.of("kind", f"{kind!r} is not known", f"use one of {', '.join(table.index)}")
    row: Any = table.loc[name]
    return Coefficient(
        float(row["ICC"]), ci_low=float(row["lower"]), ci_high=float(row["upper"]), ci_level=level,
        statistic=float(row["F"]), df=(float(row["df1"]), float(row["df2"])), p_value=float(row["p"]),
        n=len(x), note=name,
    )  # fmt: skip


def _icc_table(x: Floats, level: float) -> pd.DataFrame:
    import pingouin  # takes a second to import

    n, k = x.shape
    if n < 2:
        raise AnalysisError.of("ratings", f"{n} unit(s)", "give at least two units")
    if x.size < _FEWEST:
        raise AnalysisError.of("ratings", f"{x.size} ratings", f"give at least {_FEWEST}")
    long = pd.DataFrame({
        "unit": np.repeat(np.arange(n), k), "rater": np.tile(np.arange(k), n), "rating": x.ravel()
    })  # fmt: skip
    # Raters who agree perfectly have no error variance: F is infinite, which is right and would warn.
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pingouin.intraclass_corr(long, targets="unit", raters="rater", ratings="rating")
        table: pd.DataFrame = found.drop(columns="CI95").rename(columns={"Type": "type", "pval": "p"})
        table["type"] = ["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"]
        table = table.set_index("type", drop=False).rename_axis(None)
        limits = _icc_limits(table, x, level)
    table["lower"], table["upper"] = ([limits[name][end] for name in table.index] for end in (0, 1))
    return table


def _icc_limits(table: pd.DataFrame, x: Floats, level: float) -> dict[str, tuple[float, float]]:
    """Limits at any level, unrounded: pingouin has those of 95% to two decimals."""
    (n, k), tail = x.shape, (1 - level) / 2
    found: dict[str, tuple[float, float]] = {}
    for name in ("ICC1", "ICC3"):
        f, df2 = float(table["F"][name]), float(table["df2"][name])
        # Shrout & Fleiss (1979): the F ratio over its own quantiles bounds the ratio of true variances, of which each
        # ICC is a function.
        low, high = f / stats.f.isf(tail, n - 1, df2), f * stats.f.isf(tail, df2, n - 1)
        found[name] = ((low - 1) / (low + k - 1), (high - 1) / (high + k - 1))
        found[f"{name}k"] = (1 - 1 / low, 1 - 1 / high)
    icc2, f = float(table["ICC"]["ICC2"]), float(table["F"]["ICC2"])
    raters = x.mean(axis=0) - x.mean()
    errors = x - x.mean(axis=1, keepdims=True) - raters
    j = float(n * (n - 1) * (raters**2).sum() / (errors**2).sum())  # mean square of the raters over the error's
    top = (k - 1) * (n - 1) * (k * icc2 * j + n * (1 + (k - 1) * icc2) - k * icc2) ** 2
    bottom = (n - 1) * k**2 * icc2**2 * j**2 + (n * (1 + (k - 1) * icc2) - k * icc2) ** 2
    # Two variances are estimated, raters' and error's, so their sum has Satterthwaite's degrees of freedom and the
    # interval of ICC2 is approximate.
    v = top / bottom
    upper_f, lower_f = stats.f.isf(tail, n - 1, v), stats.f.isf(tail, v, n - 1)
    low = n * (f - upper_f) / (upper_f * (k * j + (k * n - k - n)) + n * f)
    high = n * (lower_f * f - 1) / (k * j + (k * n - k - n) + n * lower_f * f)
    found["ICC2"] = (low, high)
    found["ICC2k"] = (low * k / (1 + low * (k - 1)), high * k / (1 + high * (k - 1)))
    return found
