"""From an exported dataset and a frozen plan to results.json and a report; imports nothing of the running app."""

from analysis import agreement, effects, monitoring, multiplicity, power, psychometrics
from analysis.methods import METHODS
from analysis.results import EffectSize, Estimate

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
