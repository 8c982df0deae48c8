"""The commitment to the sealed seed: published at launch, checked by anyone once the seed is out."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from study_app.domain.allocation import ALGORITHM, Scheme, options
from study_app.domain.allocation.arms import Arm
from study_app.domain.study.study import canonical_json

SEED_BYTES = 32


def commitment(seed: bytes, scheme: Scheme, arms: Sequence[Arm]) -> str:
    """SHA-256, in hex, of the canonical JSON of seed, algorithm, scheme (with its strata) and weighted arms.

    Keys of the scheme at their defaults are left out, so that a later release with more of them keeps old commitments.
    The seed has 256 bits, so the hash hides it; a second seed with the same hash cannot be found, so it binds.
    """
    content = {
        "algorithm": ALGORITHM,
        "arms": [{"id": option.id, "weight": option.weight} for option in options(scheme, arms)],
        "scheme": scheme.model_dump(mode="json", exclude_defaults=True),
        "seed": seed.hex(),
    }
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def keeps_commitment(published: str, seed: bytes, scheme: Scheme, arms: Sequence[Arm]) -> bool:
    """Whether the seed now shown is the one committed to at launch."""
    return hmac.compare_digest(published, commitment(seed, scheme, arms))
