"""Power of a t test of two groups of people, or of two groups of clusters."""

from __future__ import annotations

import numpy as np

from analysis.design.power import t_test_power
from analysis.design.power_numerics import noncentral_t_power


def two_group_power(
    d: float, sizes: tuple[float, float], alpha: float, clusters: float | None, alternative: str = "two-sided"
) -> float:
    """Return the power of a t test of two groups.

    Args:
        d: standardised difference.
        sizes: people of each group, over the design effect where clusters were allocated.
        alpha: level.
        clusters: of both groups together; None where people were allocated.
        alternative: two-sided, greater or less.
    """
    if clusters is None:
        return t_test_power(d, *sizes, alpha, alternative)
    root = float(np.sqrt(sizes[0] * sizes[1] / sum(sizes)))
    # Clusters are what is compared: two fewer than them are the degrees of freedom (Donner & Klar 2000).
    return noncentral_t_power(d * root, max(clusters - 2, 1.0), alpha, alternative)
