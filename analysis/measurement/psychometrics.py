"""How well a test measures: reliability, item statistics, the Rasch model, local dependence.

A table of responses has one row a person and one column an item; arrays and data frames do. Missing cells are refused
(score an unanswered item 0, or drop the person, by the plan).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special, stats

from analysis.estimators.core.argument_kinds import fits, numbers_of, sample_of, share
from analysis.estimators.core.coefficient import Coefficient
from analysis.estimators.core.effect_sizes import alike
from analysis.estimators.core.validation import AnalysisError, Floats
from analysis.estimators.outcomes.rasch import RaschFit, Table, binary_of, rasch_cml, rasch_mml, responses_of

__all__ = ["RaschFit", "alpha", "distractors", "item_statistics", "omega", "one_factor", "q3", "rasch_cml", "rasch_mml"]


def _alpha(covariance: Floats) -> float:
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def alpha(items: Table, level: float = 0.95) -> Coefficient:
    """Cronbach's alpha (KR-20 for 0/1 items) with Feldt's exact interval.

    Formula: k/(k-1) (1 - sum of item variances / variance of the total); limits 1 - (1 - a) F with n-1 and
    (n-1)(k-1) degrees of freedom. `details`: `standardized` (from correlations), `lambda6` (Guttman), `items`,
    `constant`.
    Missing data: refused. Items that everyone answers alike are left out and named; everyone alike: NaN with a note.
    Reference: Cronbach (1951); Feldt, Woodruff & Salih (1987), Appl. Psychol. Meas. 11:93-103.

    Example:
        >>> found = alpha([[1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1]])
        >>> round(found, 6), round(found.ci_low, 6), round(found.ci_high, 6)
        (0.794118, -0.040248, 0.977072)
    """
    import pingouin  # takes a second to import

    answered, level = responses_of(items), share("level", level)
    frame, constant = varying(answered)
    n, k = frame.shape
    details: dict[str, Any] = {"items": k, "constant": constant}
    if n < 2 or k < 2 or alike(frame.sum(axis=1).to_numpy(dtype=np.float64)):
        why = f"; without variation: {', '.join(constant)}" if constant else ""
        return Coefficient(
            np.nan, n=n, ci_level=level, details=details, note=f"not estimable: the totals do not vary{why}"
        )
    value = float(pingouin.cronbach_alpha(frame)[0])  # its interval is rounded to three decimals
    df1, df2, tail = n - 1, (n - 1) * (k - 1), (1 - level) / 2
    limits = [float(1 - (1 - value) * stats.f.ppf(p, df1, df2)) for p in (1 - tail, tail)]
    return Coefficient(
        value, ci_low=limits[0], ci_high=limits[1], ci_level=level, n=n, df=(float(df1), float(df2)),
        note="Feldt interval" + left_out(constant), details={**_companions(np.cov(frame.to_numpy().T)), **details},
    )  # fmt: skip


def varying(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the items that vary, and the names of those that everyone answered alike: they carry no information."""
    constant = [str(name) for name in frame.columns if np.ptp(frame[name].to_numpy()) == 0]
    return frame.drop(columns=constant), constant


def left_out(constant: list[str]) -> str:
    """Return what a note says of constant items."""
    return f"; left out, because everyone answered alike: {', '.join(constant)}" if constant else ""


def _companions(covariance: Floats) -> dict[str, float | None]:
    spread = np.sqrt(np.diag(covariance))
    if not (spread > 0).all():
        return {"standardized": None, "lambda6": None}
    correlation = covariance / np.outer(spread, spread)
    try:
        # Guttman's lambda 6: the diagonal of the inverse holds 1 / (1 - R^2) of each item on the others.
        unexplained = 1 / np.diag(np.linalg.inv(correlation))
        lambda6: float | None = float(1 - unexplained.sum() / correlation.sum())
    except np.linalg.LinAlgError:
        lambda6 = None
    return {"standardized": _alpha(correlation), "lambda6": lambda6}


