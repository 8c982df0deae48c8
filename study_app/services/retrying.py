"""Acts that are tried again where another transaction was in the way, or the database was away for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from random import uniform
from typing import ParamSpec, TypeVar

from study_app.domain.errors import Conflict, InfrastructureError

ATTEMPTS = 5
INSIST_SECONDS = 20.0
"""How long the database may be away before an act that insists is given up."""
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
