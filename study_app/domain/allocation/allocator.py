"""The step: one newcomer, one decision."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from study_app.domain.allocation.arms import Arm
from study_app.domain.allocation.draws import draws
from study_app.domain.allocation.minimisation import Minimisation
from study_app.domain.allocation.options import options
from study_app.domain.allocation.rules import AllocationRule, BiasedCoin, BigStick, Blocks, Key, Simple, Urn, pick
from study_app.domain.allocation.scheme import MISSING, Levels, Profile, Scheme

_RULES: dict[str, type] = {
    "simple": Simple,
    "permuted_blocks": Blocks,
    "stratified_blocks": Blocks,
    "minimisation": Minimisation,
    "biased_coin": BiasedCoin,
    "urn": Urn,
    "big_stick": BigStick,
}


@dataclass(frozen=True)
class Decision:
    """What one allocation gave, and why."""

    index: int
    """From 1 over the ledger."""
    arm: str
    stratum: str
    levels: dict[str, str]
    """The newcomer's categories by variable: all that the rule looked at."""
    probabilities: tuple[float, ...]
    """Of each option, in the order of `Allocator.options`."""
    draw: float
    """The uniform that chose the arm."""
    imbalance: tuple[float, ...] = ()
    """Minimisation: the score of each option; empty for other methods."""
    returned: tuple[int, ...] = ()
    """Allocations whose slots went back just before this one, by the replacement policy."""


@dataclass(frozen=True)
class Past:
    """An earlier allocation: its categories, its arm, and whose slots went back before it."""

    levels: Levels
    arm: str
    returned: tuple[int, ...] = ()


class Allocator:
    """Holds what one ledger's allocations have left behind under one scheme; fed with newcomers in ledger order.

    Args:
        scheme: How arms are drawn.
        arms: The study's arms, in the order of the study file.
        clusters: Arms of clusters by (variable, level); shared by the allocators of one ledger, so that an amendment
            does not tear a cluster apart.
    """

    def __init__(self, scheme: Scheme, arms: Sequence[Arm], clusters: dict[tuple[str, str], str] | None = None) -> None:
        self.scheme = scheme
        self.options = options(scheme, arms)
        self.next_index = 1
        """The next allocation's index over the whole ledger; set it where another allocator made some between."""
        self._rule: AllocationRule = _RULES[scheme.unit_method](scheme, [option.weight for option in self.options])
        self._positions = {option.id: position for position, option in enumerate(self.options)}
        self._clusters = {} if clusters is None else clusters
        self._placed: dict[int, tuple[Key, Levels, int]] = {}

    def allocate(self, profile: Profile, uniforms: Sequence[float], returned: Iterable[int] = ()) -> Decision:
        """Decide for a newcomer with these baseline values and note the decision.

        Args:
            profile: Baseline values by variable; what is absent counts as missing.
            uniforms: The draws of this index: block size, arm.
            returned: Indices of earlier allocations whose slots go back first.
        """
        return self.allocate_levels(self.scheme.levels(profile), uniforms, returned)

    def allocate_levels(self, levels: Levels, uniforms: Sequence[float], returned: Iterable[int] = ()) -> Decision:
        """Return the same for a newcomer whose categories are known."""
        back = tuple(returned)
        key, probabilities, scores, joined = self._prepare(levels, uniforms[0], back)
        chosen = joined if joined is not None else pick(probabilities, uniforms[1])
        index = self._note(key, levels, chosen, alone=joined is None)
        label = self.scheme.stratum(levels)
        return Decision(index, self.options[chosen].id, label, dict(levels), probabilities, uniforms[1], scores, back)

    def replay(self, past: Past, uniforms: Sequence[float]) -> None:
        """Note an earlier allocation with the arm it had."""
        key, _, _, joined = self._prepare(past.levels, uniforms[0], past.returned)
        self._note(key, past.levels, self._positions[past.arm], alone=joined is None)

    def copy(self) -> Allocator:
        """Return an independent twin, to look ahead without consequence."""
        return copy.deepcopy(self)

    def _prepare(
        self, levels: Levels, size_draw: float, back: Iterable[int]
    ) -> tuple[Key, tuple[float, ...], tuple[float, ...], int | None]:
        # Slots go back before the newcomer's probabilities, in the order of the ledger: a replay must see the same
        # state.
        self._return(back)
        key = tuple(levels[factor.variable] for factor in self.scheme.strata)
        joined = self._joined(levels)
        if joined is not None:
            return key, tuple(float(arm == joined) for arm in range(len(self.options))), (), joined
        self._rule.open(key, size_draw)
        probabilities, scores = self._rule.probabilities(key, levels)
        return key, probabilities, scores, None

    def _note(self, key: Key, levels: Levels, chosen: int, alone: bool) -> int:
        index = self.next_index
        self.next_index += 1
        # Who joins a cluster's arm used no chance, so blocks and counts of clusters must not move.
        if alone:
            self._rule.take(key, levels, chosen)
            if self.scheme.replacement == "return_slot":
                # Only where a slot can go back: a ledger of thousands would otherwise hold every newcomer's categories
                # for nothing.
                self._placed[index] = (key, levels, chosen)
            if self.scheme.cluster and levels[self.scheme.cluster] != MISSING:
                self._clusters[self.scheme.cluster, levels[self.scheme.cluster]] = self.options[chosen].id
        return index

    def _joined(self, levels: Levels) -> int | None:
        """Return the arm that the newcomer's cluster already has; a missing cluster is shared with no one."""
        if not self.scheme.cluster:
            return None
        return self._positions.get(self._clusters.get((self.scheme.cluster, levels[self.scheme.cluster]), ""))

    def _return(self, back: Iterable[int]) -> None:
        for index in back:
            placed = self._placed.pop(index, None)
            if placed is not None:
                self._rule.give_back(*placed)


def allocate(
    scheme: Scheme,
    arms: Sequence[Arm],
    seed: bytes,
    history: Iterable[Past],
    profile: Profile,
    returned: Iterable[int] = (),
) -> Decision:
    """Return the next allocation after a history, as a pure function.

    Args:
        scheme: How arms are drawn.
        arms: The study's arms.
        seed: The ledger's seed.
        history: Every earlier allocation, in ledger order from index 1.
        profile: The newcomer's baseline values.
        returned: Indices of earlier allocations whose slots go back first.
    """
    allocator = Allocator(scheme, arms)
    for past in history:
        allocator.replay(past, draws(seed, allocator.next_index))
    return allocator.allocate(profile, draws(seed, allocator.next_index), returned)
