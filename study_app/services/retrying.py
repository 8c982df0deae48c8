"""Acts that are tried again where another transaction was in the way, or the database was away."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from random import uniform
from typing import ParamSpec, TypeVar

from study_app.domain.errors import Conflict, InfrastructureError

log = logging.getLogger(__name__)

ATTEMPTS = 5
INSIST_SECONDS = 20.0
"""How long the database may be away before an act that insists is given up, or kept for later."""
REFUSALS = 5
"""How often the database may refuse an end, while it takes other things, until the end is given up."""
_LONGEST_PAUSE = 1.0
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def retried(act: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Try an act again, a little later each time, while `Conflict` says that nothing of it was stored.

    Only for acts that do nothing beside their transactions, and whose transactions may be repeated.
    """

    @wraps(act)
    def attempt(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for number in range(1, ATTEMPTS):
            try:
                return act(*args, **kwargs)
            except Conflict:
                # Random, or the two that met would meet again; longer each time, since a queue needs time to drain.
                time.sleep(uniform(0, 0.05) * number)
        return act(*args, **kwargs)

    return attempt


def insisting(act: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Try an act again for a while, whatever keeps the database from storing it, also a connection that is cut.

    Only for acts at the end of work that cannot be done anew, and that find out themselves whether they were stored: of
    a commit whose connection is cut no one knows whether it was.
    """

    @wraps(act)
    def attempt(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        last, pause = time.monotonic() + INSIST_SECONDS, 0.05
        while True:
            try:
                return act(*args, **kwargs)
            except InfrastructureError:
                if time.monotonic() >= last:
                    raise
                time.sleep(uniform(pause / 2, pause))
                pause = min(2 * pause, _LONGEST_PAUSE)

    return attempt


class Ends:
    """How works ended that cannot be done anew: stored as soon as the database takes them, however long it is away.

    What is known of a work is never replaced by "it failed" because the database was away as it ended.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Callable[[], None]] = {}
        self._refused: Counter[str] = Counter()
        self._lock = threading.Lock()

    def store(self, work: str, act: Callable[[], None]) -> None:
        """Insist on an act as `insisting` does, and keep it for `store_kept` where the database does not come back."""
        try:
            insisting(act)()
        except InfrastructureError as error:
            with self._lock:
                self._kept[work] = act
            log.warning("an end waits for the database", exc_info=error, extra={"work": work})

    def __contains__(self, work: str) -> bool:
        with self._lock:
            return work in self._kept

    def store_kept(self) -> None:
        """Try once more to store each that was kept; for a moment at which the database has just taken something else.

        One that it refuses again and again holds up no other and is given up at last: its work then counts as dropped.
        """
        with self._lock:
            kept = list(self._kept.items())
        for work, act in kept:
            try:
                act()
            except Conflict:
                continue
            except InfrastructureError as error:
                self._refused[work] += 1
                if self._refused[work] < REFUSALS:
                    log.warning("an end waits for the database", exc_info=error, extra={"work": work})
                    continue
                log.exception("an end cannot be stored", extra={"work": work})
            except Exception:
                # It would fail again each time.
                log.exception("an end cannot be stored", extra={"work": work})
            with self._lock:
                del self._kept[work]
            del self._refused[work]
