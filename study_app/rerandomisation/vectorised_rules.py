"""The allocation rules over many replicates in step: the twin of `study_app.domain.allocation.rules`.

Each array has one column per replicate, one row per arm. Every floating-point step repeats the domain's in the same
order, so that equal draws give equal arms to the last bit; a property test holds the two together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_app.domain.allocation.minimisation import TIE
from study_app.domain.allocation.rules import block_sizes, coin_table, scales
from study_app.domain.allocation.scheme import Levels, Scheme

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Key = tuple[str, ...]


def running(rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Sum of rows from left to right (numpy's own sum pairs terms, and rounds differently)."""
    total = rows[0]
    for row in rows[1:]:
        total = total + row
    return total


def shares(masses: Sequence[NDArray[Any]]) -> Floats:
    """Masses as probabilities; a column without mass, which is not drawn from, becomes zeros."""
    total = running(masses)
    divisor = np.where(total > 0, total, 1)
    found = np.empty((len(masses), len(divisor)))
    for row, mass in zip(found, masses, strict=True):
        np.divide(mass, divisor, out=row)
    return found


def pick(probabilities: Floats, draw: Floats) -> Ints:
    """Return the arm that each draw falls on."""
    # Added up from left to right, as `running` does: a cumulative sum by numpy may round otherwise than the domain's
    # loop.
    reached = probabilities[0]
    chosen = (draw >= reached).astype(np.int64)
    for row in probabilities[1:]:
        reached = reached + row
        chosen += draw >= reached
    # Probabilities may add up to a little less than 1; a draw above their sum belongs to the last arm that can be
    # drawn.
    if chosen.max(initial=0) == len(probabilities):
        beyond = chosen == len(probabilities)
        last = len(probabilities) - 1 - np.argmax(probabilities[::-1] > 0, axis=0)
        chosen[beyond] = last[beyond]
    picked: Ints = chosen
    return picked


def mix(table: Sequence[Sequence[float]], weights: Sequence[int], tied: Mask) -> Floats:
    """Probabilities of the arms when each of the tied ones is preferred by its weight."""
    arms = range(len(weights))
    total = running([weights[arm] * tied[arm] for arm in arms])
    masses = [
        running([np.where(tied[row], weights[row] * table[row][arm], 0.0) for row in arms]) / total for arm in arms
    ]
    return np.stack(masses)


def only_first(tied: Mask) -> Mask:
    """Return the first of the tied arms alone, in each column."""
    first: Mask = tied & (np.cumsum(tied, axis=0) == 1)
    return first


def chosen_by(arm: Ints, arms: int, where: Mask | None) -> Iterator[Mask]:
    """For each arm, the replicates that took it, where they count."""
    for index in range(arms):
        chosen = arm == index
        yield chosen if where is None else chosen & where


class VectorisedCounting(ABC):
    """One method's memory over all replicates: counts by stratum.

    `where` limits a change to some replicates; None is all of them.
    """

    def __init__(self, scheme: Scheme, weights: Sequence[int], width: int) -> None:
        self.scheme = scheme
        self.weights = tuple(weights)
        self.width = width
        self.counts: dict[Any, Ints] = {}

    def at(self, key: Any) -> Ints:
        """Return the counts at a stratum (or margin)."""
        if key not in self.counts:
            self.counts[key] = np.zeros((len(self.weights), self.width), dtype=np.int64)
        return self.counts[key]

    @abstractmethod
    def probabilities(self, key: Key, levels: Levels) -> Floats:
        """Of each arm, shape (arms, replicates)."""

    def closed(self, key: Key) -> Mask | None:
        """Where a block must open before the next allocation in a stratum; None where the method has no blocks."""
        return None

    def open(self, key: Key, draw: Floats, where: Mask) -> None:  # noqa: B027 - most methods have no blocks
        """Open blocks of the sizes drawn."""

    def take(self, key: Key, levels: Levels, arm: Ints, where: Mask | None) -> None:
        """Count one more."""
        for row, chosen in zip(self.at(key), chosen_by(arm, len(self.weights), where), strict=True):
            row += chosen

    def give_back(self, key: Key, levels: Levels, arm: Ints) -> None:
        """Count one less."""
        self.at(key)[arm, np.arange(self.width)] -= 1

    def select(self, columns: Ints) -> None:
        """Keep these replicates, in this order, some perhaps several times."""
        self.width = len(columns)
        self.counts = {key: counts[:, columns] for key, counts in self.counts.items()}


