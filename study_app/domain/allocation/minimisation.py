"""Minimisation (Taves 1974; Pocock & Simon 1975): balance the margins of several factors at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import sqrt

from study_app.domain.allocation.rules import Key, coin_table, mix, only_first
from study_app.domain.allocation.scheme import Levels, Scheme

TIE = 1e-9
"""Scores closer than this count as equal: rounding must not choose an arm."""


def spread_range(counts: Sequence[float]) -> float:
    """Largest minus smallest."""
    return max(counts) - min(counts)


def spread_variance(counts: Sequence[float]) -> float:
    """Sample variance, divisor K - 1."""
    # From left to right in every version of Python, see `rules.shares`.
    mean = list(accumulate(counts))[-1] / len(counts)
    # A product and not `** 2`, whose last bit is the C library's.
    squares = [(count - mean) * (count - mean) for count in counts]
    return list(accumulate(squares))[-1] / max(len(counts) - 1, 1)


def spread_sd(counts: Sequence[float]) -> float:
    """Sample standard deviation, divisor K - 1."""
    return sqrt(spread_variance(counts))


SPREADS: dict[str, Callable[[Sequence[float]], float]] = {
    "range": spread_range,
    "sd": spread_sd,
    "variance": spread_variance,
}


class Minimisation:
    """Scores each arm by the imbalance its choice would leave; the least is preferred by a biased coin."""

    def __init__(self, scheme: Scheme, weights: Sequence[int]) -> None:
        self.scheme = scheme
        self.weights = tuple(weights)
        self.table = coin_table(weights, scheme.preferred)
        self.spread = SPREADS[scheme.metric]
        self.margins: dict[tuple[str, str], list[int]] = {}

    def at(self, variable: str, level: str) -> list[int]:
        """Return the arms' counts among those of one level of one factor."""
        return self.margins.setdefault((variable, level), [0] * len(self.weights))

    def scores(self, levels: Levels) -> tuple[float, ...]:
        """G of each arm: the weighted sum over factors of the spread of counts, were the newcomer to join it.

        Counts are divided by the arms' weights, so that two to one is balance where two to one is wanted.
        """
        return tuple(list(accumulate(self._terms(levels, arm)))[-1] for arm in range(len(self.weights)))

    def _terms(self, levels: Levels, joined: int) -> list[float]:
        terms = []
        for factor in self.scheme.factors:
            counts = self.at(factor.variable, levels[factor.variable])
            per_weight = [
                (count + (arm == joined)) / weight
                for arm, (count, weight) in enumerate(zip(counts, self.weights, strict=True))
            ]
            terms.append(factor.weight * self.spread(per_weight))
        return terms

    def open(self, key: Key, draw: float) -> None:
        """Nothing to make ready."""

    def probabilities(self, key: Key, levels: Levels) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the coin's table, mixed over the arms of least score; and the scores."""
        scores = self.scores(levels)
        least = min(scores)
        tied = [score - least <= TIE for score in scores]
        return mix(self.table, self.weights, only_first(tied) if self.scheme.ties == "first" else tied), scores

    def take(self, key: Key, levels: Levels, arm: int) -> None:
        """Count the newcomer at each level."""
        self._add(levels, arm, 1)

    def give_back(self, key: Key, levels: Levels, arm: int) -> None:
        """Take a participant who withdrew out of the counts."""
        self._add(levels, arm, -1)

    def _add(self, levels: Levels, arm: int, number: int) -> None:
        for factor in self.scheme.factors:
            self.at(factor.variable, levels[factor.variable])[arm] += number
