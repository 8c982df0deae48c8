"""Confidence beside quiz answers, with a calibration that is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from statistics import fmean

from study_app.domain.quiz.confidence import STEPS

RESOLUTION = 0.35
"""By how much a right answer is held more surely than a wrong one."""
NOISE = 0.12
"""Standard deviation of a single rating."""
_GRID = len(STEPS) - 1


def stated_confidence(shares: Mapping[str, float], overconfidence: float, rng: Random) -> dict[str, int]:
    """Percent by item, whose mean lies `overconfidence` above the mean share of the points, within 0 to 100.

    Args:
        shares: item -> share of its points that the answer earns; of answered items.
        overconfidence: calibration in the large, as a share.
        rng: the person's own.
    """
    if not shares:
        return {}
    reached = fmean(shares.values())
    aim = min(max(reached + overconfidence, 0.0), 1.0)
    raw = [aim + RESOLUTION * (share - reached) + rng.gauss(0, NOISE) for share in shares.values()]
    return dict(zip(shares, _on_steps(raw, aim), strict=True))


def _on_steps(raw: list[float], aim: float) -> list[int]:
    """Move ratings to the steps of the page so that their mean is as near to the aim as the steps allow."""
    found = [min(max(round(value * _GRID), 0), _GRID) for value in raw]
    left = round(aim * _GRID * len(raw)) - sum(found)
    step = 1 if left > 0 else -1
    while left:
        free = [at for at, value in enumerate(found) if 0 <= value + step <= _GRID]
        # The one that lies farthest from what was meant, in the direction of the move.
        at = max(free, key=lambda at: step * (raw[at] * _GRID - found[at]))
        found[at] += step
        left -= step
    return [STEPS[value] for value in found]
