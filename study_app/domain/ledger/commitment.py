"""The commitment to the sealed seed: published at launch, checked by anyone once the seed is out."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from study_app.domain.allocation import ALGORITHM, Scheme, options
from study_app.domain.allocation.arms import Arm
from study_app.domain.study.study import Study, canonical_json

SEED_BYTES = 32


def commitment(
    seed: bytes, scheme: Scheme, arms: Sequence[Arm], second: tuple[Scheme, Sequence[Arm]] | None = None
) -> str:
    """SHA-256, in hex, of the canonical JSON of seed, algorithm, scheme (with its strata) and weighted arms.

    A second randomisation adds its scheme and its weighted treatments.

    Keys of the scheme at their defaults are left out, so that a later release with more of them keeps old commitments.
    The seed has 256 bits, so the hash hides it; a second seed with the same hash cannot be found, so it binds.
    """
    # Scheme and ratio are committed to along with the seed: otherwise they could be chosen afterwards, to fit the
    # assignments that someone wanted.
    content = {"algorithm": ALGORITHM, **_drawn(scheme, arms), "seed": seed.hex()}
    if second is not None:
        content["second"] = _drawn(*second)
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def _drawn(scheme: Scheme, arms: Sequence[Arm]) -> dict[str, Any]:
    return {
        "arms": [{"id": option.id, "weight": option.weight} for option in options(scheme, arms)],
        "scheme": scheme.model_dump(mode="json", exclude_defaults=True),
    }


def commitment_of(seed: bytes, study: Study) -> str:
    """Return the commitment to a seed for everything that a study randomises."""
    second = (study.second_scheme, study.second_decision.arms) if study.second_decision else None
    return commitment(seed, study.allocation, study.arms, second)


def keeps_commitment(published: str, seed: bytes, study: Study) -> bool:
    """Return whether the seed now shown is the one committed to at launch."""
    return hmac.compare_digest(published, commitment_of(seed, study))