def omega(items: Table, method: str = "ml") -> Coefficient:
    """McDonald's omega total of a one-factor model fitted by maximum likelihood to the correlations.

    Formula: (sum of loadings)^2 / ((sum of loadings)^2 + sum of uniquenesses). `details`: `loadings`.
    Missing data: refused. Items that everyone answers alike are left out and named. Fewer than three others, or
    collinear items: NaN with a note.
    Reference: McDonald (1999), Test Theory; as R's factanal with one factor.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> trait = rng.normal(size=(200, 1))
        >>> 0.7 < omega(trait + rng.normal(size=(200, 5))) < 0.9
        True
    """
    if method != "ml":
        raise AnalysisError.of("method", f"{method!r} is not known", "only ml is offered")
    frame, constant = varying(responses_of(items))
    details: dict[str, Any] = {"constant": constant}
    if frame.shape[1] < 3 or len(frame) < 3:
        note = "not estimable: needs three items that vary" + left_out(constant)
        return Coefficient(np.nan, n=len(frame), details=details, note=note)
    correlation = np.corrcoef(frame.to_numpy(), rowvar=False)
    # The likelihood of a factor model is unbounded on a singular correlation matrix.
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:
        note = "not estimable: an item is a combination of others"
        return Coefficient(np.nan, n=len(frame), details=details, note=note)
    loadings = one_factor(correlation)
    total = loadings.sum() ** 2
    return Coefficient(
        float(total / (total + (1 - loadings**2).sum())), n=len(frame),
        note="one factor, maximum likelihood, correlations" + left_out(constant),
        details={**details, "loadings": dict(zip(frame.columns, loadings.tolist(), strict=True))},
    )  # fmt: skip


def one_factor(correlation: Floats) -> Floats:
    """Return loadings of one factor by maximum likelihood, by statsmodels; their sum is positive."""
    correlation = numbers_of("correlation", correlation, 2)
    is_square = correlation.shape[0] == correlation.shape[1] and np.isfinite(correlation).all()
    if not is_square or not np.allclose(correlation, correlation.T) or not np.allclose(np.diag(correlation), 1):
        what, remedy = "is not a matrix of correlations", "give items x items, 1 on its diagonal"
        raise AnalysisError.of("correlation", what, remedy)
    from statsmodels.multivariate.factor import Factor  # takes a second to import

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values, vectors = np.linalg.eigh(correlation)
        # The sign of a factor is free; that in which most items load positively is the one to report.
        first = vectors[:, -1] * np.sign(vectors[:, -1].sum() or 1.0) * np.sqrt(values[-1])
        start = (first[:, None] * 0.8, 1 - 0.64 * np.minimum(first, 1.0) ** 2)  # its own start is random
        found = Factor(corr=correlation, n_factor=1, method="ml").fit(maxiter=2000, tol=1e-12, start=start)
    loading = np.clip(np.asarray(found.loadings, dtype=np.float64)[:, 0], -1, 1)
    return np.asarray(loading * np.sign(loading.sum() or 1.0))


