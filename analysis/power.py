"""Public names of `analysis.design.power` and `analysis.design.power_of_tests`."""

from analysis.design.power import (
    design_effect,
    mde,
    minimal_detectable_effect,
    sample_size,
    schoenfeld_events,
    t_test_power,
)
from analysis.design.power_of_tests import anova_power, correlation_power, paired_t_power, proportion_power

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
