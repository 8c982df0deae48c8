"""Walking a design in arrival order, all replicates in step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study_app.domain.allocation.scheme import MISSING
from study_app.rerandomisation.design import AllocatedPerson, Design, Regime
from study_app.rerandomisation.vectorised_rules import RULES, Floats, Ints, Key, Mask, VectorisedCounting, pick

Assignments = NDArray[np.int8]
"""Arm positions, shape (replicates, people)."""


class _Lane:
    """One regime's rule, and its options' places among the design's arms."""

    def __init__(self, regime: Regime, arms: tuple[str, ...], width: int) -> None:
        self.scheme = regime.scheme
        self.ledger = regime.ledger
        self.rule: VectorisedCounting = RULES[regime.scheme.unit_method](
            regime.scheme, [option.weight for option in regime.options], width
        )
        self.to_design = np.array([arms.index(option.id) for option in regime.options])
        self.as_declared = bool((self.to_design == np.arange(len(self.to_design))).all())
        # One place more than arms, so that the -1 of a person without an arm reads the last and stays -1.
        self.to_local = np.full(len(arms) + 1, -1)
        self.to_local[self.to_design] = np.arange(len(regime.options))


class VectorisedReplay:
    """The vectorised twin of `study_app.domain.ledger.LedgerReplay`.

    For each person in turn: `settle`, `open`, `probabilities`, `commit`.
    """

    def __init__(self, design: Design, width: int) -> None:
        self.design = design
        self.width = width
        # People by rows: each step writes one contiguous row.
        self.assigned: Assignments = np.full((len(design.people), width), -1, dtype=np.int8)
        self._lanes = [_Lane(regime, design.arms, width) for regime in design.regimes]
        self._keys = [self._key(person) for person in design.people]
        self._clusters_of = [self._cluster(person) for person in design.people]
        self._clusters: dict[tuple[str, str, str], Ints] = {}

    def step(self, person: int, size_draw: Floats, arm_draw: Floats) -> None:
        """Allocate one person in every replicate."""
        self.settle(person)
        self.open(person, size_draw)
        self.commit(person, pick(self.probabilities(person), arm_draw))

    def settle(self, person: int) -> None:
        """Return the slots that went back before this person."""
        for other in self.design.people[person].returned:
            lane = self._lanes[self.design.people[other].regime]
            # As in the ledger, each of whose regimes knows its own people only.
            if lane.scheme.replacement == "return_slot" and lane is self._lane(person):
                local = lane.to_local[self.assigned[other]]
                lane.rule.give_back(self._keys[other], self.design.people[other].levels, local)

    def rule(self, person: int) -> VectorisedCounting:
        """Return the rule that allocates a person."""
        return self._lane(person).rule

    def must_open(self, person: int) -> Mask:
        """Return where a block opens for this person."""
        closed = self._lane(person).rule.closed(self._keys[person])
        if closed is None:
            return np.zeros(self.width, dtype=bool)
        joined = self._joined(person)
        return closed if joined is None else closed & (joined < 0)

    def open(self, person: int, size_draw: Floats) -> None:
        """Open blocks where they must."""
        self._lane(person).rule.open(self._keys[person], size_draw, self.must_open(person))

    def probabilities(self, person: int) -> Floats:
        """Of each option of the person's scheme, shape (options, replicates)."""
        lane, joined = self._lane(person), self._joined(person)
        free = lane.rule.probabilities(self._keys[person], self.design.people[person].levels)
        if joined is None:
            return free
        # Later members of a cluster follow the first, with certainty.
        fixed = (np.arange(len(free))[:, None] == joined).astype(float)
        return np.where(joined < 0, free, fixed)

    def commit(self, person: int, chosen: Ints) -> None:
        """Note the options chosen."""
        lane, joined = self._lane(person), self._joined(person)
        # Followers are not counted: the scheme allocated their cluster once.
        free = None if joined is None else joined < 0
        lane.rule.take(self._keys[person], self.design.people[person].levels, chosen, free)
        arms = chosen if lane.as_declared else lane.to_design[chosen]
        self.assigned[person] = arms
        cluster = self._clusters_of[person]
        if cluster:
            self._clusters[cluster] = arms

    def select(self, columns: Ints) -> None:
        """Keep these replicates, in this order, some perhaps several times."""
        self.width = len(columns)
        self.assigned = self.assigned[:, columns]
        self._clusters = {name: arms[columns] for name, arms in self._clusters.items()}
        for lane in self._lanes:
            lane.rule.select(columns)

    def _lane(self, person: int) -> _Lane:
        return self._lanes[self.design.people[person].regime]

    def _key(self, person: AllocatedPerson) -> Key:
        factors = self._lanes[person.regime].scheme.strata
        return tuple(person.levels[factor.variable] for factor in factors)

    def _cluster(self, person: AllocatedPerson) -> tuple[str, str, str] | None:
        lane = self._lanes[person.regime]
        level = person.levels.get(lane.scheme.cluster, MISSING)
        return (lane.ledger, lane.scheme.cluster, level) if lane.scheme.cluster and level != MISSING else None

    def _joined(self, person: int) -> Ints | None:
        """Return the option that the person's cluster has already, -1 where none.

        None where it has no earlier member.
        """
        cluster = self._clusters_of[person]
        known = self._clusters.get(cluster) if cluster else None
        return None if known is None else self._lane(person).to_local[known]
