"""Every key of study, plan, assistant, pack and bank is read by the code or by a page of the report.

A key that nothing reads does nothing, whatever its documentation says. That its value changes what participants meet or
what is estimated is shown where each key is tested.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from study_app.domain.assistants import treatments as assistants
from study_app.domain.quiz import items
from study_app.domain.quiz import keys as item_keys
from study_app.domain.study.study import Study
from study_app.domain.tasks import packs as tasks

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    "Study.schema_": "a constant: any other value is refused",
    "Plan.secondary": "joined to the outcomes while the plan is read",
    "CompletionCodes.completed": "read by the participant's status",
    "CompletionCodes.declined": "read by the participant's status",
    "CompletionCodes.screened_out": "read by the participant's status",
    "CompletionCodes.withdrawn": "read by the participant's status",
    "Item.family": "for authors: pairs the items of parallel forms",
}
"""Keys that are read otherwise than by an attribute, and how."""


def models() -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()

    def look(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
            found.add(kind)
            for field in kind.model_fields.values():
                look(field.annotation)
        for part in get_args(kind):
            look(part)

    look(Study)
    for module in (assistants, item_keys, items, tasks):
        for value in vars(module).values():
            look(value if value is not BaseModel else None)
    return found


def attributes_read() -> set[str]:
    """Names of attributes that the code loads, and words of the report's templates."""
    found: set[str] = set()
    for folder in ("study_app", "analysis"):
        for path in (ROOT / folder).rglob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            found |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    for path in (ROOT / "analysis").rglob("*.j2"):
        words = path.read_text(encoding="utf-8").replace("|", " ").replace(")", " ").replace("]", " ").split()
        found |= {part for word in words for part in word.split(".")[1:]}
    return found


def test_every_key_is_read():
    read = attributes_read()
    keys = {f"{model.__name__}.{name}" for model in models() for name in model.model_fields}
    unread = {key for key in keys if key.split(".")[1] not in read}
    assert unread - set(ELSEWHERE) == set()


def test_no_key_is_excused_that_is_read_or_gone():
    read = attributes_read()
    keys = {f"{model.__name__}.{name}" for model in models() for name in model.model_fields}
    assert {key for key in ELSEWHERE if key not in keys or key.split(".")[1] in read} == set()
