"""Every key of study, plan, assistant, pack and bank is wired: another value changes what people meet.

A case of `wire_cases` gives two values of a key and looks at a page, a verdict, a row or an estimate; keys that need a
server, a sandbox or a whole trial name the test that changes them there. A new key without either fails here.
"""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from wire_cases import CASES, Case

from study_app.domain.assistants import treatments as assistants
from study_app.domain.quiz import items
from study_app.domain.quiz import keys as item_keys
from study_app.domain.study.study import Study
from study_app.domain.tasks import packs as tasks

ROOT = Path(__file__).parents[2]
CONSTANT = {"Study.schema_"}
"""Any other value is refused."""
AT_TEST = {
    f"{model}.{key}": test
    for model, tests in tomllib.loads(Path(__file__).with_name("wire_tests.toml").read_text()).items()
    for key, test in tests.items()
}
ALWAYS = {"Plan.outcomes"}
"""Slow cases that run by default."""


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


def owned(model: type[BaseModel], key: str) -> str:
    """A key by the class that declares it."""
    owner = next(kind for kind in reversed(model.__mro__) if key in getattr(kind, "model_fields", {}))
    return f"{owner.__name__}.{key}"


@cache
def keys() -> dict[str, str]:
    """Model and key -> the same by the class that declares it."""
    return {f"{model.__name__}.{key}": owned(model, key) for model in models() for key in model.model_fields}


def marked(case: Case) -> Any:
    """Each analysis takes seconds: all but one run with `make test-all`."""
    slow = case.slow and case.field not in ALWAYS
    return pytest.param(case, marks=[pytest.mark.slow] if slow else [], id=case.field)


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_another_value_of_the_key_changes_what_people_meet(case):
    assert case.look(case.base) != case.look(case.other)


def test_every_key_has_a_case_or_names_its_test():
    wired = {keys()[case.field] for case in CASES} | set(AT_TEST) | CONSTANT
    assert set(keys().values()) - wired == set()


def test_no_key_is_listed_that_is_gone_or_has_a_case():
    listed = set(AT_TEST) | CONSTANT
    assert listed - set(keys().values()) == set()
    assert listed & {keys()[case.field] for case in CASES} == set()


@cache
def functions_of(file: str) -> set[str]:
    """Names of the functions at the top of a file of tests."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("named", sorted(set(AT_TEST.values())))
def test_the_named_test_exists(named):
    file, _, test = named.partition("::")
    assert test in functions_of(file)
