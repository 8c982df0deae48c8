"""Where chance comes from: seeds of the three ledgers, and uniforms by index.

The uniforms of an allocation depend on nothing but the seed and the allocation's index, so that anyone with the seed
can recompute any of them alone, in any order.
"""

from __future__ import annotations

import hashlib
import hmac

ALGORITHM = "study-allocation/1"
"""Names the rules and the generator together; a change that alters any assignment changes it."""

_MANTISSA = 53


def draws(seed: bytes, index: int, count: int = 2) -> tuple[float, ...]:
    """Return the uniforms of one allocation, each a multiple of 2**-53 in [0, 1).

    By convention the first sizes a block where one opens, the second chooses the arm. Both are always drawn, whether
    or not the method uses them, so that no use of one shifts another.

    Args:
        seed: The ledger's seed.
        index: The allocation's index, from 1.
        count: How many.
    """
    return tuple(_uniform(seed, index, position) for position in range(count))


def _uniform(seed: bytes, index: int, position: int) -> float:
    # HMAC as a random function of the index: without the seed no output says anything about another. The name of the
    # algorithm separates these outputs from other uses of the same seed.
    message = f"{ALGORITHM}:{index}:{position}".encode()
    digest = hmac.new(seed, message, hashlib.sha256).digest()
    # 53 bits, as many as a double holds: each value is exact, 1.0 is never reached, and all values are equally likely.
    return (int.from_bytes(digest[:8], "big") >> (64 - _MANTISSA)) / (1 << _MANTISSA)


def preview_seed(study_hash: str) -> bytes:
    """Return the public seed of the preview ledger: anyone with the study file can compute it."""
    return hashlib.sha256(f"{ALGORITHM}:preview:{study_hash}".encode()).digest()


def simulated_seed(study_hash: str) -> bytes:
    """Return the public seed of the ledger of simulated participants."""
    return hashlib.sha256(f"{ALGORITHM}:simulated:{study_hash}".encode()).digest()


def decision_seed(seed: bytes, decision: int) -> bytes:
    """Return the seed of one decision's ledger, so that no draw of one decision says anything about another's."""
    if decision == 1:
        return seed
    return hmac.new(seed, f"{ALGORITHM}:decision:{decision}".encode(), hashlib.sha256).digest()


def derived_salt(seed: bytes, index: int) -> str:
    """Return a salt that follows from a public seed, so that preview and simulated ledgers repeat byte for byte.

    Never for the real ledger: once its seed is published, erased payloads could be guessed.
    """
    return hmac.new(seed, f"{ALGORITHM}:{index}:salt".encode(), hashlib.sha256).hexdigest()[:32]
