"""Which column, level and arm a row of a subgroup is of, and what readers see of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]


class SubgroupParts(NamedTuple):
    """The parts of such a row's id; the level is empty in the test of an interaction."""

    column: str
    level: str
    arm: str


def subgroup_of(row: Row, columns: Mapping[str, str]) -> SubgroupParts | None:
    """Return the parts of a row's id; None of a row of no subgroup.

    >>> subgroup_of({"id": "y.subgroup.dose.0.5.high", "contrast": ["high", "low"]}, {"dose": "Dose"})
    SubgroupParts(column='dose', level='0.5', arm='high')
    """
    for kind in (".subgroup.", ".interaction."):
        _, found, rest = str(row["id"]).partition(kind)
        if not found:
            continue
        starts = [name for name in columns if rest == name or rest.startswith(f"{name}.")]
        column = max(starts, key=len, default=rest.partition(".")[0])
        level, arm = rest[len(column) + 1 :], row["contrast"][0] if row["contrast"] else ""
        several = bool(arm) and level.endswith(f".{arm}")
        return SubgroupParts(column, level.removesuffix(f".{arm}") if several else level, arm if several else "")
    return None


def level_name(found: SubgroupParts, labels: Mapping[str, str]) -> str:
    """Return a level, and the arm where there are several, under their labels."""
    text = labels.get(f"{found.column}={found.level}", found.level)
    return f"{text} · {labels.get(found.arm, found.arm)}" if found.arm else text


def subgroup_name(row: Row, labels: Mapping[str, str], columns: Mapping[str, str]) -> str:
    """Return such a row as a line of a table; empty of another row."""
    found = subgroup_of(row, columns)
    if found is None:
        return ""
    title = columns.get(found.column, found.column)
    return f"{title}: {level_name(found, labels)}" if found.level else f"{title}, interaction"
