"""Random parts of the interviews: the half that a codebook is drawn from, the sample that people code."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence

from study_app.domain.themes.marks import CODE, INDUCE, GoldDraw


def in_random_order(ids: Collection[str], seed: str) -> list[str]:
    """Return ids in an order that follows from the seed alone, not from their own order."""
    return sorted(set(ids), key=lambda each: (hashlib.sha256(f"{seed}:{each}".encode()).digest(), each))


def halves(ids: Collection[str], seed: str) -> dict[str, str]:
    """Return `induce` for a random half, rounded down, and `code` for the others."""
    order = in_random_order(ids, seed)
    middle = len(order) // 2
    return {each: INDUCE if place < middle else CODE for place, each in enumerate(order)}


def gold_sample(ids: Collection[str], seed: str, *, share: float = 1.0, least: int = 0) -> dict[str, GoldDraw]:
    """Draw a simple random sample without replacement.

    Args:
        ids: of the interviews that were in no earlier draw.
        seed: of the draw.
        share: of them to draw, rounded up.
        least: draw that many at least, or all where there are fewer.

    Returns:
        Every id, drawn or left, with its probability of being drawn: size / number of ids.
    """
    order = in_random_order(ids, seed)
    size = min(len(order), max(math.ceil(share * len(order) - 1e-9), least))
    if not size:
        return {}
    probability = size / len(order)
    return {each: GoldDraw(place < size, probability) for place, each in enumerate(order)}


def fully_coded(topics: Mapping[str, Sequence[str]], coded: Collection[tuple[str, str]]) -> set[str]:
    """Return the interviews of which every topic is coded.

    Args:
        topics: interview -> its topics with an answer.
        coded: (interview, topic).
    """
    return {each for each, own in topics.items() if own and all((each, topic) in coded for topic in own)}
