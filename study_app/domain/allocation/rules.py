"""One rule per method: the probabilities of the arms now, and what an allocation changes.

Counts are kept per stratum. Floating-point steps run in a fixed order (plain left-to-right sums), for the analysis
repeats them over arrays and must arrive at the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import lcm
from typing import Protocol

from study_app.domain.allocation.scheme import Levels, Scheme

Key = tuple[str, ...]


def shares(masses: Sequence[float]) -> tuple[float, ...]:
    """Masses as probabilities."""
    # `sum` of floats is compensated from Python 3.12 on and would give other bits than the arrays; `accumulate` adds
    # from left to right in every version.
    total = list(accumulate(masses))[-1]
    return tuple(mass / total for mass in masses)


def pick(probabilities: Sequence[float], draw: float) -> int:
    """Return the arm that a uniform draw falls on: the first whose cumulative probability exceeds it."""
    # The cumulative sum can end just below 1 by rounding; a draw above it falls on the last arm that can be drawn,
    # never on one of probability 0.
    last = 0
    for arm, reached in enumerate(accumulate(probabilities)):
        if probabilities[arm] > 0:
            last = arm
            if draw < reached:
                return arm
    return last


def block_sizes(scheme: Scheme, weights: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes a block may have: as given, else two and three times the weights' sum."""
    return scheme.block_sizes or (2 * sum(weights), 3 * sum(weights))


def coin_table(weights: Sequence[int], probability: float) -> tuple[tuple[float, ...], ...]:
    """Probabilities of all arms (columns) when an arm (rows) is preferred.

    With equal weights the preferred arm has `probability` and the others share the rest equally (Pocock & Simon 1975).
    With unequal weights the arm of least weight has it, the others such that the ratio is kept on the whole
    (biased-coin minimisation, Han, Enas & McEntegart 2009).
    """
    total, least = sum(weights), min(weights)
    slope = (1 - probability) / (total - least) if total > least else 0.0
    # `slope` makes the average over preferred arms, drawn by weight, equal to the weights' shares.
    rows = []
    for preferred, weight in enumerate(weights):
        rest = slope * (total - weight)
        others = total - weight
        rows.append(
            tuple(1 - rest if arm == preferred else rest * (other / others) for arm, other in enumerate(weights))
        )
    return tuple(rows)


def mix(table: Sequence[Sequence[float]], weights: Sequence[int], tied: Sequence[bool]) -> tuple[float, ...]:
    """Probabilities of the arms when each of the tied ones is preferred by its weight."""
    total = sum(weight for weight, among in zip(weights, tied, strict=True) if among)
    masses = [0.0] * len(weights)
    for row, weight, among in zip(table, weights, tied, strict=True):
        if among:
            masses = [mass + weight * entry for mass, entry in zip(masses, row, strict=True)]
    return tuple(mass / total for mass in masses)


def only_first(tied: Sequence[bool]) -> tuple[bool, ...]:
    """Return the first of the tied arms alone."""
    first = list(tied).index(True)
    return tuple(arm == first for arm in range(len(tied)))


class AllocationRule(Protocol):
    """How one method looks at what came before."""

    def open(self, key: Key, draw: float) -> None:
        """Make ready for one allocation in a stratum; blocks open here."""
        ...

    def probabilities(self, key: Key, levels: Levels) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the probabilities of the arms, and the imbalance scores (empty where the method has none)."""
        ...

    def take(self, key: Key, levels: Levels, arm: int) -> None:
        """Note an allocation."""
        ...

    def give_back(self, key: Key, levels: Levels, arm: int) -> None:
        """Return the slot of a participant who withdrew."""
        ...


class Counting:
    """Counts of each arm by stratum: what every rule but blocks and minimisation needs."""

    def __init__(self, scheme: Scheme, weights: Sequence[int]) -> None:
        self.scheme = scheme
        self.weights = tuple(weights)
        self.counts: dict[Key, list[int]] = {}

    def at(self, key: Key) -> list[int]:
        """Return the counts of a stratum."""
        return self.counts.setdefault(key, [0] * len(self.weights))

    def open(self, key: Key, draw: float) -> None:
        """Nothing to make ready."""

    def take(self, key: Key, levels: Levels, arm: int) -> None:
        """Count one more."""
        self.at(key)[arm] += 1

    def give_back(self, key: Key, levels: Levels, arm: int) -> None:
        """Count one less."""
        self.at(key)[arm] -= 1


class Simple(Counting):
    """Each arm by its weight, whatever came before."""

    def probabilities(self, key: Key, levels: Levels) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the weights' shares."""
        return shares(self.weights), ()


