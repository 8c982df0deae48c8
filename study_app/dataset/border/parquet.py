"""Parquet that others wrote: bounded by its metadata and pages before it is decoded, and by its cells while it is.

A few bytes can stand for any amount: a text that every row repeats is stored once, and pages are packed. So what a
page unpacks to is read from the page's head, texts are taken as the dictionary they are stored as, and their lengths
are added up before any row is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study_app.dataset.border import limits
from study_app.dataset.border.limits import beyond
from study_app.dataset.border.parquet_pages import check_pages, footer_bytes

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS_AT_ONCE = 8192
_DECODED_AT_ONCE = 32_000_000
"""Bytes of rows that are built together, unless one row has more."""
_DELTA_STRINGS = "DELTA_BYTE_ARRAY"


def check_parquet(path: Path) -> None:
    """Refuse a Parquet file that holds too much by what it says of itself; anything but Parquet is left to its reader.

    Raises:
        BeyondLimits: it does.
    """
    try:
        with opened_parquet(path):
            pass
    except ValueError:
        return


def opened_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file whose metadata and pages are within the limits; texts come as dictionaries.

    Raises:
        BeyondLimits: they are not.
        ValueError: it is not a Parquet file that can be read.
    """
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    footer = footer_bytes(path)
    if footer > limits.LIMITS.footer_bytes:
        raise beyond(path, footer, "bytes of metadata", limits.LIMITS.footer_bytes)
    try:
        # Files are read piece by piece, however large a group of rows is.
        file = pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        texts = _texts(path, file)
        _check_metadata(path, file.metadata)
        check_pages(path, file.metadata)
        if not texts:
            return file
        file.close()
        return pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False, read_dictionary=texts)
    except (ArrowException, OSError) as error:
        raise ValueError(str(error)) from None


def _texts(path: Path, file: pq.ParquetFile) -> list[str]:
    """Return the columns of texts.

    Raises:
        ValueError: a column holds lists or records.
    """
    import pyarrow.types as kinds

    for field in file.schema_arrow:
        known = (kinds.is_dictionary, kinds.is_primitive, kinds.is_null, kinds.is_decimal, kinds.is_fixed_size_binary)
        if not (_is_text(field.type) or any(check(field.type) for check in known)):
            raise ValueError(f"column {field.name[:80]} holds {str(field.type)[:80]}, and a cell holds one value")
    columns = (file.schema.column(place) for place in range(len(file.schema.names)))
    for column in columns:
        if column.length and column.length > limits.LIMITS.cell:
            raise beyond(path, column.length, "bytes in a cell", limits.LIMITS.cell, f"column {column.name}")
    return [field.name for field in file.schema_arrow if _is_text(field.type)]


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return any(
        check(kind) for check in (kinds.is_string, kinds.is_large_string, kinds.is_binary, kinds.is_large_binary)
    )


def _check_metadata(path: Path, metadata: pq.FileMetaData) -> None:
    if metadata.num_rows > limits.LIMITS.rows:
        raise beyond(path, metadata.num_rows, "rows", limits.LIMITS.rows)
    if metadata.num_columns > limits.LIMITS.columns:
        raise beyond(path, metadata.num_columns, "columns", limits.LIMITS.columns)
    unpacked = 0
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            unpacked += max(column.total_uncompressed_size, 0)
            if _DELTA_STRINGS in column.encodings:
                # Each text may repeat all of the one before it, so that its length is known only when it is built.
                raise ValueError(f"column {column.path_in_schema[:80]} is stored as {_DELTA_STRINGS}; write it plainly")
        if unpacked > limits.LIMITS.table_bytes:
            raise beyond(path, unpacked, "bytes unpacked", limits.LIMITS.table_bytes)


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield a Parquet file's rows, some at a time, their texts as texts; one batch without rows where it has none.

    Raises:
        BeyondLimits: it holds too much.
        ValueError: it is not a Parquet file that can be read.
    """
    import pyarrow as pa

    total = rows = 0
    try:
        with opened_parquet(path) as file:
            yield _plain(pa.RecordBatch.from_pylist([], schema=file.schema_arrow))
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                total += _check_cells(path, batch)
                rows += batch.num_rows
                if total > limits.LIMITS.table_bytes:
                    raise beyond(path, total, "bytes as text", limits.LIMITS.table_bytes, f"row {rows + 1}")
                if rows > limits.LIMITS.rows:
                    raise beyond(path, rows, "rows", limits.LIMITS.rows)
                yield from map(_plain, _pieces(batch))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from None


def _check_cells(path: Path, batch: pa.RecordBatch) -> int:
    """Return the bytes of a batch once its texts are written out.

    Raises:
        BeyondLimits: a cell is too long.
    """
    import pyarrow.compute as pc

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if (texts := _dictionary(column)) is not None:
            longest = pc.max(pc.binary_length(texts)).as_py() or 0
            if longest > limits.LIMITS.cell:
                raise beyond(path, longest, "bytes in a cell", limits.LIMITS.cell, f"column {name}")
    return _decoded(batch)


def _dictionary(column: pa.Array) -> pa.Array | None:
    import pyarrow as pa

    if not isinstance(column, pa.DictionaryArray) or not _is_text(column.dictionary.type):
        return None
    return column.dictionary


def _decoded(batch: pa.RecordBatch) -> int:
    import pyarrow.compute as pc

    total = 0
    for column in batch.columns:
        texts = _dictionary(column)
        if texts is None:
            total += _width(column.type) * len(column)
        else:
            lengths = pc.binary_length(texts).cast("int64")
            total += pc.sum(lengths.take(column.indices)).as_py() or 0
    return total


def _width(kind: pa.DataType) -> int:
    """Return the bytes of a value other than a text, the same in every row; only few kinds have more than 8."""
    try:
        return max(8, int(kind.byte_width))
    except ValueError:
        return 8


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield a batch in parts of bounded size."""
    # A text that many rows repeat is stored once: a batch that is small as it lies can be large once it is written out.
    if batch.num_rows <= 1 or _decoded(batch) <= _DECODED_AT_ONCE:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with its texts as texts."""
    import pyarrow as pa

    def plain(column: Any) -> Any:
        return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column

    return pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], names=batch.schema.names)
