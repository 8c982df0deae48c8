"""Do raters agree? Kappas, Krippendorff's alpha, intraclass correlations.

A table of ratings has one row a unit and one column a rater.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.estimators.core.argument_kinds import fits, numbers_of, share, whole, word
from analysis.estimators.core.coefficient import Coefficient
from analysis.estimators.core.option_domains import Numbers
from analysis.estimators.core.validation import AnalysisError, complete
from analysis.estimators.numerics.intraclass import RATED_BY_ALL, icc

__all__ = ["cohen_kappa", "fleiss_kappa", "icc", "kappa_of_table", "krippendorff_alpha", "light_kappa", "masi_distance"]

Ratings = pd.DataFrame | ArrayLike | Sequence[Sequence[Any]]
Distance = Callable[[Any, Any], float]
LEVELS = ("nominal", "ordinal", "interval", "ratio", "masi")
"""Of measurement, and distances by name."""
KAPPA_WEIGHTS = {
    None: None, "unweighted": None, "linear": "linear", "equal": "linear", "quadratic": "quadratic",
    "squared": "quadratic",
}  # fmt: skip


def _frame(ratings: Ratings, least: int = 2) -> pd.DataFrame:
    rows: Any = ratings
    try:
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame([list(row) for row in rows])
    except TypeError:
        what = f"a {type(ratings).__name__} is not a table of ratings"
        raise AnalysisError.of("ratings", what, "give units x raters") from None
    if frame.shape[1] < least or not len(frame):
        raise AnalysisError.of("ratings", f"shape {frame.shape}", f"give units x raters, at least {least} raters")
    return frame


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    for name in frame.columns:
        complete(frame, name, RATED_BY_ALL)
    return frame


def cohen_kappa(
    a: Ratings | Sequence[Any], b: Sequence[Any] | None = None, weights: str | None = None, level: float = 0.95
) -> Coefficient:
    """Cohen's kappa of two raters.

    Formula: (observed - expected agreement) / (1 - expected); `statistic` z and `p_value` with the variance under no
    agreement, interval and `std_error` with the asymptotic variance. `weights`: None, "linear" or "quadratic" (ordered
    categories, by value). Give two columns, or one table of two columns.
    Missing data: refused. Only one category: NaN with a note.
    Reference: Cohen (1960, 1968); Fleiss, Cohen & Everitt (1969), Psychol. Bull. 72:323-327.

    Example:
        >>> found = cohen_kappa(["x", "x", "y", "y", "x"], ["x", "y", "y", "y", "x"])
        >>> round(found, 6), round(found.z, 6)
        (0.615385, 1.490712)
    """
    pair = _frame(a if b is None else _columns(a, b))
    pair = _complete(pair)
    if pair.shape[1] != 2:
        raise AnalysisError.of("ratings", f"{pair.shape[1]} columns", "give the two raters to compare")
    levels = _sorted(set(pair.iloc[:, 0]) | set(pair.iloc[:, 1]))
    place = {value: index for index, value in enumerate(levels)}
    table = np.zeros((len(levels), len(levels)))
    np.add.at(table, tuple(pair.iloc[:, j].map(place).to_numpy() for j in (0, 1)), 1.0)
    return kappa_of_table(table, weights, level)


def _columns(a: Any, b: Any) -> pd.DataFrame:
    """Return the codes of two raters as columns."""
    for name, codes in (("a", a), ("b", b)):
        if isinstance(codes, str | bytes | Mapping) or not isinstance(codes, Sized) or not isinstance(codes, Iterable):
            raise AnalysisError.of(name, f"a {type(codes).__name__} is not a list of codes", "give one code a unit")
    if len(a) != len(b):
        raise AnalysisError.of("ratings", f"{len(a)} and {len(b)}", "give both raters' codes of the same units")
    return pd.DataFrame({"a": list(a), "b": list(b)})


def _sorted(values: set[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def kappa_of_table(table: ArrayLike, weights: str | None = None, level: float = 0.95) -> Coefficient:
    """Cohen's kappa of a square table of counts; see `cohen_kappa`."""
    counts, level = numbers_of("table", table, 2), share("level", level)
    if counts.shape[0] != counts.shape[1] or not (counts >= 0).all():
        raise AnalysisError.of("table", f"shape {counts.shape}", "give a square table of counts")
    n, size = counts.sum(), len(counts)
    if size < 2:
        return Coefficient(np.nan, n=int(n), note="not estimable: only one category occurs")
    if not isinstance(weights, str | None) or weights not in KAPPA_WEIGHTS:
        raise AnalysisError.of("weights", f"{weights!r} is not known", "use linear or quadratic, or leave them out")
    # Expected agreement is 1 there, and kappa 0/0.
    if (counts.sum(axis=0) * counts.sum(axis=1) > 0).sum() == 1 and np.trace(counts) == n:
        return Coefficient(np.nan, n=int(n), note="not estimable: only one category occurs")
    from statsmodels.stats.inter_rater import cohens_kappa  # takes a second to import

    with np.errstate(all="ignore"):
        found = cohens_kappa(counts, wt=KAPPA_WEIGHTS[weights])
    kappa, error = float(found.kappa), float(found.std_kappa)
    reach = float(stats.norm.ppf(0.5 + level / 2)) * error
    # A variance of 0 is not certainty: the table leaves the formula nothing to vary, as where a rater has one category.
    known = error > 1e-8
    # Nor has a test a statistic where chance alone fixes the agreement.
    tested = bool(np.isfinite(found.z_value))
    return Coefficient(
        kappa,
        std_error=error if known else None,
        ci_low=max(kappa - reach, -1.0) if known else None,
        ci_high=min(kappa + reach, 1.0) if known else None,
        ci_level=level,
        statistic=float(found.z_value) if tested else None,
        p_value=float(found.pvalue_two_sided) if tested else None,
        n=int(n),
        note=f"{weights or 'unweighted'}" + ("" if known else "; no interval: its variance is 0 in this table"),
    )


