"""Identifiers that follow from the seed, except for those that must stay secret."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from random import Random

_BYTES = 12
_NO_FIRST = "-_=+@"
"""As for real identifiers: none begins like a formula of a spreadsheet."""


class SeededIds:
    """A source of identifiers for services.world.World.fresh_id.

    Args:
        seed: equal seeds give equal identifiers.
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._seeded_left: int | None = None

    def __call__(self) -> str:
        """The next identifier."""
        if self._seeded_left is not None:
            self._seeded_left -= 1
            if self._seeded_left < 0:
                return secrets.token_urlsafe(_BYTES)
        while (name := urlsafe_b64encode(self._random.randbytes(_BYTES)).decode())[0] in _NO_FIRST:
            pass
        return name

    def secret_after(self, count: int | None) -> None:
        """Give so many more from the seed and then truly random ones, until called with None.

        A cookie's token must not follow from a public seed, also where it is a simulated participant's.
        """
        self._seeded_left = count
