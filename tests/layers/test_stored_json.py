"""What a column keeps as JSON is a value everywhere but in storage."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from study_app.storage import tables  # noqa: F401 (fills the metadata)

ROOT = Path(__file__).parents[2]
COLUMNS = {column.name for table in SQLModel.metadata.tables.values() for column in table.columns} - {"stdout"}
"""But for what is also an attribute of a process that has ended, whose output may be JSON."""
RECORDS = {"Answer", "AuditEntry", "Document", "RunRecord", "Turn", "replace"}
"""What makes a record; their arguments are stored."""
META = {"meta", "set_meta", "meta_value", "set_meta_value"}
OUTSIDE = ("domain", "dataset", "services", "simulation", "ui", "web", "cli")
"""Parts that handle records; the others do not know what the database keeps."""


def encodings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Calls that read or write a stored column as JSON: line and source."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            facts = {name for each in ast.walk(node) for name in facts_of(each)}
            yield from (found for each in ast.walk(node) for found in of_column(each, facts))


def facts_of(node: ast.AST) -> Iterator[str]:
    """Names that hold a fact read from the database, or a text that becomes one."""
    if isinstance(node, ast.Assign) and any(is_meta(each) for each in ast.walk(node.value)):
        yield from (each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name))


def is_meta(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in META


def is_record(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RECORDS


def is_json(node: ast.AST, *functions: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in functions


def of_column(node: ast.AST, facts: set[str]) -> Iterator[tuple[int, str]]:
    if is_meta(node) or is_record(node):
        yield from ((each.lineno, ast.unparse(each)) for each in ast.walk(node) if is_json(each, "json.dumps"))
    if not is_json(node, "json.loads"):
        return
    for each in ast.walk(node.args[0]):
        column = isinstance(each, ast.Attribute) and each.attr in COLUMNS
        if column or is_meta(each) or (isinstance(each, ast.Name) and each.id in facts):
            yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("part", OUTSIDE)
def test_no_stored_column_is_read_or_written_as_json_outside_storage(part):
    found = [
        f"{path.relative_to(ROOT)}:{line}: {source}"
        for path in sorted((ROOT / "study_app" / part).rglob("*.py"))
        # Only files that read or write JSON are parsed.
        if "json." in (text := path.read_text(encoding="utf-8"))
        for line, source in encodings(ast.parse(text))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    ["json.loads(run.checks)", "json.loads(unit.meta('a') or '[]')", "unit.set_meta('a', json.dumps(rows))",
     "Answer('p', 'quiz', 'q', json.dumps(given))", "replace(run, checks=json.dumps(checks))",
     "{q: json.loads(a.response) for a in answers}", "kept = unit.meta('a')\n return json.loads(kept)"],
)  # fmt: skip
def test_each_way_to_do_so_is_seen(source):
    assert list(encodings(ast.parse(f"def f():\n {source}")))
