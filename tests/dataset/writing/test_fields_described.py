"""What datapackage.json says of a column is what its cells hold: type, words for yes and no, levels, ranges."""

from __future__ import annotations

from typing import Any

import pytest
from support.analysis.shipped_plan import study

from study_app.dataset.schema import Column, TableSchema
from study_app.dataset.writing.citation import Cited
from study_app.dataset.writing.packages import TableFile, datapackage
from study_app.domain.study.release import Release

SHIPPED, RELEASE = study(), Release()
LEVELS = {"levels": ("1", "2"), "labels": (("1", "low"), ("2", "high"))}


def described(*columns: Column, name: Any = "runs", path: str = "data/a.csv", public: bool = False) -> dict[str, Any]:
    cited = Cited(SHIPPED, RELEASE, "2026-01-05")
    file = TableFile(TableSchema(name, "A table", columns), path, "0f", 3)
    (resource,) = datapackage(cited, {name: file}, public=public)["resources"]
    return resource


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (Column("a", "text", "A"), {"type": "string"}),
        (Column("a", "json", "A"), {"type": "string"}),
        (Column("a", "number", "A"), {"type": "number"}),
        (Column("a", "boolean", "A"), {"type": "boolean", "trueValues": ["1"], "falseValues": ["0"]}),
        (Column("a", "time", "A"), {"type": "datetime", "format": "any"}),
        (Column("a", "integer", "A", low=0), {"type": "integer", "constraints": {"minimum": 0}}),
        (Column("a", "number", "A", low=0, high=1), {"type": "number", "constraints": {"minimum": 0, "maximum": 1}}),
        (
            Column("a", "integer", "A", **LEVELS),
            {
                "type": "integer", "constraints": {"enum": [1, 2]},
                "categories": [{"value": 1, "label": "low"}, {"value": 2, "label": "high"}],
            },
        ),
        (
            Column("a", "text", "A", **LEVELS),
            {
                "type": "string", "constraints": {"enum": ["1", "2"]},
                "categories": [{"value": "1", "label": "low"}, {"value": "2", "label": "high"}],
            },
        ),
    ],
)  # fmt: skip
def test_a_field_is_described_as_its_cells_are(column, said):
    assert described(column)["schema"]["fields"] == [{"name": "a", "description": "A"} | said]


@pytest.mark.parametrize(
    ("name", "columns", "public", "key", "people"),
    [
        ("runs", ("run_id", "participant_id"), False, ["run_id"], True),
        ("runs", ("run_id",), False, ["run_id"], False),
        ("participants", ("participant_id",), False, ["participant_id"], False),
        ("allocations", ("participant_id",), False, ["decision", "ledger", "allocation_index"], False),
        ("allocations", ("site",), False, ["decision", "ledger", "allocation_index", "site"], False),
        ("allocations", ("participant_id",), True, None, False),
        ("answers", ("participant_id",), False, None, True),
    ],
)
def test_keys_and_references_are_those_of_the_table(name, columns, public, key, people):
    schema = described(*(Column(each, "text", "A") for each in columns), name=name, public=public)["schema"]
    assert schema.get("primaryKey") == key
    assert ("foreignKeys" in schema) == people


def test_a_table_of_parquet_is_a_file_of_which_size_and_hash_are_checked():
    parquet = described(path="data/a.parquet")
    assert (parquet["format"], parquet["type"], parquet["bytes"], parquet["hash"]) == (
        "parquet",
        "file",
        3,
        "sha256:0f",
    )
    assert described()["profile"] == "tabular-data-resource"
