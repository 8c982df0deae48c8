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
from analysis.estimators.core.effect_sizes import alike
from analysis.estimators.core.validation import AnalysisError, Floats, as_numbers, complete

_FEWEST = 5
"""Ratings of which pingouin computes an analysis of variance."""
RATED_BY_ALL = "leave out units that a rater did not rate, or use krippendorff_alpha"
"""What to do about missing ratings."""


def icc(ratings: pd.DataFrame | ArrayLike, kind: str | None = None, level: float = 0.95) -> Any:
    """Intraclass correlations of Shrout and Fleiss: all six as a table, or the one named.

    Formula: mean squares of the units x raters analysis of variance; exact F intervals, for ICC2 the approximate one
    with Satterthwaite's degrees of freedom (absolute agreement). Columns: type, ICC, F, df1, df2, p, lower, upper;
    a limit that does not exist is missing.
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
    x = np.column_stack([as_numbers(complete(frame, name, RATED_BY_ALL)) for name in frame.columns])
    table = _icc_table(x, level)
    if kind is None:
        return table
    if not isinstance(kind, str):
        raise AnalysisError.of("kind", f"{kind!r} is not known", f"use one of {', '.join(table.index)}")
    name = kind.upper().replace("K", "k").replace("(", "").replace(")", "").replace(",", "")
    if name not in table.index:
        raise AnalysisError.of("kind", f"{kind!r} is not known", f"use one of {', '.join(table.index)}")
    row: Any = table.loc[name]
    low, high = (None if np.isnan(row[end]) else float(row[end]) for end in ("lower", "upper"))
    return Coefficient(
        float(row["ICC"]), ci_low=low, ci_high=high, ci_level=level,
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
    # Equal decimals, too, have variances of 0, and not of rounding.
    x = np.zeros_like(x) if alike(x.ravel()) else x
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
        limits = _icc_limits(x, level)
    table["lower"], table["upper"] = ([limits[name][end] for name in table.index] for end in (0, 1))
    return table


def _icc_limits(x: Floats, level: float) -> dict[str, tuple[float, float]]:
    """Limits at any level, unrounded: pingouin has those of 95% to two decimals."""
    (n, k), tail = x.shape, (1 - level) / 2
    units, raters = x.mean(axis=1, keepdims=True) - x.mean(), x.mean(axis=0) - x.mean()
    between = k * float((units**2).sum()) / (n - 1)
    of_raters = n * float((raters**2).sum()) / (k - 1)
    error = _unless_rounding(float(((x - x.mean() - units - raters) ** 2).sum()), x) / ((n - 1) * (k - 1))
    within = _unless_rounding(float(((x - x.mean() - units) ** 2).sum()), x) / (n * (k - 1))
    found: dict[str, tuple[float, float]] = {}
    for name, rest, df in (("ICC1", within, n * (k - 1)), ("ICC3", error, (n - 1) * (k - 1))):
        # Shrout & Fleiss (1979): the F ratio over its own quantiles bounds the ratio of true variances, of which each
        # ICC is a function.
        low, high = between / stats.f.isf(tail, n - 1, df), between * stats.f.isf(tail, df, n - 1)
        found[name] = _ratio(low - rest, low + (k - 1) * rest), _ratio(high - rest, high + (k - 1) * rest)
        found[f"{name}k"] = _ratio(low - rest, low), _ratio(high - rest, high)
    common = k * of_raters + (k * n - k - n) * error
    df = _satterthwaite(between, of_raters, error, n, k)
    upper_f, lower_f = stats.f.isf(tail, n - 1, df), stats.f.isf(tail, df, n - 1)
    low = _ratio(n * (between - upper_f * error), upper_f * common + n * between)
    high = _ratio(n * (lower_f * between - error), common + n * lower_f * between)
    found["ICC2"] = (low, high)
    found["ICC2k"] = _of_the_mean(low, k), _of_the_mean(high, k)
    return found


def _unless_rounding(squares: float, x: Floats) -> float:
    """Return a sum of squares, 0 where it is what rounding leaves of equal ratings."""
    return squares if squares > 1e-24 * x.size * float((x**2).max()) else 0.0


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom else float("nan")


def _satterthwaite(between: float, of_raters: float, error: float, n: int, k: int) -> float:
    """Degrees of freedom of the sum of two estimated variances, raters' and error's, that ICC2 rests on."""
    if not error:  # the raters' variance alone
        return float(k - 1)
    icc2 = (between - error) / (between + (k - 1) * error + k * (of_raters - error) / n)
    j, one = k * icc2 * of_raters / error, n * (1 + (k - 1) * icc2) - k * icc2
    return float((k - 1) * (n - 1) * (j + one) ** 2 / ((n - 1) * j**2 + one**2))


def _of_the_mean(icc2: float, k: int) -> float:
    """Return the correlation of means of k raters; it falls without end as that of single ones nears -1/(k - 1)."""
    return icc2 * k / (1 + icc2 * (k - 1)) if 1 + icc2 * (k - 1) > 0 else float("nan")
