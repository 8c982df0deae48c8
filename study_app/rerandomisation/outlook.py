"""What an allocation scheme does at the planned size: imbalance and predictability, by running it on its own seeds.

The real ledger's seed plays no part: the seeds here are public and say nothing about any participant.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles
from typing import Any

from study_app.domain.allocation import Allocator, Scheme, draws
from study_app.domain.study.study import Study

ALTERNATIVES = ("simple", "permuted_blocks", "biased_coin", "big_stick", "urn")


@dataclass(frozen=True)
class SchemeProperties:
    """What one scheme does over many trials."""

    name: str
    scheme: Scheme
    imbalance: float
    """Mean, over trials, of the largest minus the smallest count per unit of weight at the end."""
    worst: float
    """The same: 95 % of the trials stay at or below it."""
    guessed: float
    """Share of allocations that a guesser gets right who always names the arm with the fewest so far."""
    by_chance: float
    """The share that guessing without looking gives."""


def outlooks(study: Study, n: int, trials: int) -> list[SchemeProperties]:
    """Return the study's own scheme first, then the alternatives; schemes that the arms do not allow are left out."""
    own = study.allocation
    found = [outlook(f"{own.method.replace('_', ' ')} (this study)", own, study, n, trials)]
    for method in ALTERNATIVES:
        if method != own.method:
            found.append(outlook(method.replace("_", " "), Scheme(method=method), study, n, trials))
    return found


def outlook(name: str, scheme: Scheme, study: Study, n: int, trials: int) -> SchemeProperties:
    """Run one scheme.

    Args:
        name: what to call it.
        scheme: how arms are drawn.
        study: its arms and questions; baseline values are drawn evenly from the answers that a question offers.
        n: allocations in one trial.
        trials: how many trials.
    """
    ends, hits = [], 0.0
    for trial in range(trials):
        # The same trials for every scheme: what differs between two of them is the scheme, and not chance.
        seed = hashlib.sha256(f"outlook:{trial}".encode()).digest()
        end, right = _trial(scheme, study, n, seed)
        ends.append(end)
        hits += right
    worst = quantiles(ends, n=20, method="inclusive")[-1] if trials > 1 else ends[0]
    weights = [arm.weight for arm in study.arms]
    return SchemeProperties(name, scheme, fmean(ends), worst, hits / (n * trials), max(weights) / sum(weights))


def _trial(scheme: Scheme, study: Study, n: int, seed: bytes) -> tuple[float, float]:
    allocator = Allocator(scheme, study.arms)
    counts: Counter[str] = Counter()
    hits = 0.0
    weights = {option.id: option.weight for option in allocator.options}
    for index in range(1, n + 1):
        guesses = _fewest(counts, weights)
        decision = allocator.allocate(_profile(scheme, study, seed, index), draws(seed, index))
        # The expectation over a guesser's lot among tied arms, in place of a drawn guess: no variance of its drawing.
        hits += (decision.arm in guesses) / len(guesses)
        counts[decision.arm] += 1
    shares = [counts[name] / weight for name, weight in weights.items()]
    return max(shares) - min(shares), hits


def _fewest(counts: Mapping[str, int], weights: Mapping[str, int]) -> list[str]:
    """Return what the convergence strategy guesses: the arms that are furthest behind their share."""
    shares = {name: counts[name] / weight for name, weight in weights.items()}
    return [name for name, share in shares.items() if share == min(shares.values())]


def _profile(scheme: Scheme, study: Study, seed: bytes, index: int) -> dict[str, Any]:
    digest = hashlib.sha256(seed + index.to_bytes(4, "big")).digest()
    # A digest has 32 bytes; a scheme of more variables uses them again.
    return {name: _drawn_answer(study, name, digest[number % 32]) for number, name in enumerate(scheme.variables)}


def _drawn_answer(study: Study, name: str, byte: int) -> Any:
    questions = {question.id: question for stage in study.stages for question in stage.asked}
    if name in questions and questions[name].options:
        options: Sequence[Any] = questions[name].options
        return options[byte % len(options)].value
    return byte % 10
