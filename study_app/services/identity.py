"""Tokens and identifying fields, as the database keeps them."""

from __future__ import annotations

import hashlib

LONGEST_FIELD = 200


def hashed(token: str) -> str:
    """Return what the database keeps of a token or a link."""
    return hashlib.sha256(token.encode()).hexdigest()
