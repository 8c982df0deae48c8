"""Intraclass correlations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.estimators.core.coefficient import Coefficient
from analysis.estimators.core.validation import AnalysisError, Floats, as_numbers, complete


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
    frame = ratings if isinstance(ratings, pd.DataFrame) else pd.DataFrame(np.asarray(ratings))
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
    n, k = x.shape
    if n < 2:
        raise AnalysisError.of("ratings", f"{n} unit(s)", "give at least two units")
    grand, rows, columns = x.mean(), x.mean(axis=1), x.mean(axis=0)
    msr = k * ((rows - grand) ** 2).sum() / (n - 1)
    msc = n * ((columns - grand) ** 2).sum() / (k - 1)
    msw = ((x - rows[:, None]) ** 2).sum() / (n * (k - 1))
    mse = ((x - rows[:, None] - columns[None, :] + grand) ** 2).sum() / ((n - 1) * (k - 1))
    with np.errstate(all="ignore"):
        values = {
            "ICC1": (msr - msw) / (msr + (k - 1) * msw),
            "ICC2": (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n),
            "ICC3": (msr - mse) / (msr + (k - 1) * mse),
            "ICC1k": (msr - msw) / msr,
            "ICC2k": (msr - mse) / (msr + (msc - mse) / n),
            "ICC3k": (msr - mse) / msr,
        }
        limits = _icc_limits(values["ICC2"], np.asarray([msr, msc, msw, mse]), n, k, level)
        one, three = (n - 1, n * (k - 1), msr / msw), (n - 1, (n - 1) * (k - 1), msr / mse)
    found = []
    for name, value in values.items():
        df1, df2, f = one if name.startswith("ICC1") else three
        low, high = limits[name]
        p = float(stats.f.sf(f, df1, df2))
        found.append((name, float(value), float(f), df1, df2, p, float(low), float(high)))
    table = pd.DataFrame(found, columns=["type", "ICC", "F", "df1", "df2", "p", "lower", "upper"])
    return table.set_index("type", drop=False).rename_axis(None)


def _icc_limits(icc2: float, ms: Floats, n: int, k: int, level: float) -> dict[str, tuple[float, float]]:
    msr, msc, msw, mse = ms
    tail = (1 - level) / 2
    found: dict[str, tuple[float, float]] = {}
    for name, f, df2 in (("ICC1", msr / msw, n * (k - 1)), ("ICC3", msr / mse, (n - 1) * (k - 1))):
        low, high = f / stats.f.isf(tail, n - 1, df2), f * stats.f.isf(tail, df2, n - 1)
        found[name] = ((low - 1) / (low + k - 1), (high - 1) / (high + k - 1))
        found[f"{name}k"] = (1 - 1 / low, 1 - 1 / high)
    fj = msc / mse
    top = (k - 1) * (n - 1) * (k * icc2 * fj + n * (1 + (k - 1) * icc2) - k * icc2) ** 2
    bottom = (n - 1) * k**2 * icc2**2 * fj**2 + (n * (1 + (k - 1) * icc2) - k * icc2) ** 2
    v = top / bottom
    upper_f, lower_f = stats.f.isf(tail, n - 1, v), stats.f.isf(tail, v, n - 1)
    low = n * (msr - upper_f * mse) / (upper_f * (k * msc + (k * n - k - n) * mse) + n * msr)
    high = n * (lower_f * msr - mse) / (k * msc + (k * n - k - n) * mse + n * lower_f * msr)
    found["ICC2"] = (low, high)
    found["ICC2k"] = (low * k / (1 + low * (k - 1)), high * k / (1 + high * (k - 1)))
    return found
