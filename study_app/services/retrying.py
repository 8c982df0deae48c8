"""Acts that are tried again where another transaction was in the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from random import uniform
from typing import ParamSpec, TypeVar

from study_app.domain.errors import Conflict

ATTEMPTS = 5
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
