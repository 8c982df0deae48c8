"""What allocation can give, and whether a scheme fits the arms."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import permutations

from study_app.domain.allocation.arms import AllocationOption, Arm, reduced
from study_app.domain.allocation.scheme import Scheme
from study_app.domain.errors import Problem

ORDER_MARK = ">"
DECISION_MARK = "/"
"""Between an arm and the treatment of a second randomisation, as in `hints/more`."""
_MOST_ARMS_FOR_ALL_ORDERS = 5


def options(scheme: Scheme, arms: Sequence[Arm | AllocationOption]) -> tuple[AllocationOption, ...]:
    """Return the arms with their weights in smallest whole numbers; for a crossover, orders such as `ai>no_ai`."""
    if scheme.method != "sequence":
        return reduced(tuple(AllocationOption(arm.id, arm.weight) for arm in arms))
    return tuple(AllocationOption(ORDER_MARK.join(order), 1) for order in orders(scheme, [arm.id for arm in arms]))


def share(given: Sequence[AllocationOption], option: str) -> float | None:
    """Return the part of all weights that an option has; None for one that is not among them."""
    weight = next((each.weight for each in given if each.id == option), None)
    return None if weight is None else weight / sum(each.weight for each in given)


def order_of(option: str) -> tuple[str, ...]:
    """Return the arms of one allocation in the order a participant meets them; one arm outside crossovers."""
    return tuple(option.split(ORDER_MARK))


def orders(scheme: Scheme, ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the counterbalanced orders of a crossover design."""
    if isinstance(scheme.orders, tuple):
        return scheme.orders
    if scheme.orders == "all":
        return tuple(permutations(ids))
    rows = _williams(len(ids)) if scheme.orders == "williams" else _cyclic(len(ids))
    return tuple(tuple(ids[position] for position in row) for row in rows)


def _cyclic(count: int) -> list[list[int]]:
    return [[(start + step) % count for step in range(count)] for start in range(count)]


def _williams(count: int) -> list[list[int]]:
    """Orders in which each arm follows each other arm equally often (Williams 1949); odd counts need the mirror."""
    # 0, 1, n-1, 2, n-2, ...: neighbours differ by another amount (modulo n) each time, so the n shifted rows hold every
    # ordered pair of neighbours once.
    first = [0]
    for step in range(1, count):
        first.append((step + 1) // 2 if step % 2 else count - step // 2)
    rows = [[(entry + shift) % count for entry in first] for shift in range(count)]
    return rows + [row[::-1] for row in rows] if count % 2 else rows


def scheme_problems(
    scheme: Scheme,
    arms: Sequence[Arm | AllocationOption],
    variables: Collection[str] | None = None,
    *,
    file: str = "study.toml",
    table: str = "allocation",
) -> list[Problem]:
    """Return everything about a scheme that only shows beside the arms and the baseline variables.

    Args:
        scheme: The scheme, valid in itself.
        arms: The study's arms.
        variables: Baseline variables saved before allocation; None: not checked.
        file: The study file's name, for the messages.
        table: The scheme's table in it.
    """
    found = [*_order_problems(scheme, arms), *_block_problems(scheme, arms)]
    if variables is not None:
        found += _variable_problems(scheme, variables)
    return [Problem(file, f"{table}.{key}", what, remedy) for key, what, remedy in found]


_Found = list[tuple[str, str, str]]


def _order_problems(scheme: Scheme, arms: Sequence[Arm | AllocationOption]) -> _Found:
    if scheme.method != "sequence":
        return []
    found: _Found = []
    if len({arm.weight for arm in arms}) > 1:
        found.append(("orders", "orders cannot be counterbalanced with unequal weights", "remove the arms' weights"))
    if scheme.orders == "all" and len(arms) > _MOST_ARMS_FOR_ALL_ORDERS:
        found.append(("orders", f"{len(arms)} arms have too many orders", 'write orders = "williams"'))
    if isinstance(scheme.orders, tuple):
        known = {arm.id for arm in arms}
        strange = sorted({arm for order in scheme.orders for arm in order} - known)
        if strange:
            found.append(("orders", f"{', '.join(strange)} is not an arm", f"use {', '.join(sorted(known))}"))
        if len(set(scheme.orders)) < max(len(scheme.orders), 1) or not all(scheme.orders):
            found.append(("orders", "an order is empty or listed twice", "list each order once"))
    return found


def _block_problems(scheme: Scheme, arms: Sequence[Arm | AllocationOption]) -> _Found:
    if scheme.method == "sequence" and scheme.orders == "all" and len(arms) > _MOST_ARMS_FOR_ALL_ORDERS:
        return []
    total = sum(option.weight for option in options(scheme, arms))
    wrong = [size for size in scheme.block_sizes if total and size % total]
    if not wrong:
        return []
    example = f"use multiples such as {2 * total} and {3 * total}"
    return [("block_sizes", f"{wrong} is not a multiple of {total}, the sum of the weights", example)]


def _variable_problems(scheme: Scheme, variables: Collection[str]) -> _Found:
    known = ", ".join(sorted(variables)) or "none yet; add a background question"
    groups = {"strata": [f.variable for f in scheme.strata], "factors": [f.variable for f in scheme.factors]}
    groups["cluster"] = [scheme.cluster] if scheme.cluster else []
    return [
        (key, f"'{name}' is not saved before allocation", f"use one of: {known}")
        for key, names in groups.items()
        for name in names
        if name not in variables
    ]
