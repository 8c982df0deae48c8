"""Further promises to be simulated: few clusters, overdispersed counts, imputation, two looks, sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.design.monitoring import boundaries
from analysis.design.validation import ValidationFinding, repeated, share
from analysis.estimators.methods import METHODS

CLUSTERS = (6, 10, 16, 30)
"""Clusters of a trial, half of them in each arm."""
SIZE = 6
ICC = 0.25
Row = dict[str, float]


def _held(row: Any, truth: float) -> Row:
    """Return whether a row rejects no effect at 5%, and whether its interval holds the truth."""
    if row.p_value is None:
        return {"p": np.nan, "hit": np.nan}
    inside = np.nan if row.ci_low is None else float(row.ci_low <= truth <= row.ci_high)
    return {"p": float(row.p_value <= 0.05), "hit": inside}


def _clustered(clusters: int, method: str, seed: np.random.SeedSequence) -> list[Row]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(clusters), SIZE)
    treated = rng.permutation(np.repeat([0, 1], clusters // 2))[group]
    between = rng.normal(0, np.sqrt(ICC), clusters)[group]
    latent = between + rng.normal(0, np.sqrt(1 - ICC), len(group))
    table = pd.DataFrame({"arm": np.where(treated, "ai", "plain"), "class": group.astype(str), "y": latent,
                          "yes": (latent > 0) * 1.0, "count": rng.poisson(np.exp(0.7 + between))})  # fmt: skip
    outcome = {"newcombe": "yes", "poisson": "count"}.get(method, "y")
    options: dict[str, Any] = {}
    if method == "rerandomization":
        # With 199 a p of 5% can be reached exactly: (1 + 9) / 200.
        options = {"replicates": 199, "statistic": "mean", "interval": False}
    row: Any = METHODS[method](table, outcome=outcome, arm="arm", control="plain", cluster="class",
                          seed=int(rng.integers(2**31)), **options)  # fmt: skip
    return [_held(row, 0.0)]


def few_clusters(clusters: int, trials: int, workers: int = 1) -> list[ValidationFinding]:
    """Cluster trials without an effect: how often each method that takes clusters rejects at 5%."""
    found = []
    for number, method in enumerate(("mixed_model", "cluster_robust", "rerandomization", "newcombe", "poisson")):
        # Each figure from its own seeds: they must be able to fail independently of each other.
        own = 1000 + 10 * CLUSTERS.index(clusters) + number
        # Leaving out one cluster at a time fits every trial as often as it has clusters.
        count = max(trials // 4, 1) if method in ("newcombe", "poisson") else trials
        table = repeated(partial(_clustered, clusters, method), count, own, workers)
        # With three clusters an arm there are 20 assignments, so that 5% cannot be reached exactly.
        exact = method in ("mixed_model", "cluster_robust") or (method == "rerandomization" and clusters > 6)
        name = f"{clusters} clusters of {SIZE}, ICC {ICC:g}: {method}"
        found.append(share(name, table.p, 0.05, "equal" if exact else "at_most"))
    return found


def _overdispersed(method: str, mean: float, theta: float, seed: np.random.SeedSequence) -> list[Row]:
    rng = np.random.default_rng(seed)
    counts = rng.negative_binomial(theta, theta / (theta + mean), 52)
    table = pd.DataFrame({"arm": np.repeat(["plain", "ai"], 26), "y": counts})
    options: dict[str, Any] = {"vcov": "HC1"} if method == "poisson" else {}
    return [_held(METHODS[method](table, outcome="y", arm="arm", control="plain", **options), 0.0)]


def overdispersed_counts(trials: int, workers: int = 1) -> list[ValidationFinding]:
    """Return counts more variable than Poisson's, without an effect: the rows of the standard list."""
    found = []
    for number, (mean, theta) in enumerate(((2.0, 1.5), (4.0, 1.0))):
        for place, method in enumerate(("poisson", "negative_binomial")):
            table = repeated(partial(_overdispersed, method, mean, theta), trials, 1100 + 10 * number + place, workers)
            errors = "HC1" if method == "poisson" else "expected information"
            name = f"counts of mean {mean:g}, theta {theta:g}, 26 in each arm: {method}, {errors}"
            # Sandwich and likelihood are large-sample; a tenth more than promised counts as kept.
            found.append(share(name, table.p, 0.055, "at_most"))
    return found


