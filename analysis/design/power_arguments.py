"""What the power functions are given: each argument a number within bounds, and none that would change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.argument_kinds import number
from analysis.estimators.core.option_domains import Numbers
from analysis.estimators.core.validation import AnalysisError, Floats

PEOPLE = Numbers(above=1)
"""Sizes from which a variance can be estimated."""
_SIDES = {
    "two-sided": 2, "two.sided": 2, "two_sided": 2, "greater": 1, "larger": 1, "less": -1, "smaller": -1,
}  # fmt: skip


def side_of(alternative: Any) -> int:
    """Return 2 of a two-sided test, 1 of one that looks for a positive effect, -1 for a negative one."""
    found = _SIDES.get(alternative) if isinstance(alternative, str) else None
    if found is None:
        raise AnalysisError.of("alternative", f"{alternative!r} is not known", "use two-sided, greater or less")
    return found


def refuse_beside(main: str, **others: Any) -> None:
    """Refuse arguments that are given where another takes their place."""
    for name, value in others.items():
        if value is not None:
            raise AnalysisError.of(name, f"is not used beside {main}", f"leave out {name} or {main}")


def one_of(**names: Any) -> Any:
    """Return the value of two names of the same argument, of which one at most is given."""
    (first, value), (other, also) = names.items()
    if value is not None:
        refuse_beside(first, **{other: also})
    return also if value is None else value


def sizes(n: Any, n2: Any, ratio: Any) -> tuple[float, float]:
    """Return the people of the treated arm and of the control.

    Args:
        n: of the treated, or of both arms.
        n2: of the control.
        ratio: controls per treated, in place of `n2`.
    """
    if isinstance(n, Sequence | np.ndarray | pd.Series) and not isinstance(n, str):
        refuse_beside("n of both arms", n2=n2, ratio=ratio)
        arms = list(n)
        if len(arms) != 2:
            raise AnalysisError.of("n", f"{n!r} is not a size of two arms", "give n=(treated, control), or one number")
        return number("n", arms[0], PEOPLE), number("n", arms[1], PEOPLE)
    if n2 is not None:
        refuse_beside("n2", ratio=ratio)
    first = number("n", n, PEOPLE)
    second = first if n2 is None else number("n2", n2, PEOPLE)
    if ratio is not None:
        second = number("n * ratio", first * number("ratio", ratio, Numbers(above=0)), PEOPLE)
    return first, second


def effect_of(d: Any, difference: Any, sd: Any) -> tuple[float, Floats | None]:
    """Return the standardised difference, or the difference with the standard deviations of two arms.

    Args:
        d: the standardised difference.
        difference: in outcome units, in place of `d`.
        sd: beside the difference; one, or (treated, control).
    """
    if d is not None:
        refuse_beside("d", difference=difference, sd=sd)
        return number("d", d), None
    if difference is None and sd is None:
        raise AnalysisError.of("d", "is not given", "give d, or difference and sd")
    difference = number("difference", difference)
    if np.ndim(sd) == 0:
        return difference / number("sd", sd, Numbers(above=0)), None
    if len(sd) != 2:
        raise AnalysisError.of("sd", f"{sd!r} is not one of each arm", "give sd=(treated, control), or one number")
    return difference, np.asarray([number("sd", value, Numbers(above=0)) for value in sd])
