"""What an arm is to the allocation: a name and a weight."""

from __future__ import annotations

from math import gcd
from typing import Any, NamedTuple

from pydantic import Field, field_validator

from study_app.domain.file_tables import FileTable


class Arm(FileTable):
    """One arm of the trial, as the study file names it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Lower-case letters, digits and underscores; the value of the `arm` columns."""
    label: str = ""
    """What people read; empty: the id."""
    weight: int = 1
    """Share in the allocation, as a whole number: weights 2 and 1 allocate two to one."""

    @field_validator("weight", mode="before")
    @classmethod
    def _whole(cls, weight: Any) -> Any:
        return whole_weight(weight)

    @property
    def title(self) -> str:
        """The label, or the id where there is none."""
        return self.label or self.id


def whole_weight(weight: Any) -> int:
    """Return a share in the allocation as read from a file.

    Raises:
        ValueError: it is not a whole number from 1 to 1000; the message says what to do.
    """
    whole = isinstance(weight, int) or (isinstance(weight, float) and weight.is_integer())
    if isinstance(weight, bool) or not whole:
        raise ValueError(f"{weight!r} is not a whole number; write ratios as whole numbers, 3 and 2 for 1.5 to 1")
    if not 1 <= weight <= 1000:
        raise ValueError(f"{weight!r} is out of range; give each arm a weight from 1 to 1000, or remove the arm")
    return int(weight)


class AllocationOption(NamedTuple):
    """One thing that allocation can give: an arm, or for a crossover an order of arms."""

    id: str
    weight: int


def reduced(options: tuple[AllocationOption, ...]) -> tuple[AllocationOption, ...]:
    """Return the same ratios in the smallest whole numbers: 4 and 2 become 2 and 1."""
    divisor = gcd(*(option.weight for option in options))
    return tuple(AllocationOption(option.id, option.weight // divisor) for option in options)