def fleiss_kappa(ratings: Ratings, level: float = 0.95) -> Coefficient:
    """Fleiss's kappa of several raters, each unit rated equally often.

    Formula: (mean pairwise agreement - sum p_j^2) / (1 - sum p_j^2); z with the variance under no agreement
    (Fleiss, Nee & Landis 1979); the interval uses the same variance. Missing data: refused.
    Reference: Fleiss (1971), Psychol. Bull. 76:378-382.

    Example:
        >>> found = fleiss_kappa([["x", "x", "x"], ["x", "y", "y"], ["y", "y", "y"], ["x", "x", "y"]])
        >>> round(found, 6), round(found.z, 6)
        (0.333333, 1.154701)
    """
    frame, level = _complete(_frame(ratings)), share("level", level)
    n, m = frame.shape
    levels = _sorted(set(frame.to_numpy().ravel().tolist()))
    counts = np.asarray([[Counter(row)[value] for value in levels] for row in frame.to_numpy().tolist()], dtype=float)
    if len(levels) < 2:
        return Coefficient(np.nan, n=n, note="not estimable: only one category occurs")
    from statsmodels.stats import inter_rater  # takes a second to import

    p = counts.sum(axis=0) / (n * m)
    kappa = float(inter_rater.fleiss_kappa(counts, method="fleiss"))
    q = 1 - p
    # Fleiss, Nee & Landis (1979): the variance under no agreement that replaced the one of 1971.
    inner = (p * q).sum() ** 2 - (p * q * (q - p)).sum()
    error = float(np.sqrt(2 * inner) / ((p * q).sum() * np.sqrt(n * m * (m - 1))))
    reach = float(stats.norm.ppf(0.5 + level / 2)) * error
    return Coefficient(
        kappa, std_error=error, ci_low=kappa - reach, ci_high=min(kappa + reach, 1.0), ci_level=level,
        statistic=kappa / error, p_value=float(2 * stats.norm.sf(abs(kappa / error))), n=n,
        details={"raters": m}, note="variance under no agreement",
    )  # fmt: skip


def light_kappa(ratings: Ratings) -> Coefficient:
    """Light's kappa: the mean of Cohen's kappas over all pairs of raters (Light 1971).

    >>> round(light_kappa([["x", "x", "x"], ["x", "y", "y"], ["y", "y", "y"], ["x", "x", "y"]]), 6)
    0.4
    """
    frame = _complete(_frame(ratings))
    pairs = [(i, j) for i in range(frame.shape[1]) for j in range(i + 1, frame.shape[1])]
    kappas = [float(cohen_kappa(frame.iloc[:, [i, j]])) for i, j in pairs]
    return Coefficient(float(np.mean(kappas)), n=len(frame), note=f"mean of {len(pairs)} pairs")


