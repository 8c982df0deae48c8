"""The heads of the pages of a Parquet file: what each unpacks to, which no library says before it unpacks it.

A head is a struct in Thrift's compact form. Its fields 2 and 3 are the sizes unpacked and packed; the packed page
follows it, and then the next head.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study_app.dataset.border import limits
from study_app.dataset.border.limits import beyond

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_DEEPEST = 16
_LONGEST_HEAD = 16 << 20
"""Bytes; it may hold the least and the greatest text of its page."""
_LONGEST_LIST = 1000
_UNPACKED, _PACKED = 2, 3
_DATA_V1, _DATA_V2 = 5, 8
_ENCODING_PLACES = ((_DATA_V1, 2), (_DATA_V2, 4))
"""(head of a data page, its field that says how values are stored)."""
_DELTA_BYTE_ARRAY = 7


def footer_bytes(path: Path) -> int:
    """Return how long the metadata at the end of a Parquet file are.

    Raises:
        ValueError: it is none.
    """
    try:
        with path.open("rb") as handle:
            handle.seek(-8, 2)
            tail = handle.read(8)
    except OSError as error:
        raise ValueError(f"it is not a Parquet file ({error.strerror})") from None
    if tail[4:] != _MAGIC:
        raise ValueError("it does not end as a Parquet file does")
    return int.from_bytes(tail[:4], "little")


def check_pages(path: Path, metadata: pq.FileMetaData) -> None:
    """Refuse pages that unpack to more than is read at once, or together to more than a table may have.

    Raises:
        BeyondLimits: there are such pages, or too many.
        ValueError: a page has no head, or texts whose length cannot be known before they are built.
    """
    total = pages = 0
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for name, start, end in _chunks(metadata):
            for unpacked in _unpacked(content, start, min(end, len(content)), name):
                pages += 1
                total += unpacked
                key = f"column {name}"
                if unpacked > limits.LIMITS.page_bytes:
                    raise beyond(path, unpacked, "bytes unpacked in one page", limits.LIMITS.page_bytes, key)
                if pages > limits.LIMITS.pages:
                    raise beyond(path, f"more than {limits.LIMITS.pages:,}", "pages", limits.LIMITS.pages, key)
                if total > limits.LIMITS.table_bytes:
                    raise beyond(path, total, "bytes unpacked", limits.LIMITS.table_bytes, key)


def _chunks(metadata: pq.FileMetaData) -> Iterator[tuple[str, int, int]]:
    """Yield column, begin and end of what a group of rows has of each column."""
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            start = column.data_page_offset
            if column.dictionary_page_offset:
                start = min(start, column.dictionary_page_offset)
            if start < 0 or column.total_compressed_size < 0:
                raise ValueError("a column begins before the file")
            yield column.path_in_schema[:80], start, start + column.total_compressed_size


def _unpacked(content: mmap.mmap, start: int, end: int, name: str) -> Iterator[int]:
    """Yield what each page between two places unpacks to."""
    place = start
    while place < end:
        head = _Head(content, place)
        fields = head.struct(0)
        unpacked, packed = fields.get(_UNPACKED), fields.get(_PACKED)
        if not isinstance(unpacked, int) or not isinstance(packed, int) or unpacked < 0 or packed < 0:
            raise ValueError(f"column {name}: a page does not say its size")
        for data, field in _ENCODING_PLACES:
            said = fields.get(data)
            if isinstance(said, dict) and said.get(field) == _DELTA_BYTE_ARRAY:
                raise ValueError(f"column {name} is stored as DELTA_BYTE_ARRAY; write it plainly")
        yield unpacked
        place = head.place + packed


class _Head:
    """Reads one struct; numbers and structs are kept, everything else is passed over."""

    def __init__(self, content: mmap.mmap, place: int) -> None:
        self.content, self.place = content, place
        self.end = min(len(content), place + _LONGEST_HEAD)

    def struct(self, depth: int) -> dict[int, Any]:
        if depth > _DEEPEST:
            raise ValueError("the head of a page is nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            # Thrift's compact protocol: the upper half of the byte is the distance from the field before, or 0 where
            # the number follows; the lower half is the type.
            number = number + (head >> 4) if head >> 4 else self._signed()
            fields[number] = self._value(head & 15, depth)
        return fields

    def _byte(self) -> int:
        if self.place >= self.end:
            raise ValueError("the head of a page has no end")
        self.place += 1
        return self.content[self.place - 1]

    def _whole(self) -> int:
        # Seven bits in each byte, the lowest first; the eighth says that more bytes follow.
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found
            if shift > 63:
                raise ValueError("a number in the head of a page has no end")

    def _signed(self) -> int:
        found = self._whole()
        # Zigzag: 0, -1, 1, -2, ... are stored as 0, 1, 2, 3, ...
        return (found >> 1) ^ -(found & 1)

    def _value(self, kind: int, depth: int) -> Any:
        match kind:
            case 1 | 2:  # true and false, which have no bytes
                return None
            case 3:
                self.place += 1
            case 4 | 5 | 6:
                return self._signed()
            case 7:
                self.place += 8
            case 8:
                length = self._whole()  # which moves the place itself
                self.place += length
            case 9 | 10:
                self._list(depth)
            case 12:
                return self.struct(depth + 1)
            case _:
                raise ValueError("the head of a page holds what no page has")
        return None

    def _list(self, depth: int) -> None:
        head = self._byte()
        # A length from 15 on does not fit into the half byte and follows it.
        count = head >> 4 if head >> 4 != 15 else self._whole()
        kind = head & 15
        if count > _LONGEST_LIST or depth > _DEEPEST:
            raise ValueError("a list in the head of a page is too long")
        for _ in range(count):
            # A field's type says whether it is true; in a list each takes a byte.
            self._value(3 if kind in (1, 2) else kind, depth + 1)