def _missing_at_random(method: str, seed: np.random.SeedSequence) -> list[Row]:
    """Outcomes of the treated with low x are lost, so that complete cases without x are biased."""
    rng = np.random.default_rng(seed)
    n, effect = 80, -1.0
    x, treated = rng.normal(size=n), rng.permutation(np.repeat([0, 1], n // 2))
    y = 10 + 2 * x + effect * treated + rng.normal(0, 2, n)
    y[(x < 0) & (treated == 1) & (rng.random(n) < 0.5)] = np.nan
    table = pd.DataFrame({"arm": np.where(treated, "ai", "plain"), "x": x, "y": y})
    call: dict[str, Any] = {"outcome": "y", "arm": "arm", "control": "plain"}
    if method == "multiple_imputation":
        row: Any = METHODS[method](table, **call, covariates="x", imputations=20, seed=int(rng.integers(2**31)))
    else:
        row = METHODS[method](table.dropna(), **call)
    return [_held(row, effect)]


def imputation(trials: int, workers: int = 1) -> list[ValidationFinding]:
    """Outcomes missing at random given a covariate: intervals by multiple imputation, unadjusted ones beside."""
    kept = repeated(partial(_missing_at_random, "multiple_imputation"), trials, 1200, workers)
    naive = repeated(partial(_missing_at_random, "welch_t"), trials, 1201, workers)
    return [
        share("missing at random: multiple imputation by arm", kept.hit, 0.95),
        share("missing at random: complete cases, unadjusted", naive.hit, 0.95, "shown"),
    ]


def _looks(kind: str, seed: np.random.SeedSequence) -> list[Row]:
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(500, 2)) * np.sqrt(0.5)
    z = np.cumsum(steps, axis=1) / np.sqrt([0.5, 1.0])
    crossed = np.any(np.abs(z) >= np.asarray(boundaries([0.5, 1], 0.05, kind, sides=2)), axis=1)
    return [{"p": float(value)} for value in crossed.tolist()]


def two_looks(trials: int, workers: int = 1) -> list[ValidationFinding]:
    """Two looks at half and at all of the information, no effect: how often a boundary is crossed."""
    found = []
    for number, kind in enumerate(("obf", "pocock", "lan_demets_obf")):
        table = repeated(partial(_looks, kind), -(-max(trials, 2000) // 500), 1300 + number, workers)
        found.append(share(f"two looks, {kind}: a boundary is crossed", table.p, 0.05))
    return found


def _within_people(method: str, seed: np.random.SeedSequence) -> list[Row]:
    rng = np.random.default_rng(seed)
    first, own = rng.permutation(np.repeat([0, 1], 12)), rng.normal(0, 3, 24)
    rows = [(str(p), k + 1, "ai" if (first[p] + k) % 2 else "plain", own[p] + k + rng.normal(0, 2 - (first[p] + k) % 2))
            for p in range(24) for k in (0, 1)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["person", "period", "arm", "y"])
    given: dict[str, Any] = {"person": "person", "period": "period"}
    if method == "mixed_model":
        given = {"cluster": "person", "covariates": ("when",)}
        table["when"] = "p" + table["period"].astype(str)
    return [_held(METHODS[method](table, outcome="y", arm="arm", control="plain", **given), 0.0)]


def sequences(trials: int, workers: int = 1) -> list[ValidationFinding]:
    """24 people under two treatments in turn, without a difference, one treatment twice as variable."""
    found = []
    for method, own in (("crossover", 1400), ("mixed_model", 1401)):
        table = repeated(partial(_within_people, method), trials, own, workers)
        found.append(share(f"two periods, 24 people: {method}", table.p, 0.05))
    return found


def gates(trials: int, workers: int = 1) -> Iterator[tuple[str, Callable[[], list[ValidationFinding]]]]:
    """Name of each part and what computes it."""
    for clusters in CLUSTERS:
        yield f"clusters_{clusters}", partial(few_clusters, clusters, trials, workers)
    for part in (overdispersed_counts, imputation, two_looks, sequences):
        yield part.__name__, partial(part, trials, workers)
