"""Identifiers that follow from the seed, except for those that must stay secret."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

_BYTES = 12
_NO_FIRST = "-_=+@"
"""As for real identifiers: none begins like a formula of a spreadsheet."""


class SeededIds:
    """A source of identifiers for services.context.StudyContext.fresh_id.

    Args:
        seed: equal seeds give equal identifiers.
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._people = Random(f"{seed}:people")
        self._entering: int | None = None

    def __call__(self) -> str:
        """Return the next identifier."""
        if self._entering is None:
            return _name(self._random)
        self._entering += 1
        return _name(self._people) if self._entering == 1 else secrets.token_urlsafe(_BYTES)

    @contextmanager
    def entering(self) -> Iterator[None]:
        """Provide a participant enters: the first identifier is theirs, from its own sequence.

        Those after it are secret.

        So people keep their identifiers whatever else happens in a simulation, and a cookie's token does not follow
        from a public seed, also where it is a simulated participant's.
        """
        self._entering = 0
        try:
            yield
        finally:
            self._entering = None


def _name(rng: Random) -> str:
    while (name := urlsafe_b64encode(rng.randbytes(_BYTES)).decode())[0] in _NO_FIRST:
        pass
    return name
