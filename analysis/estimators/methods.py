"""The table of methods: every id a plan may name."""

from __future__ import annotations

from analysis.estimators import (  # noqa: F401  (importing registers)
    attrition,
    bayes,
    comparisons,
    equivalence,
    imputation,
    noncompliance,
    omnibus,
    resampling,
    weighting,
)
from analysis.estimators.core.registry import REGISTRY, Estimator
from analysis.estimators.factorial import effects, interaction  # noqa: F401
from analysis.estimators.outcomes import (  # noqa: F401
    clusters,
    correlations,
    counts,
    crossover,
    hazards,
    items,
    means,
    proportions,
    ranks,
    scores,
    times,
)
from analysis.estimators.regimes import contrasts  # noqa: F401

METHODS: dict[str, Estimator] = dict(sorted(REGISTRY.items()))
