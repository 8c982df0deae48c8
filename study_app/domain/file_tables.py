"""What every table of a file that people write has in common: numbers are numbers, and finite."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

BEYOND = 1e12
"""No number of a study is larger; one that is would end in an overflow somewhere."""


class FileTable(BaseModel):
    """A table of a TOML file: unknown keys are errors, values never change after reading, numbers are numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_only(cls, value: Any, info: ValidationInfo) -> Any:
        kinds = _kinds(cls.model_fields[info.field_name or ""].annotation)
        if {int, float} & kinds:
            for found in _leaves(value):
                if isinstance(found, bool) and bool not in kinds:
                    raise PydanticCustomError("number_expected", "a number is wanted, not true or false")
                if isinstance(found, str) and str not in kinds:
                    raise PydanticCustomError("number_expected", "a number is wanted, not a text")
                if isinstance(found, int | float) and math.isfinite(found) and abs(found) > BEYOND:
                    raise PydanticCustomError("number_expected", "a number of at most twelve digits is wanted")
        return value


def wanted(message: str) -> str:
    """Return what a message of pydantic's or of this module asks for, as the object of a sentence."""
    plain = message.removeprefix("Value error, ").removeprefix("Input should be ")
    return plain.replace(" is wanted, not ", ", not ").removesuffix(" is wanted")


def _kinds(annotation: Any) -> set[Any]:
    """Return the types that an annotation is made of, lists and choices of types opened."""
    if get_origin(annotation) is Literal:
        return {type(value) for value in get_args(annotation)}
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _kinds(parts[0])  # what follows are rules, and no types
    return {annotation} if not parts else set().union(*map(_kinds, parts))


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [leaf for each in value for leaf in _leaves(each)]
    return [] if isinstance(value, dict) else [value]
