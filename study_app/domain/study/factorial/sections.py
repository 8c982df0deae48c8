"""The tables of a factorial design: factors with their levels, and how arms are made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from study_app.domain.study.sections import Identifier, StudySection


class FactorLevel(StudySection):
    """One level of a factor: what it adds to the arms that have it."""

    id: Identifier
    arm: dict[str, Any] = Field(default_factory=dict)
    """Keys of [[arms]] that the level sets, such as `assistant`; nested tables are joined key by key."""


class TreatmentFactor(StudySection):
    """Something that is varied by itself, crossed with the other factors."""

    id: Identifier
    """Also a column of the participants table; it holds the level, and is empty in the nested control."""
    label: str = ""
    """What readers see; the id where empty."""
    levels: tuple[FactorLevel, ...] = Field(min_length=2)
    """`levels = { each = { assistant = "agent_each" }, free = { assistant = "agent_free" } }`; the first is the one
    that others are compared with."""

    @field_validator("levels", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Return levels written as a table in their order there: canonical JSON sorts keys, a list keeps its order."""
        if not isinstance(value, Mapping):
            return value
        return [{"id": name, "arm": arm} for name, arm in value.items()]

    @property
    def title(self) -> str:
        """The label, or the id where there is none."""
        return self.label or self.id.replace("_", " ")

    @property
    def level_ids(self) -> tuple[str, ...]:
        """The levels in order, the reference first."""
        return tuple(level.id for level in self.levels)


class ArmsFrom(StudySection):
    """How arms are made: every combination of the factors' levels, and at will a control outside them."""

    factors: tuple[Identifier, ...] = ()
    """Factors whose levels are crossed, in this order; an arm is named by its levels, such as `each_free`."""
    arm: dict[str, Any] = Field(default_factory=dict)
    """Keys of [[arms]] that every cell has, such as `instructions`; a level's own keys win."""
    plus_control: dict[str, Any] = Field(default_factory=dict)
    """A control arm outside the cells: its keys of [[arms]], or its id, or true for the id `control`. Without it the
    cell of all first levels is the control."""

    @field_validator("plus_control", mode="before")
    @classmethod
    def _written_short(cls, value: Any) -> Any:
        if value is False:
            return {}
        if value is True:
            return {"id": "control"}
        return {"id": value} if isinstance(value, str) else value
