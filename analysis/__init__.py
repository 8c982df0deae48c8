"""From an exported dataset and a frozen plan to results.json and a report; imports nothing of the running app."""

from analysis import agreement, effects, monitoring, multiplicity, power, psychometrics
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.methods import METHODS

__all__ = [
    "METHODS",
    "EffectSize",
    "Estimate",
    "agreement",
    "effects",
    "monitoring",
    "multiplicity",
    "power",
    "psychometrics",
]
