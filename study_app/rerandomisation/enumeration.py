"""Every assignment that a scheme could have made, with its probability, where there are few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import Arm
from study_app.rerandomisation.design import Design
from study_app.rerandomisation.vectorised_replay import Assignments, VectorisedReplay
from study_app.rerandomisation.vectorised_rules import Floats, VectorisedBlocks

_PATHS_PER_ASSIGNMENT = 20
"""Random block sizes reach one assignment by several paths; beyond this many per assignment allowed, give up."""


@dataclass(frozen=True)
class Enumeration:
    """The whole distribution of a randomisation."""

    assignments: Assignments
    """Shape (assignments, people), each row once, in lexicographic order."""
    probabilities: Floats
    """Of each row; they sum to 1. Not all equal in general: a test must weight by them."""


def enumerate_assignments(
    scheme: Scheme | Mapping[str, Any],
    profiles: Sequence[Mapping[str, Any]],
    limit: int = 20_000,
    *,
    arms: Sequence[Arm | str],
) -> Enumeration | None:
    """Return every assignment of these people, or None where there are more than `limit`.

    Raises:
        NoRandomisationDistribution: deterministic minimisation.
    """
    return enumerate_design(Design.of(scheme, arms, profiles), limit)


def enumerate_design(design: Design, limit: int = 20_000) -> Enumeration | None:
    """Return every assignment under a design, or None where there are more than `limit`.

    Raises:
        NoRandomisationDistribution: deterministic minimisation.
    """
    design.refuse_deterministic()
    walk, weights = VectorisedReplay(design, 1), np.ones(1)
    for person in range(len(design.people)):
        walk.settle(person)
        weights = _branch_on_sizes(walk, person, weights)
        weights = _branch_on_arms(walk, person, weights)
        # Paths only multiply: to give up here saves the memory of the remaining people.
        if len(weights) > limit * _PATHS_PER_ASSIGNMENT:
            return None
    # Several paths, by blocks of other sizes, lead to one assignment: their probabilities add up.
    rows, which = np.unique(walk.assigned.T, axis=0, return_inverse=True)
    if len(rows) > limit:
        return None
    return Enumeration(rows, np.bincount(which.ravel(), weights=weights, minlength=len(rows)).astype(float))


def _branch_on_sizes(walk: VectorisedReplay, person: int, weights: Floats) -> Floats:
    rule = walk.rule(person)
    opening = walk.must_open(person)
    if not isinstance(rule, VectorisedBlocks) or not opening.any():
        return weights
    count = len(rule.sizes)
    copies = np.where(opening, count, 1)
    columns = np.repeat(np.arange(walk.width), copies)
    nth = np.arange(len(columns)) - np.repeat(np.cumsum(copies) - copies, copies)
    walk.select(columns)
    # The middle of each size's range of draws, so that rounding cannot choose a neighbour.
    walk.open(person, (nth + 0.5) / count)
    # Sizes are equally likely; a path that opens nothing has one copy and keeps its weight.
    return weights[columns] / copies[columns]


def _branch_on_arms(walk: VectorisedReplay, person: int, weights: Floats) -> Floats:
    probabilities = walk.probabilities(person)
    # Transposed, because `nonzero` goes row by row: branches of one path stay together, in the order of arms.
    columns, chosen = np.nonzero(probabilities.T > 0)
    walk.select(columns)
    walk.commit(person, chosen)
    return weights[columns] * probabilities[chosen, columns]
