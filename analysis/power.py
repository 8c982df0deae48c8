"""Public names of `analysis.design.power`, `analysis.design.power_of_tests` and `analysis.design.sizes_of_tests`."""

from analysis.design.power import (
    design_effect,
    mde,
    minimal_detectable_effect,
    sample_size,
    schoenfeld_events,
    t_test_power,
)
from analysis.design.power_of_tests import anova_power, correlation_power, paired_t_power, proportion_power
from analysis.design.sizes_of_tests import (
    anova_detectable_effect,
    anova_sample_size,
    correlation_detectable_effect,
    correlation_sample_size,
    paired_t_detectable_effect,
    paired_t_sample_size,
    proportion_detectable_effect,
    proportion_sample_size,
)

__all__ = [
    "anova_detectable_effect",
    "anova_power",
    "anova_sample_size",
    "correlation_detectable_effect",
    "correlation_power",
    "correlation_sample_size",
    "design_effect",
    "mde",
    "minimal_detectable_effect",
    "paired_t_detectable_effect",
    "paired_t_power",
    "paired_t_sample_size",
    "proportion_detectable_effect",
    "proportion_power",
    "proportion_sample_size",
    "sample_size",
    "schoenfeld_events",
    "t_test_power",
]
