"""Public names of `analysis.estimators.core.effect_sizes`."""

from analysis.estimators.core.effect_sizes import (
    SummaryEffect,
    categorical_difference,
    from_summary,
    hedges_g,
    noncentrality_interval,
    pooled_sd,
    small_sample_factor,
    standardized_difference,
    variance_ratio,
)

__all__ = [
    "SummaryEffect",
    "categorical_difference",
    "from_summary",
    "hedges_g",
    "noncentrality_interval",
    "pooled_sd",
    "small_sample_factor",
    "standardized_difference",
    "variance_ratio",
]
