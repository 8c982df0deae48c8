"""Values of another kind for every key of a table that people write, and how its reader refuses them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from study_app.domain.errors import ProblemsFound

NUMBERS = ("nonsense", "3", True, float("nan"), float("inf"), 10**30, [], {})
OTHERS = {
    "text": (3, 2.5, True, [], {}),
    "yes or no": ("nonsense", 3, 2.5, [], {}),
    "list": (3, "nonsense", True, {"nonsense": 1}),
    "table": (3, "nonsense", True, [1]),
}
Path = tuple[str | int, ...]


def leaves(annotation: Any) -> set[Any]:
    """What an annotation is made of, its models and lists among it."""
    if get_origin(annotation) is Literal:
        return {str} if all(isinstance(value, str) for value in get_args(annotation)) else set()
    parts = get_args(annotation)
    origin = {get_origin(annotation)} & {tuple, dict}
    return origin.union(*map(leaves, parts)) if parts else {annotation}


def wrong(annotation: Any) -> tuple[Any, ...]:
    kinds = leaves(annotation) - {type(None), Ellipsis}
    if Any in kinds:
        return ()
    tables = {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)}
    if tuple in kinds and dict not in kinds:
        return OTHERS["list"] if str not in kinds or len(kinds - tables) == 2 else (3, True)
    if dict in kinds or tables:
        return OTHERS["table"] if not kinds & {int, float, str, tuple} or dict in kinds and tuple not in kinds else ()
    if kinds <= {int, float}:
        return NUMBERS
    return OTHERS["text"] if kinds == {str} else OTHERS["yes or no"] if kinds == {bool} else ()


def walk(model: type[BaseModel], table: Mapping[str, Any], at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every key that a table could have with a value that it cannot, written or not; and one that is not known."""
    yield (*at, "nonsense"), 1
    for name, field in model.model_fields.items():
        key = field.alias or name
        for value in wrong(field.annotation):
            yield (*at, key), value
        inner = [k for k in leaves(field.annotation) if isinstance(k, type) and issubclass(k, BaseModel)]
        found = table.get(key)
        for kind in inner[:1]:
            if isinstance(found, list):
                for place, entry in enumerate(found):
                    if isinstance(entry, dict):
                        yield from walk(kind, entry, (*at, key, place))
            elif isinstance(found, dict) and dict in leaves(field.annotation):
                for word, entry in found.items():
                    yield from walk(kind, entry, (*at, key, word))
            elif tuple in leaves(field.annotation):
                continue  # entries by their names, which become a list, or no entries
            elif not field.is_required() or isinstance(found, dict):
                given = found if isinstance(found, dict) else {}
                if not any(f.is_required() for f in kind.model_fields.values()) or given:
                    yield from walk(kind, given, (*at, key))


def put(raw: Mapping[str, Any], at: Path, value: Any) -> dict[str, Any]:
    new: Any = copy.deepcopy(dict(raw))
    here = new
    for part in at[:-1]:
        here = here.setdefault(part, {}) if isinstance(here, dict) else here[part]
    here[at[-1]] = value
    return new


EXPECTED = (("control", 3),)
"""Of the plan: the name of an arm that is coded as a number."""


def faults(
    raw: Mapping[str, Any], model: type[BaseModel], read: Callable[[dict[str, Any]], object]
) -> tuple[list[str], int]:
    """What is wrong with how a reader refuses each value of another kind, and how many there were."""
    found, tried = [], 0
    for at, value in walk(model, raw):
        if (at[-1], value) in EXPECTED:
            continue
        tried += 1
        where = f"{'.'.join(map(str, at))} = {json.dumps(value)}"
        try:
            read(put(raw, at, value))
        except ProblemsFound as refused:
            lines = [str(problem) for problem in refused.problems]
            if not any(str(at[-1]) in line for line in lines):
                found.append(f"{where}: {lines[:2]} do not name the key")
            if not all("; " in line and "\n" not in line for line in lines):
                found.append(f"{where}: {lines[:2]} are not sentences with a remedy")
        except Exception as error:
            found.append(f"{where}: {type(error).__name__}: {error}")
        else:
            found.append(f"{where}: taken")
    return found, tried


def toml_text(table: Mapping[str, Any]) -> str:
    """A table as TOML, in lines of inline values."""
    return "".join(f"{json.dumps(key)} = {_inline(value)}\n" for key, value in table.items())


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, float):
        return repr(value)  # nan and inf are words of TOML
    return json.dumps(value)
