"""A column has one role in a call: in two of them the outcome, or the arms, would be held against themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from study_app.domain.errors import Problem

COLUMNS = (
    "moderator", "pair_id", "person", "period", "second", "responded", "first_probability", "second_probability",
    "factors", "within", "item", "exposure", "x", "received", "instruments",
)  # fmt: skip
"""Options that name columns of the table."""
AS_ARMS = ("received", "factors", "within")
"""Options whose column may be that of the arms: where everyone received what their arm says, say."""


def role_problems(shared: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the roles of columns.

    Args:
        shared: arguments of all methods that name columns, one or several; `outcome` and `arm` among them.
        options: of the method.
    """
    outcome, arm = shared["outcome"], shared["arm"]
    roles = {role: named for role, named in shared.items() if role not in ("outcome", "arm")}
    roles |= {name: options[name] for name in COLUMNS if name in options}
    if arm is not None and arm == outcome:
        yield Problem("data", "outcome", f"{outcome!r} is the column of the arms too", "name two columns")
    for role, value in roles.items():
        named = _names(value)
        if outcome in named:
            yield Problem("data", role, f"{outcome!r} is the outcome", "name another column, or leave it out")
        elif arm is not None and arm in named and role not in AS_ARMS:
            yield Problem("data", role, f"{arm!r} is the column of the arms", "name another column, or leave it out")
        for twice in (name for name, times in Counter(named).items() if times > 1):
            yield Problem("data", role, f"{twice!r} comes twice", "name it once")


def _names(value: Any) -> list[Hashable]:
    if value is None or isinstance(value, str) or not isinstance(value, Iterable):
        return [] if value is None else [value]
    return list(value)