class VectorisedSimple(VectorisedCounting):
    """Each arm by its weight."""

    def probabilities(self, key: Key, levels: Levels) -> Floats:
        """Return the weights' shares."""
        return shares([np.full(self.width, weight) for weight in self.weights])

    def take(self, key: Key, levels: Levels, arm: Ints, where: Mask | None) -> None:
        """Nothing that is ever looked at."""


class VectorisedBiasedCoin(VectorisedCounting):
    """Efron's coin."""

    def __init__(self, scheme: Scheme, weights: Sequence[int], width: int) -> None:
        super().__init__(scheme, weights, width)
        self.table = coin_table(weights, scheme.preferred)
        self.scale = np.array(scales(weights))[:, None]

    def probabilities(self, key: Key, levels: Levels) -> Floats:
        """Return the coin's table, mixed over the arms that lag most."""
        # In whole numbers: counts divided by weights would make ties depend on rounding.
        lag = self.at(key) * self.scale
        tied = lag == lag.min(axis=0)
        return mix(self.table, self.weights, only_first(tied) if self.scheme.ties == "first" else tied)


class VectorisedUrn(VectorisedCounting):
    """Wei's urn."""

    def probabilities(self, key: Key, levels: Levels) -> Floats:
        """Return the balls' shares; by weight where the urn is empty."""
        counts = self.at(key)
        total = counts.sum(axis=0)
        alpha, beta = self.scheme.alpha, self.scheme.beta
        balls = [
            alpha * weight + beta * (total * weight - count) for weight, count in zip(self.weights, counts, strict=True)
        ]
        # With alpha 0 the urn begins without balls (Wei 1978): the first draw is by weight.
        empty = ~np.any([ball > 0 for ball in balls], axis=0)
        return shares([np.where(empty, float(weight), ball) for weight, ball in zip(self.weights, balls, strict=True)])


class VectorisedBigStick(VectorisedCounting):
    """Soares and Wu's big stick."""

    def __init__(self, scheme: Scheme, weights: Sequence[int], width: int) -> None:
        super().__init__(scheme, weights, width)
        self.scale = scales(weights)
        self.bound = scheme.bound * lcm(*weights)

    def probabilities(self, key: Key, levels: Levels) -> Floats:
        """Return the weights' shares among the arms allowed."""
        lag = self.at(key) * np.array(self.scale)[:, None]
        allowed = np.stack([self._within(lag, arm) for arm in range(len(lag))])
        # Withdrawals may leave no arm within the bound; those that lag most then bring the counts back.
        allowed = np.where(allowed.any(axis=0), allowed, lag == lag.min(axis=0))
        return shares([np.where(able, weight, 0) for weight, able in zip(self.weights, allowed, strict=True)])

    def _within(self, lag: Ints, arm: int) -> Mask:
        after = lag.copy()
        after[arm] += self.scale[arm]
        return np.asarray(after.max(axis=0) - after.min(axis=0) <= self.bound)


