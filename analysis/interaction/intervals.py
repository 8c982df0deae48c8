"""Small intervals for descriptions: means, shares, quantiles. None where not computable."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
REPLICATES = 1000


def mean(values: npt.ArrayLike, level: float = 0.95) -> dict[str, Any]:
    """n, mean, and its Student interval (two different values or more), of the values that are not missing."""
    known = _known(values)
    row: dict[str, Any] = {"n": len(known), "mean": float(known.mean()) if len(known) else None}
    row |= {"ci_low": None, "ci_high": None}
    if len(known) < 2 or np.ptp(known) == 0:
        return row
    half = stats.t.ppf((1 + level) / 2, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known))
    return row | {"ci_low": float(known.mean() - half), "ci_high": float(known.mean() + half)}


def share(count: int, n: int, level: float = 0.95) -> dict[str, Any]:
    """count, n, share, and the Wilson interval; for events of one person each."""
    if n == 0:
        return {"count": count, "n": 0, "share": None, "ci_low": None, "ci_high": None}
    interval = stats.binomtest(count, n).proportion_ci(level, "wilson")
    return {"count": count, "n": n, "share": count / n, "ci_low": float(interval.low), "ci_high": float(interval.high)}


def pooled_share(counts: npt.ArrayLike, totals: npt.ArrayLike, seed: int, level: float = 0.95) -> dict[str, Any]:
    """Share of events over people, with the percentile bootstrap over whole people.

    Where no event or every event has the property, resampling cannot vary; the interval is then Wilson's with people as
    the observations, as if each person's events carried no more information than one.

    Args:
        counts: events with the property, one entry per person.
        totals: all events, one entry per person.
        seed: of the bootstrap.
        level: of the interval.
    """
    hits, all_events = np.asarray(counts, dtype=float), np.asarray(totals, dtype=float)
    row: dict[str, Any] = {"count": int(hits.sum()), "n": int(all_events.sum()), "people": int((all_events > 0).sum())}
    row |= {"share": None, "ci_low": None, "ci_high": None}
    if row["n"] == 0:
        return row
    row["share"] = float(hits.sum() / all_events.sum())
    if row["people"] < 2:
        return row
    if row["count"] in (0, row["n"]):
        people = row["people"]
        unvaried = share(people if row["count"] else 0, people, level)
        return row | {"ci_low": unvaried["ci_low"], "ci_high": unvaried["ci_high"]}
    # How often each person is drawn is all that a resample of people says of a ratio, so one product of matrices
    # replaces the loop over replicates.
    weights = np.random.default_rng(seed).multinomial(len(hits), np.full(len(hits), 1 / len(hits)), size=REPLICATES)
    with np.errstate(invalid="ignore"):
        # A replicate of people without events is 0 / 0; those are left out below.
        drawn = (weights @ hits) / (weights @ all_events)
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return row | {"ci_low": float(low), "ci_high": float(high)}


def quantile(values: npt.ArrayLike, at: float, level: float = 0.95) -> dict[str, Any]:
    """Return the linear quantile and the distribution-free interval between order statistics.

    The interval has an end only where so many values exist that an order statistic reaches the level (Conover, 1999):
    with few values the tail quantiles have no upper end.
    """
    known = _known(values)
    row: dict[str, Any] = {"at": at, "n": len(known), "value": None, "ci_low": None, "ci_high": None}
    if not len(known):
        return row
    # Only the interval is used, which does not depend on the q that the test wants.
    interval = stats.quantile_test(known, q=0, p=at).confidence_interval(level)
    ends = {"ci_low": float(interval.low), "ci_high": float(interval.high)}
    row |= {"value": float(np.quantile(known, at))}
    row |= {name: None if np.isnan(end) else end for name, end in ends.items()}
    if None in (row["ci_low"], row["ci_high"]):
        row["note"] = "too few turns for both ends of the interval"
    return row


def _known(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=float)
    known: Floats = array[~np.isnan(array)]
    return known
