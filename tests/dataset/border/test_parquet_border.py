"""Parquet that stands for more than it is: refused before it is built, and everything else comes out as it went in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hostile.bombs import large_dictionary, one_page, repeated_text
from support.hostile.outcomes import outcome

from study_app.dataset.border import limits
from study_app.dataset.border.limits import BeyondLimits, DatasetLimits
from study_app.dataset.border.parquet import batches, check_parquet

SMALL = DatasetLimits(
    table_bytes=20_000, rows=60, columns=4, cell=200, page_bytes=8_000, pages=30, footer_bytes=5_000
)  # fmt: skip
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40) | st.integers(1, 300).map(lambda n: "x" * n) | st.none()
COLUMNS = st.lists(TEXTS, min_size=1, max_size=70)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(limits, "LIMITS", SMALL)


def read(path: Path) -> list[dict]:
    return [row for batch in batches(path) for row in batch.to_pylist()]


def excess(texts: list[str | None], columns: int) -> bool:
    """Whether a table of this column, so many times, goes beyond a limit of decoded content."""
    lengths = [len((text or "").encode()) for text in texts]
    too_much = sum(lengths) * columns > SMALL.table_bytes
    return len(texts) > SMALL.rows or columns > SMALL.columns or max(lengths) > SMALL.cell or too_much


@settings(max_examples=40, deadline=None)
@given(
    COLUMNS,
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from(["none", "zstd", "gzip"]),
    st.sampled_from(["1.0", "2.0"]),
    st.integers(1, 80),
)
def test_a_table_within_the_limits_comes_out_as_it_went_in_and_no_other_does(
    tmp_path_factory, texts, columns, dictionary, packing, version, group
):
    path = tmp_path_factory.mktemp("table") / "a.parquet"
    table = pa.table({f"c{place}": pa.array(texts, pa.string()) for place in range(columns)})
    pq.write_table(
        table, path, use_dictionary=dictionary, compression=packing, row_group_size=group, data_page_version=version
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "LIMITS", SMALL)
        found, said = outcome(lambda: read(path), BeyondLimits)
    assert found == table.to_pylist() if not said else str(path) in said
    # Groups of few rows make a large footer and many pages of a small table.
    assert bool(said) == excess(texts, columns) or "metadata" in said or "pages" in said, said


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: repeated_text(path, 50, size=201), "201 bytes in a cell, and the limit is 200"),
        (lambda path: repeated_text(path, 61, size=1), "61 rows, and the limit is 60"),
        (lambda path: repeated_text(path, 60, names=("a", "b"), size=200), "bytes as text, and the limit is 20,000"),
        (lambda path: large_dictionary(path, 60, 150), "bytes unpacked in one page, and the limit is 8,000"),
        (lambda path: one_page(path, 9), "bytes unpacked in one page, and the limit is 8,000"),
        (lambda path: one_page(path, 30), "bytes unpacked, and the limit is 20,000"),
    ],
)
def test_what_a_few_bytes_stand_for_is_counted_before_it_is_built(small, tmp_path, make, said):
    path = tmp_path / "a.parquet"
    make(path)
    with pytest.raises(BeyondLimits, match=said):
        read(path)


def test_texts_whose_length_is_known_only_when_they_are_built_are_not_read(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"a": ["x" * 1000] * 1000})
    pq.write_table(table, path, use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY"})
    with pytest.raises(ValueError, match="column a is stored as DELTA_BYTE_ARRAY; write it plainly"):
        read(path)
    check_parquet(path)


@pytest.mark.parametrize("value", [[["a"]], [{"a": 1}]])
def test_a_cell_that_holds_several_values_is_named(tmp_path, value):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"many": value}), path)
    with pytest.raises(ValueError, match="column many holds .*, and a cell holds one value"):
        read(path)


def test_the_limits_in_force_take_a_table_of_every_type(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "text": pa.array(["a", None, "c"]),
            "large": pa.array(["a", "b", None], pa.large_string()),
            "category": pa.array(["a", "b", "a"]).dictionary_encode(),
            "number": pa.array([1.5, None, 2.5]),
            "yes": pa.array([True, False, None]),
            "at": pa.array([0, 1, None], pa.timestamp("ms", tz="UTC")),
        }
    )
    pq.write_table(table, path)
    assert read(path) == table.to_pylist()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_any_damage_to_a_parquet_file_is_rows_or_one_error(tmp_path_factory, seed):
    rng, path = Random(seed), tmp_path_factory.mktemp("table") / "a.parquet"
    table = pa.table({"a": [f"text {number}" for number in range(40)], "b": list(range(40))})
    pq.write_table(table, path, compression=rng.choice(["none", "zstd"]), row_group_size=rng.choice([7, 40]))
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 3, 20))):
        # Metadata and heads of pages are few bytes of many: the end is met more often.
        place = rng.randrange(len(content)) if rng.random() < 0.5 else -rng.randrange(1, min(400, len(content)))
        content[place] = rng.choice((0, 255, 127, content[place] ^ 1 << rng.randrange(8)))
    path.write_bytes(content[: len(content) - rng.choice((0, 0, 0, rng.randrange(len(content))))])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "LIMITS", replace(SMALL, footer_bytes=20_000))
        outcome(lambda: check_parquet(path), BeyondLimits)
        outcome(lambda: read(path), BeyondLimits, ValueError)
