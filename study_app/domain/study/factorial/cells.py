"""From factors to arms: one arm for each combination of levels, and a nested control where the study has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from pydantic import ValidationError

from study_app.domain.study.factorial.sections import ArmsFrom, FactorLevel, TreatmentFactor
from study_app.domain.study.sections import StudyArm

MADE = ("id", "control")
"""Keys of an arm that follow from the factors."""
JOINED = ("label",)
"""Keys that several levels may set: the arm has all of them."""


def crossed(factors: Sequence[TreatmentFactor], arms_from: ArmsFrom) -> tuple[TreatmentFactor, ...]:
    """Return the factors that make the cells, in the order of `arms_from`; unknown names are passed over."""
    known = {factor.id: factor for factor in factors}
    return tuple(known[name] for name in dict.fromkeys(arms_from.factors) if name in known)


def cells(factors: Sequence[TreatmentFactor], arms_from: ArmsFrom) -> dict[str, dict[str, str]]:
    """Arm -> its level of each factor; the nested control is not among them."""
    used = crossed(factors, arms_from)
    return {
        _name(levels): {factor.id: level.id for factor, level in zip(used, levels, strict=True)}
        for levels in product(*(factor.levels for factor in used))
        if levels
    }


def arms_of(factors: Sequence[TreatmentFactor], arms_from: ArmsFrom) -> list[dict[str, Any]]:
    """Return the arms as tables of a study file: the nested control first, then the cells in the factors' order."""
    nested = dict(arms_from.plus_control)
    found = [{"id": "control", **nested, "control": True}] if nested else []
    for number, levels in enumerate(product(*(factor.levels for factor in crossed(factors, arms_from)))):
        if levels:
            found.append(_cell(levels, arms_from) | {"control": not nested and number == 0})
    return found


def _cell(levels: Sequence[FactorLevel], arms_from: ArmsFrom) -> dict[str, Any]:
    merged = dict(arms_from.arm)
    for level in levels:
        merged = _joined(merged, level.arm)
    titles = [str(level.arm.get("label") or level.id.replace("_", " ")) for level in levels]
    return merged | {"id": _name(levels), "label": " + ".join(titles)}


def _name(levels: Sequence[FactorLevel]) -> str:
    return "_".join(level.id for level in levels)


def _joined(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in more.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = _joined(found[key], value) if both else value
    return found


def with_cells(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a study file with the arms that its factors make.

    Tables that are malformed are left as they are, for the types to say so; the arms are then a stand-in, so that
    nothing is said about arms that an author has not written.
    """
    made = dict(raw)
    if "arms_from" not in raw or "arms" in raw:
        return made
    try:
        factors = [TreatmentFactor.model_validate(entry) for entry in raw.get("factors", ())]
        arms = arms_of(factors, ArmsFrom.model_validate(raw["arms_from"]))
    except (ValidationError, TypeError):
        arms = []
    return made | {"arms": arms or [{"id": "cell", "control": True}]}


# -- what is wrong with them -------------------------------------------------------------------------------------------


def factor_problems(
    factors: Sequence[TreatmentFactor], arms_from: ArmsFrom, arms: Sequence[StudyArm], method: str
) -> list[str]:
    """Return what is wrong with the factors of a study, as `key: what; remedy`.

    Args:
        factors: as declared.
        arms_from: how they are crossed.
        arms: the study's arms.
        method: of the allocation.
    """
    if not arms_from.factors:
        return [*_unused(factors, arms_from)]
    if method == "sequence":
        what = "'sequence' gives a person several arms, and a factor has one level a person"
        return [f"allocation.method: {what}; choose another method, or write [[arms]] without factors"]
    found = [*_names(factors, arms_from), *_fragments(factors, arms_from)]
    return found or [*_arms(factors, arms_from, arms)]


def _unused(factors: Sequence[TreatmentFactor], arms_from: ArmsFrom) -> Iterator[str]:
    if factors:
        yield "factors: no arms are made from them; add [arms_from] with factors, or remove them"
    elif arms_from.arm or arms_from.plus_control:
        yield "arms_from: it names no factors; add factors, or write [[arms]] in its place"


def _names(factors: Sequence[TreatmentFactor], arms_from: ArmsFrom) -> Iterator[str]:
    ids = [factor.id for factor in factors]
    for twice in sorted({each for each in ids if ids.count(each) > 1}):
        yield f"factors: '{twice}' is declared twice; give each factor a different id"
    named = list(arms_from.factors)
    for twice in sorted({each for each in named if named.count(each) > 1}):
        yield f"arms_from.factors: '{twice}' is named twice; name each factor once"
    for missing in dict.fromkeys(each for each in named if each not in ids):
        yield f"arms_from.factors: '{missing}' is not declared; add [[factors]] of that id, or use {_listed(ids)}"
    for unused in (each for each in ids if each not in named):
        yield f"factors.{unused}: it makes no arms; name it in arms_from.factors, or remove it"
    for factor in factors:
        levels = list(factor.level_ids)
        for twice in sorted({each for each in levels if levels.count(each) > 1}):
            yield f"factors.{factor.id}.levels: '{twice}' is declared twice; give each level a different id"
    names = [_name(levels) for levels in product(*(factor.levels for factor in crossed(factors, arms_from)))]
    names += [str(arms_from.plus_control.get("id", "control"))] if arms_from.plus_control else []
    for twice in sorted({each for each in names if names.count(each) > 1}):
        yield f"arms_from: two arms would be named '{twice}'; rename a level, or the control"


def _fragments(factors: Sequence[TreatmentFactor], arms_from: ArmsFrom) -> Iterator[str]:
    for key in (each for each in MADE if each in arms_from.arm):
        yield f"arms_from.arm.{key}: it follows from the factors; remove it"
    if arms_from.plus_control.get("control") is False:
        yield "arms_from.plus_control.control: this arm is the control; remove the key"
    for factor in factors:
        for level in factor.levels:
            for key in (each for each in MADE if each in level.arm):
                yield f"factors.{factor.id}.levels.{level.id}.{key}: it follows from the factors; remove it"
    for one, two in combinations(crossed(factors, arms_from), 2):
        for key in sorted(key for key in _keys(one) if any(_overlap(key, other) for other in _keys(two))):
            yield (
                f"factors: '{one.id}' and '{two.id}' both set '{key}'; let one of them set it, or cross them by hand "
                "as the levels of one factor"
            )


def _keys(factor: TreatmentFactor) -> set[str]:
    return {key for level in factor.levels for key in _paths(level.arm)} - set(JOINED)


def _overlap(one: str, two: str) -> bool:
    """Return whether two dotted keys set the same thing, or one a table that the other sets a part of."""
    return one == two or one.startswith(f"{two}.") or two.startswith(f"{one}.")


def _paths(table: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def _arms(factors: Sequence[TreatmentFactor], arms_from: ArmsFrom, arms: Sequence[StudyArm]) -> Iterator[str]:
    """Arms are written out in a version that is read back; by an author they are not written beside their factors."""
    try:
        made = tuple(StudyArm.model_validate(arm) for arm in arms_of(factors, arms_from))
    except ValidationError:
        return
    if made != tuple(arms):
        yield "arms: they are made by [arms_from]; remove [[arms]], or [arms_from] and its factors"


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids) or "no other"
