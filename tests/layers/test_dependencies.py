"""Every library that the product asks for is imported by it, or a library that is imported loads it by its name."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def uvicorn_runs_its_loop_on_uvloop() -> None:
    import uvicorn

    factory = uvicorn.Config("study_app.web.app:make").get_loop_factory()
    assert factory is not None
    assert factory.__module__.partition(".")[0] == "uvloop"


def uvicorn_parses_requests_with_httptools() -> None:
    from study_app.web.admission.connections import GuardedProtocol

    assert any(base.__module__.endswith("httptools_impl") for base in GuardedProtocol.__mro__)


def starlette_reads_forms_with_it() -> None:
    import starlette.formparsers

    from study_app.web import requests

    assert starlette.formparsers.multipart is not None
    assert requests.MultiPartParser is starlette.formparsers.MultiPartParser


def sqlalchemy_opens_postgres_with_it() -> None:
    from study_app.storage.engine import parse_url

    assert parse_url("postgresql://user@host/study").get_dialect().driver == "psycopg"


def the_shipped_tasks_teach_it() -> None:
    taught = {
        package
        for file in sorted((ROOT / "tasks").glob("*/task.toml"))
        for package in tomllib.loads(file.read_text(encoding="utf-8"))["packages"]
    }
    assert "trio" in taught


LOADED_BY_NAME: dict[str, Callable[[], None]] = {
    "uvloop": uvicorn_runs_its_loop_on_uvloop,
    "httptools": uvicorn_parses_requests_with_httptools,
    "python-multipart": starlette_reads_forms_with_it,
    "psycopg": sqlalchemy_opens_postgres_with_it,
    "trio": the_shipped_tasks_teach_it,
}
"""Library that no module of the product imports -> what holds as long as the product uses it."""


def asked_for() -> list[str]:
    return [re.split(r"[^A-Za-z0-9_.-]", entry, maxsplit=1)[0].lower() for entry in PROJECT["dependencies"]]


@cache
def texts() -> list[str]:
    """Every file of the product."""
    files = [file for part in ("study_app", "analysis") for file in (ROOT / part).rglob("*.py")]
    return [file.read_text(encoding="utf-8") for file in files]


@cache
def imported(text: str) -> set[str]:
    """Top-level modules that a file imports anywhere."""
    nodes = list(ast.walk(ast.parse(text)))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in whole | parts}


def is_imported(module: str) -> bool:
    """Whether a file of the product imports a module; only those with a line that may do so are parsed."""
    line = re.compile(rf"\b(?:from|import)\b.*\b{re.escape(module)}\b")
    return any(line.search(text) and module in imported(text) for text in texts())


@cache
def owners_of_modules() -> dict[str, list[str]]:
    """Top-level module -> the distributions that bring it; it takes a second to look through all that is installed."""
    return dict(packages_distributions())


def modules_of(distribution: str) -> set[str]:
    """Top-level modules that a distribution brings."""
    found = owners_of_modules()
    return {module for module, owners in found.items() if distribution in {owner.lower() for owner in owners}}


@pytest.mark.parametrize("distribution", asked_for())
def test_a_library_is_asked_for_because_the_product_imports_or_loads_it(distribution):
    found = any(is_imported(module) for module in sorted(modules_of(distribution)))
    if distribution in LOADED_BY_NAME:
        assert not found, f"{distribution} is imported; take it out of LOADED_BY_NAME"
        LOADED_BY_NAME[distribution]()
    else:
        assert found, f"no module imports {distribution}: remove it, or say in LOADED_BY_NAME what loads it"


def test_no_line_names_a_library_that_is_not_asked_for():
    assert set(LOADED_BY_NAME) <= set(asked_for())
