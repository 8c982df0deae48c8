"""Public names of `analysis.design.power`."""

from analysis.design.power import (
    design_effect,
    mde,
    minimal_detectable_effect,
    sample_size,
    schoenfeld_events,
    t_test_power,
)

__all__ = [
    "design_effect",
    "mde",
    "minimal_detectable_effect",
    "sample_size",
    "schoenfeld_events",
    "t_test_power",
]
