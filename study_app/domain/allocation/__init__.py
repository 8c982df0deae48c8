"""Allocation to arms: the scheme, the draws, and the step from a history to the next arm."""

from study_app.domain.allocation.allocator import Allocator, Decision, Past, allocate
from study_app.domain.allocation.draws import (
    ALGORITHM,
    decision_seed,
    derived_salt,
    draws,
    preview_seed,
    simulated_seed,
)
from study_app.domain.allocation.options import options, order_of, scheme_problems
from study_app.domain.allocation.scheme import Factor, Levels, Method, Profile, Scheme

__all__ = [
    "ALGORITHM",
    "Allocator",
    "Decision",
    "Factor",
    "Levels",
    "Method",
    "Past",
    "Profile",
    "Scheme",
    "allocate",
    "decision_seed",
    "derived_salt",
    "draws",
    "options",
    "order_of",
    "preview_seed",
    "scheme_problems",
    "simulated_seed",
]
