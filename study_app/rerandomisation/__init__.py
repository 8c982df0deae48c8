"""Re-randomisation under the logged scheme: replicates by simulation, or all assignments where there are few."""

from study_app.rerandomisation.design import (
    Design,
    NoRandomisationDistribution,
    RandomisationWarning,
    Regime,
    RegimeRow,
)
from study_app.rerandomisation.enumeration import Enumeration, enumerate_assignments, enumerate_design
from study_app.rerandomisation.replicates import (
    replicate,
    replicate_design,
    replicate_design_with_draws,
    replicate_with_draws,
)

__all__ = [
    "Design",
    "Enumeration",
    "NoRandomisationDistribution",
    "RandomisationWarning",
    "Regime",
    "RegimeRow",
    "enumerate_assignments",
    "enumerate_design",
    "replicate",
    "replicate_design",
    "replicate_design_with_draws",
    "replicate_with_draws",
]