def item_statistics(items: Table, maximum: Sequence[float] | float | None = None) -> pd.DataFrame:
    """Return one row an item: n, mean, sd, difficulty, item_total, item_rest, alpha_if_deleted.

    `difficulty` is the mean over the item's maximum (1 for 0/1 items, else `maximum`, else missing); `item_rest`
    correlates the item with the total of the others (corrected discrimination). A correlation with a constant is
    missing.
    Missing data: refused.
    Reference: Lord & Novick (1968), ch. 15.

    Example:
        >>> table = item_statistics([[1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1]])
        >>> table["item_rest"].round(6).tolist()
        [0.763763, 0.559017, 0.612372]
    """
    frame = responses_of(items)
    values = frame.to_numpy()
    if len(values) < 2:
        raise AnalysisError.of("items", f"{len(values)} person", "give at least two people")
    total = values.sum(axis=1)
    tops = _maxima(values, maximum)
    covariance = np.cov(values, rowvar=False)
    rows = []
    for j, name in enumerate(frame.columns):
        others = np.delete(np.arange(values.shape[1]), j)
        remaining = covariance[np.ix_(others, others)]
        rows.append({
            "item": name,
            "n": len(values),
            "mean": values[:, j].mean(),
            "sd": values[:, j].std(ddof=1),
            "difficulty": values[:, j].mean() / tops[j],
            "item_total": _correlation(values[:, j], total),
            "item_rest": _correlation(values[:, j], total - values[:, j]),
            "alpha_if_deleted": _alpha(remaining) if len(others) > 1 and remaining.sum() > 0 else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("item", drop=False).rename_axis(None)


def _maxima(values: Floats, maximum: Sequence[float] | float | None) -> Floats:
    if maximum is not None:
        tops = numbers_of("maximum", maximum)
        if fits(maximum, bool) or len(tops) not in (1, values.shape[1]) or (tops <= 0).any() or np.isinf(tops).any():
            raise AnalysisError.of("maximum", f"{maximum!r}", "give one number above 0, or one for each item")
        return np.broadcast_to(tops, values.shape[1:])
    return np.full(values.shape[1], 1.0 if np.isin(values, (0.0, 1.0)).all() else np.nan)


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-12 else float("nan")


def q3(items: Table, theta: ArrayLike | None = None, difficulty: ArrayLike | None = None) -> pd.DataFrame:
    """Yen's Q3: correlations of the items' residuals from a Rasch model, items x items.

    Residuals are x - expit(theta - b); without `theta` it is logit((score + 0.3) / (k + 0.6)), without `difficulty`
    the conditional-likelihood one. `attrs["mean"]` is the mean off the diagonal: pairs more than 0.2 above it depend
    on each other (Christensen, Makransky & Horton 2017). Missing data: refused.
    Reference: Yen (1984), Appl. Psychol. Meas. 8:125-145.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> chance = special.expit(rng.normal(size=(300, 1)) - np.linspace(-1, 1, 4))
        >>> q3((rng.random((300, 4)) < chance).astype(int)).shape
        (4, 4)
    """
    frame = binary_of(items)
    x = frame.to_numpy()
    k = x.shape[1]
    b = rasch_cml(frame).difficulty.to_numpy() if difficulty is None else _one_each("difficulty", difficulty, k, "item")
    # Moved inwards a little, for scores of 0 and k have no finite ability.
    given = None if theta is None else _one_each("theta", theta, len(x), "person")
    ability = special.logit((x.sum(axis=1) + 0.3) / (k + 0.6)) if given is None else given
    residuals = x - special.expit(ability[:, None] - b[None, :])
    with np.errstate(all="ignore"):
        table = pd.DataFrame(np.corrcoef(residuals, rowvar=False), index=frame.columns, columns=frame.columns)
    table.attrs["mean"] = float(table.to_numpy()[np.triu_indices(k, 1)].mean())
    return table


def _one_each(name: str, values: ArrayLike, count: int, of: str) -> Floats:
    found = sample_of(name, values)
    if len(found) != count:
        raise AnalysisError.of(name, f"has {len(found)} values", f"give one for each {of}, {count} in all")
    return found


def distractors(responses: Sequence[Any], key: Any, scores: ArrayLike) -> pd.DataFrame:
    """Return how often each option was chosen, and the mean score of those who chose it.

    >>> distractors(["a", "b", "a", "c"], "a", [3, 1, 2, 0])["chosen"].tolist()
    [2, 1, 1]
    """
    if isinstance(responses, str | bytes) or not isinstance(responses, Iterable):
        what = f"a {type(responses).__name__} is not a list of options"
        raise AnalysisError.of("responses", what, "give the option of each person")
    options = list(responses)
    if not pd.api.types.is_scalar(key) or pd.isna(key):
        raise AnalysisError.of("key", f"{key!r} is not an option", "name the option that is right")
    table = pd.DataFrame({"option": options, "score": _one_each("scores", scores, len(options), "person")})
    grouped = table.groupby("option", sort=True)["score"].agg(["size", "mean"])
    return pd.DataFrame({
        "option": grouped.index,
        "chosen": grouped["size"].to_numpy(),
        "share": grouped["size"].to_numpy() / len(table),
        "mean_score": grouped["mean"].to_numpy(),
        "is_key": grouped.index == key,
    })  # fmt: skip