class BiasedCoin(Counting):
    """Efron (1971): the arm that lags, by count per unit of weight, is preferred."""

    def __init__(self, scheme: Scheme, weights: Sequence[int]) -> None:
        super().__init__(scheme, weights)
        self.table = coin_table(weights, scheme.preferred)
        self.scale = scales(weights)

    def probabilities(self, key: Key, levels: Levels) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the coin's table, mixed over the arms that lag most."""
        # Whole numbers: counts divided by weights would make ties depend on rounding.
        lag = [count * scale for count, scale in zip(self.at(key), self.scale, strict=True)]
        tied = [value == min(lag) for value in lag]
        return mix(self.table, self.weights, only_first(tied) if self.scheme.ties == "first" else tied), ()


class Urn(Counting):
    """Wei (1978): after each allocation, `beta` balls for every other unit of weight."""

    def probabilities(self, key: Key, levels: Levels) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the balls' shares; with alpha 0 the first is drawn by weight."""
        counts = self.at(key)
        total = sum(counts)
        # Never negative: an arm's count is at most the total, and a weight is at least 1.
        balls = [
            self.scheme.alpha * weight + self.scheme.beta * (total * weight - count)
            for weight, count in zip(self.weights, counts, strict=True)
        ]
        return shares(balls if any(ball > 0 for ball in balls) else self.weights), ()


class BigStick(Counting):
    """Soares & Wu (1983): simple randomisation among the arms that keep the difference within the bound."""

    def __init__(self, scheme: Scheme, weights: Sequence[int]) -> None:
        super().__init__(scheme, weights)
        self.scale = scales(weights)
        # In the units of the scaled counts: one participant per unit of weight counts lcm(weights).
        self.bound = scheme.bound * lcm(*weights)

    def probabilities(self, key: Key, levels: Levels) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the weights' shares among the arms allowed; where a withdrawal leaves none, the arms that lag."""
        lag = [count * scale for count, scale in zip(self.at(key), self.scale, strict=True)]
        allowed = [self._within(lag, arm) for arm in range(len(lag))]
        if not any(allowed):
            allowed = [value == min(lag) for value in lag]
        return shares([weight if able else 0 for weight, able in zip(self.weights, allowed, strict=True)]), ()

    def _within(self, lag: Sequence[int], arm: int) -> bool:
        after = [value + self.scale[arm] if other == arm else value for other, value in enumerate(lag)]
        return max(after) - min(after) <= self.bound


def scales(weights: Sequence[int]) -> tuple[int, ...]:
    """Whole numbers by which counts compare as counts per unit of weight."""
    common = lcm(*weights)
    return tuple(common // weight for weight in weights)


class Blocks:
    """Permuted blocks: draws without replacement from a composition that holds the weights exactly."""

    def __init__(self, scheme: Scheme, weights: Sequence[int]) -> None:
        self.weights = tuple(weights)
        self.sizes = block_sizes(scheme, weights)
        self.left: dict[Key, list[int]] = {}
        self.waiting: dict[Key, list[int]] = {}

    def open(self, key: Key, draw: float) -> None:
        """Open a block where none is open; its size by the draw. Returned slots that waited join it."""
        if any(self.left.get(key, ())):
            return
        # A draw is below 1, so this is a valid position, and every size is equally likely.
        size = self.sizes[int(draw * len(self.sizes))]
        repeats = size // sum(self.weights)
        waiting = self.waiting.pop(key, [0] * len(self.weights))
        self.left[key] = [repeats * weight + back for weight, back in zip(self.weights, waiting, strict=True)]

    def probabilities(self, key: Key, levels: Levels) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the shares of what is left in the open block."""
        return shares(self.left[key]), ()

    def take(self, key: Key, levels: Levels, arm: int) -> None:
        """Use one slot."""
        self.left[key][arm] -= 1

    def give_back(self, key: Key, levels: Levels, arm: int) -> None:
        """Put a slot back into the open block, or let it wait for the next: a block of one slot would show its arm."""
        pool = self.left if any(self.left.get(key, ())) else self.waiting
        pool.setdefault(key, [0] * len(self.weights))[arm] += 1