class VectorisedBlocks(VectorisedCounting):
    """Permuted blocks; `counts` holds what is left in the open ones."""

    def __init__(self, scheme: Scheme, weights: Sequence[int], width: int) -> None:
        super().__init__(scheme, weights, width)
        self.sizes = block_sizes(scheme, weights)
        self._repeats = np.array([size // sum(weights) for size in self.sizes])
        self.waiting: dict[Key, Ints] = {}

    def closed(self, key: Key) -> Mask | None:
        """Return where nothing is left."""
        return np.logical_not(self.at(key).any(axis=0))

    def open(self, key: Key, draw: Floats, where: Mask) -> None:
        """Open blocks of the sizes drawn; returned slots that waited join them."""
        if not where.any():
            return
        left = self.at(key)
        repeats = self._repeats[(draw * len(self.sizes)).astype(np.int64)] * where
        for arm, weight in enumerate(self.weights):
            left[arm] += repeats * weight
        if key in self.waiting:
            left += self.waiting[key] * where
            self.waiting[key] *= ~where

    def probabilities(self, key: Key, levels: Levels) -> Floats:
        """Return the shares of what is left."""
        return shares(list(self.at(key)))

    def take(self, key: Key, levels: Levels, arm: Ints, where: Mask | None) -> None:
        """Use one slot."""
        for row, chosen in zip(self.at(key), chosen_by(arm, len(self.weights), where), strict=True):
            row -= chosen

    def give_back(self, key: Key, levels: Levels, arm: Ints) -> None:
        """Into the open block, or to wait for the next."""
        # As in the domain: a new block of the returned slot alone would show its arm.
        opened = self.at(key).any(axis=0)
        columns = np.arange(self.width)
        self.at(key)[arm, columns] += opened
        waiting = self.waiting.setdefault(key, np.zeros((len(self.weights), self.width), dtype=np.int64))
        waiting[arm, columns] += ~opened

    def select(self, columns: Ints) -> None:
        """Keep these replicates."""
        super().select(columns)
        self.waiting = {key: slots[:, columns] for key, slots in self.waiting.items()}


def _spread_range(counts: Sequence[Floats]) -> Floats:
    spread: Floats = np.maximum.reduce(counts) - np.minimum.reduce(counts)
    return spread


def _spread_variance(counts: Sequence[Floats]) -> Floats:
    mean = running(counts) / len(counts)
    return running([(count - mean) * (count - mean) for count in counts]) / max(len(counts) - 1, 1)


def _spread_sd(counts: Sequence[Floats]) -> Floats:
    return np.sqrt(_spread_variance(counts))


_SPREADS: dict[str, Callable[[Sequence[Floats]], Floats]] = {
    "range": _spread_range,
    "sd": _spread_sd,
    "variance": _spread_variance,
}


class VectorisedMinimisation(VectorisedCounting):
    """Pocock and Simon's minimisation; `counts` holds the margins by (variable, level)."""

    def __init__(self, scheme: Scheme, weights: Sequence[int], width: int) -> None:
        super().__init__(scheme, weights, width)
        self.table = coin_table(weights, scheme.preferred)
        self.spread = _SPREADS[scheme.metric]

    def probabilities(self, key: Key, levels: Levels) -> Floats:
        """Return the coin's table, mixed over the arms of least score."""
        scores = self._scores(levels)
        # Weighted sums of spreads differ by rounding where they are equal on paper; the domain has the same tolerance.
        tied = scores - scores.min(axis=0) <= TIE
        return mix(self.table, self.weights, only_first(tied) if self.scheme.ties == "first" else tied)

    def _scores(self, levels: Levels) -> Floats:
        terms = [self._terms(factor.variable, levels[factor.variable]) for factor in self.scheme.factors]
        weighted = [
            [factor.weight * term for term in by_arm] for factor, by_arm in zip(self.scheme.factors, terms, strict=True)
        ]
        return np.stack([running(list(of_arm)) for of_arm in zip(*weighted, strict=True)])

    def _terms(self, variable: str, level: str) -> list[Floats]:
        counts = self.at((variable, level))
        now = [count / weight for count, weight in zip(counts, self.weights, strict=True)]
        joined = [(count + 1) / weight for count, weight in zip(counts, self.weights, strict=True)]
        return [self.spread([*now[:arm], joined[arm], *now[arm + 1 :]]) for arm in range(len(now))]

    def take(self, key: Key, levels: Levels, arm: Ints, where: Mask | None) -> None:
        """Count the newcomer at each level."""
        for factor in self.scheme.factors:
            super().take(key=(factor.variable, levels[factor.variable]), levels=levels, arm=arm, where=where)

    def give_back(self, key: Key, levels: Levels, arm: Ints) -> None:
        """Take a participant who withdrew out of the counts."""
        for factor in self.scheme.factors:
            super().give_back((factor.variable, levels[factor.variable]), levels, arm)


RULES: dict[str, type[VectorisedCounting]] = {
    "simple": VectorisedSimple,
    "permuted_blocks": VectorisedBlocks,
    "stratified_blocks": VectorisedBlocks,
    "minimisation": VectorisedMinimisation,
    "biased_coin": VectorisedBiasedCoin,
    "urn": VectorisedUrn,
    "big_stick": VectorisedBigStick,
}
