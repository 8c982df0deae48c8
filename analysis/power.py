"""Public names of `analysis.design.power`."""

from analysis.design.power import (
    anova_power,
    correlation_power,
    design_effect,
    mde,
    minimal_detectable_effect,
    paired_t_power,
    proportion_power,
    sample_size,
    schoenfeld_events,
    t_test_power,
)

__all__ = [
    "anova_power",
    "correlation_power",
    "design_effect",
    "mde",
    "minimal_detectable_effect",
    "paired_t_power",
    "proportion_power",
    "sample_size",
    "schoenfeld_events",
    "t_test_power",
]
