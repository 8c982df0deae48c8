"""The interfaces are what the database implements, and each of their methods has a caller."""

from __future__ import annotations

import ast
import inspect
from functools import cache

import pytest
from support.paths import ROOT

from study_app.ports import Database, UnitOfWork
from study_app.storage.database import SqlDatabase
from study_app.storage.unit_of_work import SqlUnitOfWork

IMPLEMENTED = {UnitOfWork: SqlUnitOfWork, Database: SqlDatabase}


def methods(interface: type) -> dict[str, inspect.Signature]:
    """The methods that an interface or one that it extends declares."""
    return {
        name: inspect.signature(method)
        for kind in interface.__mro__
        if kind.__module__.startswith("study_app.ports")
        for name, method in vars(kind).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }


@cache
def used_attributes() -> set[str]:
    """Names of the attributes that the code beside the interfaces reads."""
    return {
        node.attr
        for path in (ROOT / "study_app").rglob("*.py")
        if not path.is_relative_to(ROOT / "study_app" / "ports")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize("interface", IMPLEMENTED, ids=lambda interface: interface.__name__)
def test_the_database_takes_the_arguments_that_the_interface_names(interface):
    for name, declared in methods(interface).items():
        implemented = inspect.signature(getattr(IMPLEMENTED[interface], name))
        assert list(implemented.parameters) == list(declared.parameters), name


@pytest.mark.parametrize("interface", IMPLEMENTED, ids=lambda interface: interface.__name__)
def test_each_method_of_an_interface_is_called_outside_the_storage(interface):
    assert sorted(set(methods(interface)) - used_attributes()) == []
