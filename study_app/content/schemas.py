"""JSON Schema of every kind of file that an author writes, from the models that read them.

Editors that know the format complete keys and explain them; a file's first line `#:schema PATH` names its schema.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter

from study_app.domain.assistants.personas import PersonaFile
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.interviews.plan import InterviewPlan
from study_app.domain.quiz.items import BankHead, Item
from study_app.domain.quiz.keys import AnyKey
from study_app.domain.study.study import Study
from study_app.domain.syntax import parse
from study_app.domain.tasks.packs import PackSettings

KINDS: Mapping[str, Any] = {
    "study": Study,
    "pack": PackSettings,
    "bank": BankHead,
    "item": Item,
    "key": AnyKey,
    "assistant": AssistantSpec,
    "persona": PersonaFile,
    "interview": InterviewPlan,
}
"""Kind of file -> the model that reads it."""
_DIALECT = "http://json-schema.org/draft-07/schema#"
"""What Taplo and VS Code's TOML extension read."""


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file.

    Args:
        kind: one of `KINDS`.
    """
    schema = TypeAdapter(KINDS[kind]).json_schema(
        by_alias=True, mode="validation", ref_template="#/definitions/{model}"
    )
    schema["definitions"] = schema.pop("$defs", {})
    explained = {model.__name__: model for model in _models(KINDS[kind])}
    for name, part in [*schema["definitions"].items(), (schema.get("title", ""), schema)]:
        if name in explained:
            _explain(part, explained[name])
    return {"$schema": _DIALECT, **schema}


def texts() -> dict[str, str]:
    """Kind of file -> its JSON Schema as a file holds it."""
    return {kind: json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n" for kind in KINDS}


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    """Yield every model within a type, each once."""
    waiting, seen = [kind], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, BaseModel) and one not in seen:
            seen.add(one)
            yield one
            waiting += [field.annotation for field in one.model_fields.values()]
        waiting += get_args(one)


def _explain(part: dict[str, Any], model: type[BaseModel]) -> None:
    """Give each key the sentence that stands below it in the model; let short forms through that a validator takes."""
    described = {name: text for base in reversed(model.__mro__) for name, text in _docstrings(base).items()}
    short = _short_forms(model)
    for name, field in model.model_fields.items():
        key = field.alias or name
        properties = part.get("properties", {})
        if key not in properties:
            continue
        if name in short:
            properties[key] = {"default": properties[key].get("default")} if "default" in properties[key] else {}
        if name in described:
            properties[key]["description"] = described[name]


def _short_forms(model: type[BaseModel]) -> set[str]:
    """Keys for which a validator takes other forms than the model says, and so any value passes the schema."""
    validators = model.__pydantic_decorators__.field_validators.values()
    return {name for one in validators if one.info.mode == "before" for name in one.info.fields}


@cache
def _docstrings(model: type) -> dict[str, str]:
    """Attribute -> the string that stands below it in the source."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or model is BaseModel:
        return {}
    try:
        body = parse(textwrap.dedent(inspect.getsource(model))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    if not isinstance(body, ast.ClassDef):
        return {}
    found = {}
    for above, below in zip(body.body, body.body[1:], strict=False):
        text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and below.value.value
        if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name) and isinstance(text, str):
            found[above.target.id] = inspect.cleandoc(text)
    return found
