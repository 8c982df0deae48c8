"""Exploratory clustering of participants by their features, with a stability figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

FEATURES = (
    "queries",
    "generation",
    "explanation",
    "debugging",
    "generation_with_explanation",
    "pastes",
    "copies",
    "errors",
    "interaction_minutes",
    "active_minutes",
)
"""Standardised before clustering; a feature that is missing or constant is left out."""

REPLICATES = 100
REPLICATES_OF_MANY = 20
MANY = 1000
"""People from which fewer replicates do: the index hardly varies any more, and each costs a clustering."""
MIN_PEOPLE = 8

_NOTE = (
    "exploratory; labels carry no meaning beyond this sample; with a stability below about 0.6 there are no "
    "clusters to speak of"
)

Floats = npt.NDArray[np.float64]


def clusters(features: pd.DataFrame, sizes: tuple[int, ...] = (2, 3, 4, 5, 6), seed: int = 1) -> dict[str, Any]:
    """k-means for each k with silhouette and stability; the most stable k is `chosen`.

    Stability: mean adjusted Rand index, over `REPLICATES` bootstrap samples of people, between the clusters of all
    people and those that the sample's centres give to all people (Hennig 2007's bootstrap, with the index of Hubert
    and Arabie 1985). 1 = always the same clusters, 0 = as by chance.

    Args:
        features: `participant_features` of those who used the assistant.
        sizes: numbers of clusters to try.
        seed: of starts and bootstrap.
    """
    from sklearn import config_context  # takes a second to import, and most datasets have too few users
    from sklearn.preprocessing import StandardScaler

    usable = [name for name in FEATURES if features[name].notna().all() and features[name].nunique() > 1]
    if len(features) < MIN_PEOPLE or not usable:
        return {"note": f"needs {MIN_PEOPLE} people with varied features", "solutions": []}
    values = StandardScaler().fit_transform(features[usable].to_numpy(dtype=float))
    # On data this small, threads only wait for each other, and checks of the input take longer than the work.
    with threadpool_limits(1), config_context(assume_finite=True, skip_parameter_validation=True):
        # k must be below the number of different people, or clusters would be single points (or empty ones).
        solutions = [_solution(values, k, seed) for k in sizes if k < len(np.unique(values, axis=0))]
    if not solutions:
        return {"note": "all people have the same features", "solutions": []}
    best = max(solutions, key=lambda solution: solution["stability"])
    members = dict(
        zip(features["participant_id"].astype(str), _fit(values, best["k"], seed).labels_.tolist(), strict=True)
    )
    return {"features": usable, "solutions": solutions, "chosen": best["k"], "members": members, "note": _NOTE}


def _fit(values: Floats, k: int, seed: int) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=4, random_state=seed).fit(values)


def _solution(values: Floats, k: int, seed: int) -> dict[str, Any]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    labels = _fit(values, k, seed).labels_
    # A stream for each k, so that leaving out one number of clusters moves no other's stability.
    generator = np.random.default_rng([seed, k])
    indices = []
    for _ in range(REPLICATES if len(values) < MANY else REPLICATES_OF_MANY):
        sample = values[generator.integers(len(values), size=len(values))]
        if len(np.unique(sample, axis=0)) > k:
            # Centres of the sample label all people, so that the two clusterings are of the same people and can be
            # compared.
            again = KMeans(k, n_init=2, random_state=seed).fit(sample).predict(values)
            indices.append(adjusted_rand_score(labels, again))
    stability = float(np.mean(indices)) if indices else 0.0
    sizes = np.bincount(labels, minlength=k).tolist()
    # Distances of all pairs grow with the square of n; a sample of a thousand estimates their mean well.
    silhouette = float(silhouette_score(values, labels, sample_size=min(len(values), MANY), random_state=seed))
    return {"k": k, "sizes": sizes, "silhouette": silhouette, "stability": stability}
