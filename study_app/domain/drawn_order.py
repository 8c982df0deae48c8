"""Orders that are drawn for each person: the same after every reload, and without any state but the person's id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

Each = TypeVar("Each")


def drawn(things: Sequence[Each], person: str, what: str) -> tuple[Each, ...]:
    """Return the things in an order drawn uniformly by the person's random id and what is ordered."""
    seed = hashlib.sha256(f"{person}\0{what}".encode()).digest()
    order = list(things)
    Random(seed).shuffle(order)
    return tuple(order)
