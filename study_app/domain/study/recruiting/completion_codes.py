"""Completion codes are not part of what is published: a slow digest stands for them in the study's hashed text.

The digest is over all codes together and is salted with the study's id, so that codes cannot be looked up in a table
and trying them out takes long; equal codes of one study give equal text, on every machine.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

DIGEST = "scrypt:"
"""Beginning of every digest."""
COST = 2**14
"""Of scrypt, with blocks of 8: 16 MiB and some tens of milliseconds a try."""


def codes_digest(study_id: str, codes: dict[str, str]) -> str:
    """Return what stands in the canonical study in place of the completion codes.

    Args:
        study_id: salts the digest.
        codes: by outcome.
    """
    return _digest(study_id, json.dumps(codes, sort_keys=True, ensure_ascii=False))


@lru_cache(maxsize=64)
def _digest(study_id: str, codes: str) -> str:
    salt = f"study-app completion codes\n{study_id}".encode()
    return DIGEST + hashlib.scrypt(codes.encode("utf-8", "surrogatepass"), salt=salt, n=COST, r=8, p=1, dklen=32).hex()
