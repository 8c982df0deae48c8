"""Small files that stand for more than any reader can hold."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

REPEATED = 1_000_000
"""Bytes of the text that every row repeats."""


def repeated_text(path: Path, rows: int, names: tuple[str, ...] = ("participant_id",), size: int = REPEATED) -> None:
    """A table that stores one text, and says of each row that it has it."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * size])
    pq.write_table(pa.table(dict.fromkeys(names, column)), path, store_schema=False, compression="zstd")


def large_dictionary(path: Path, texts: int, size: int) -> None:
    """A table whose dictionary alone unpacks to more than is read at once: a byte of it for some thousand."""
    column = pa.array(["x" * size + str(number) for number in range(texts)])
    pq.write_table(
        pa.table({"participant_id": column}), path, compression="zstd", dictionary_pagesize_limit=2**31 - 1
    )  # fmt: skip


def one_page(path: Path, rows: int, size: int = 1000) -> None:
    """A table with all of its rows in one group and one page, which is packed to nearly nothing."""
    column = pa.array(["x" * size] * rows)
    pq.write_table(
        pa.table({"participant_id": column}),
        path,
        compression="zstd",
        use_dictionary=False,
        row_group_size=rows,
        data_page_size=2**31 - 1,
        write_batch_size=rows,
    )


def project_of(xml: bytes, method: int = zipfile.ZIP_DEFLATED, **more: bytes) -> bytes:
    """A coding project with this XML."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", method, compresslevel=9) as archive:
        archive.writestr("project.qde", xml)
        for name, content in more.items():
            archive.writestr(name, content)
    return target.getvalue()


def understated(content: bytes, size: int) -> bytes:
    """The archive, every file of which says that it unpacks to `size` bytes and has the checksum of those."""
    said = bytearray(content)
    place = said.find(b"PK\x01\x02")
    while place >= 0:
        said[place + 16 : place + 20] = struct.pack("<I", zlib.crc32(b" " * size))
        said[place + 24 : place + 28] = struct.pack("<I", size)
        place = said.find(b"PK\x01\x02", place + 4)
    return bytes(said)
