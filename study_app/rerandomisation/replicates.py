"""Re-randomisation: the assignments that the logged scheme could have made for the same people in the same order."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import Arm
from study_app.rerandomisation.design import Design, RandomisationWarning
from study_app.rerandomisation.vectorised_replay import Assignments, VectorisedReplay
from study_app.rerandomisation.vectorised_rules import Floats


def replicate(
    scheme: Scheme | Mapping[str, Any],
    profiles: Sequence[Mapping[str, Any]],
    replicates: int,
    rng: np.random.Generator,
    *,
    arms: Sequence[Arm | str],
) -> Assignments:
    """Draw assignments of people with these baseline values, in this order of arrival.

    Args:
        scheme: How arms are drawn; a Scheme, or its table as a mapping.
        profiles: Baseline values by variable, one mapping a person; empty mappings where the scheme has no strata.
        replicates: How many.
        rng: Where chance comes from.
        arms: The study's arms; a name alone has weight 1.

    Returns:
        Positions in the order of the arms (crossover: of the orders), shape (replicates, people).

    Raises:
        NoRandomisationDistribution: deterministic minimisation.
    """
    return replicate_design(Design.of(scheme, arms, profiles), replicates, rng)


def replicate_with_draws(
    scheme: Scheme | Mapping[str, Any],
    profiles: Sequence[Mapping[str, Any]],
    uniforms: Floats,
    *,
    arms: Sequence[Arm | str],
) -> Assignments:
    """Return the same from given uniforms of shape (replicates, people, 2): block size, arm."""
    return replicate_design_with_draws(Design.of(scheme, arms, profiles), uniforms)


def replicate_design(design: Design, replicates: int, rng: np.random.Generator) -> Assignments:
    """Draw assignments under a design, such as a ledger's with its amendments.

    Args:
        design: Arrival order, categories, schemes.
        replicates: How many.
        rng: Where chance comes from; people in order, two uniforms a replicate each.

    Returns:
        Positions in `design.arms`, shape (replicates, people).

    Raises:
        NoRandomisationDistribution: deterministic minimisation.
    """
    design.refuse_deterministic()
    for caveat in design.caveats():
        warnings.warn(caveat, RandomisationWarning, stacklevel=2)
    walk = VectorisedReplay(design, replicates)
    for person in range(len(design.people)):
        # Two for each person, used or not, as the ledger draws: the stream stays aligned when a scheme needs no block
        # size.
        size_draw, arm_draw = rng.random((2, replicates))
        walk.step(person, size_draw, arm_draw)
    return np.ascontiguousarray(walk.assigned.T)


def replicate_design_with_draws(design: Design, uniforms: Floats) -> Assignments:
    """Return the same from given uniforms of shape (replicates, people, 2), deterministic schemes included."""
    walk = VectorisedReplay(design, uniforms.shape[0])
    for person in range(len(design.people)):
        walk.step(person, uniforms[:, person, 0], uniforms[:, person, 1])
    return np.ascontiguousarray(walk.assigned.T)
