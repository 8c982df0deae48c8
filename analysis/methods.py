"""The table of methods: every id a plan may name."""

from __future__ import annotations

from analysis.estimators import (  # noqa: F401  (importing registers)
    attrition,
    bayes,
    clusters,
    comparisons,
    correlations,
    counts,
    equivalence,
    hazards,
    items,
    means,
    noncompliance,
    omnibus,
    proportions,
    ranks,
    resampling,
    scores,
    times,
)
from analysis.estimators.contract import REGISTRY, Method

METHODS: dict[str, Method] = dict(sorted(REGISTRY.items()))