def _set_of(name: str, value: Any) -> frozenset[Any]:
    """Return a rating that is a set; a text is none, for it would be the set of its letters."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise AnalysisError.of(name, f"{value!r} is not a set", "give sets of codes, e.g. {'debugging'}")
    return frozenset(value)


def masi_distance(a: Any, b: Any) -> float:
    """Distance of two sets: 1 - Jaccard x monotonicity (Passonneau 2006).

    >>> masi_distance({"x"}, {"x", "y"}), masi_distance({"x"}, {"y"}), masi_distance(set(), set())
    (0.6666666666666667, 1.0, 0.0)
    """
    one, two = _set_of("a", a), _set_of("b", b)
    if one == two:
        return 0.0
    shared = one & two
    # Passonneau (2006): 2/3 where one set holds the other, 1/3 where they only overlap.
    weight = 2 / 3 if shared in (one, two) else 1 / 3
    return 1 - len(shared) / len(one | two) * (weight if shared else 0.0)


def krippendorff_alpha(
    ratings: Ratings,
    level: str = "nominal",
    *,
    distance: str | Distance | None = None,
    level_of_measurement: str | None = None,
    replicates: int = 0,
    ci_level: float = 0.95,
    seed: int | None = None,
) -> Coefficient:
    """Krippendorff's alpha: any number of raters, missing ratings allowed.

    Formula: 1 - observed / expected disagreement over the coincidence matrix, each unit's pairs weighted 1/(m_u - 1).
    `level`: nominal, ordinal, interval, ratio, or "masi" for ratings that are sets; `distance` a function of two
    values in its place. `replicates` > 0: percentile interval from resampled units. Units with one rating drop out.
    No variation at all: NaN with a note.
    Reference: Krippendorff (2011), Computing Krippendorff's alpha-reliability; Passonneau (2006) for MASI.

    Example:
        >>> round(krippendorff_alpha([[1, 1], [2, 2], [3, 2], [None, 1]], "ordinal"), 6)
        0.777778
    """
    if level_of_measurement is not None and level != "nominal":
        raise AnalysisError.of("level", "is given beside level_of_measurement", "give one of the two")
    level = level if level_of_measurement is None else level_of_measurement
    if distance is not None and level != "nominal":
        raise AnalysisError.of("distance", f"is given beside level {level!r}", "give one of the two")
    level, ci_level = word("level", level, LEVELS), share("ci_level", ci_level)
    distance = distance if callable(distance) or distance is None else word("distance", distance, LEVELS)
    replicates = whole("replicates", replicates, Numbers(least=0))
    if seed is not None and not (fits(seed, int) and seed >= 0):
        raise AnalysisError.of("seed", f"{seed!r} is not a whole number from 0 on", "give one, e.g. 1")
    frame = _frame(ratings)
    units = [[value for value in row if not _missing(value)] for row in frame.to_numpy(dtype=object).tolist()]
    units = [unit for unit in units if len(unit) > 1]
    if distance is None:
        distance = "masi" if level == "masi" else None
    if isinstance(distance, str) and distance != "masi":
        level, distance = distance, None
    if level in ("ordinal", "interval", "ratio") and distance is None:
        units = [_numbers(unit, level) for unit in units]
    elif distance == "masi":
        units = [[_set_of("ratings", value) for value in unit] for unit in units]
    metric: Distance | None = masi_distance if distance == "masi" else (distance if callable(distance) else None)
    values = _sorted({value for unit in units for value in unit})
    if len(values) < 2:
        why = "the ratings do not vary" if units else "no unit has two ratings"
        return Coefficient(np.nan, n=len(units), note=f"not estimable: {why}")
    counts = np.asarray([[unit.count(value) for value in values] for unit in units], dtype=np.int64)
    value = _alpha_of(counts, values, metric or level)
    low, high = _bootstrapped(counts, values, metric or level, replicates, ci_level, seed)
    note = f"{distance if isinstance(distance, str) else level}" + (f", {replicates} resamples" if replicates else "")
    return Coefficient(value, ci_low=low, ci_high=high, ci_level=ci_level, n=len(units), note=note)


def _numbers(unit: list[Any], level: str) -> list[float]:
    try:
        return [float(value) for value in unit]
    except (TypeError, ValueError) as error:
        raise AnalysisError.of(
            "ratings", f"{unit} are not numbers", f"recode them for {level}, or use nominal"
        ) from error


def _missing(value: Any) -> bool:
    if isinstance(value, set | frozenset | list | tuple):
        return False
    return value is None or bool(pd.isna(value))


def _alpha_of(counts: NDArray[np.int64], values: list[Any], level: str | Distance) -> float:
    """Alpha of counts, units x values; our own distances are squared differences already."""
    import krippendorff

    occurring = counts.sum(axis=0) > 0
    if occurring.sum() < 2:
        return float("nan")
    domain = np.arange(len(values)) if callable(level) or level == "nominal" else np.asarray(values, dtype=np.float64)
    if not callable(level):
        scale: Any = level
        return float(krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=scale))
    table = np.asarray([[float(level(a, b)) for b in values] for a in values])

    metric: Any = lambda v1, v2, **_: table[np.asarray(v1, dtype=int), np.asarray(v2, dtype=int)]  # noqa: E731
    return float(krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=metric))


def _bootstrapped(
    counts: NDArray[np.int64],
    values: list[Any],
    level: str | Distance,
    replicates: int,
    ci_level: float,
    seed: int | None,
) -> tuple[float | None, float | None]:
    if replicates < 1:
        return None, None
    rng = np.random.default_rng(0 if seed is None else seed)
    n = len(counts)
    # Units are drawn and not ratings: ratings of one unit depend on each other.
    drawn = [_alpha_of(counts[rng.integers(0, n, n)], values, level) for _ in range(replicates)]
    # A resample in which all ratings are alike has no alpha.
    kept = [value for value in drawn if np.isfinite(value)]
    if not kept:
        return None, None
    tail = (1 - ci_level) / 2
    return float(np.quantile(kept, tail)), float(np.quantile(kept, 1 - tail))
