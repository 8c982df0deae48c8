"""Heads of pages, byte by byte: what a page can have is passed over, and everything else is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from study_app.dataset.border import limits
from study_app.dataset.border.limits import BeyondLimits, DatasetLimits
from study_app.dataset.border.parquet_pages import check_pages, footer_bytes

I32, BINARY, LIST, SET, STRUCT = 5, 8, 9, 10, 12


def whole(number: int) -> bytes:
    """A number in Thrift's compact form: seven bits in each byte, the lowest first."""
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def signed(number: int) -> bytes:
    return whole(2 * number if number >= 0 else -2 * number - 1)


def sizes(unpacked: int, packed: int) -> bytes:
    """Fields 1 to 3 of a head: the kind of page, and what it unpacks from and to."""
    return b"\x15\x00" + b"\x15" + signed(unpacked) + b"\x15" + signed(packed)


def field(kind: int, content: bytes = b"", distance: int = 1) -> bytes:
    return bytes([distance << 4 | kind]) + content


def page(more: bytes = b"", unpacked: int = 40, packed: int = 3) -> bytes:
    return sizes(unpacked, packed) + more + b"\x00" + b"z" * packed


def check(
    path: Path, content: bytes, *, start: int = 0, size: int | None = None, dictionary: int | None = None
) -> None:
    path.write_bytes(content)
    column = SimpleNamespace(
        data_page_offset=start,
        dictionary_page_offset=dictionary,
        total_compressed_size=len(content) if size is None else size,
        path_in_schema="a",
    )
    group = SimpleNamespace(column=lambda _: column)
    check_pages(path, SimpleNamespace(num_row_groups=1, num_columns=1, row_group=lambda _: group))


def listed(count: int, kind: int, each: bytes) -> bytes:
    head = bytes([count << 4 | kind]) if count < 15 else bytes([0xF0 | kind]) + whole(count)
    return head + each * count


def nested(depth: int) -> bytes:
    """A field that is a struct in a struct, so many in all."""
    return field(STRUCT) * depth + b"\x00" * depth


def lists_within(depth: int) -> bytes:
    """A field that is a list of one list, so many in all; the innermost has nothing."""
    return field(LIST) + bytes([1 << 4 | LIST]) * (depth - 1) + bytes([I32])


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(field(1) + field(2), id="yes and no, without bytes"),
        pytest.param(field(3, b"\x07") + field(4, signed(-70)) + field(6, signed(2**62)), id="numbers"),
        pytest.param(field(7, b"12345678"), id="a fraction"),
        pytest.param(field(BINARY, whole(200) + b"t" * 200), id="a text"),
        pytest.param(field(LIST, listed(14, 1, b"\x01")), id="a list whose length is in its first byte"),
        pytest.param(field(SET, listed(15, I32, signed(300))), id="a set whose length follows"),
        pytest.param(field(LIST, listed(1000, 2, b"\x02")), id="the longest list"),
        pytest.param(bytes([I32]) + signed(900) + signed(5), id="a field whose number follows"),
        pytest.param(nested(16), id="the deepest structs"),
        pytest.param(lists_within(17), id="the deepest lists"),
        pytest.param(field(STRUCT, field(I32, signed(7)) + b"\x00", 2), id="another encoding, and another place"),
    ],
)
def test_whatever_a_head_may_hold_is_passed_over_and_the_next_page_found(tmp_path, more):
    check(tmp_path / "a.parquet", page(more) + page())
    with pytest.raises(ValueError, match="a page does not say its size"):
        check(tmp_path / "a.parquet", page(more) + b"\x00")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param(field(LIST, listed(1001, 2, b"\x02")), "a list .* too long", id="a longer list"),
        pytest.param(lists_within(18), "a list .* too long", id="deeper lists"),
        pytest.param(nested(17), "nested too deeply", id="deeper structs"),
        pytest.param(field(11), "what no page has", id="a map"),
        pytest.param(field(I32, b"\x80" * 10 + b"\x00"), "a number .* has no end", id="a number of 71 bits"),
        pytest.param(field(BINARY, whole(10**6)), "has no end", id="a text beyond the file"),
    ],
)
def test_what_no_page_has_is_refused(tmp_path, more, said):
    with pytest.raises(ValueError, match=said):
        check(tmp_path / "a.parquet", page(more))


@pytest.mark.parametrize("head", [field(5, signed(1)), sizes(-1, 3), sizes(3, -1), field(I32, signed(4), 2)])
def test_a_page_says_both_of_its_sizes(tmp_path, head):
    with pytest.raises(ValueError, match="column a: a page does not say its size"):
        check(tmp_path / "a.parquet", head + b"\x00zzz")


@pytest.mark.parametrize(("data", "place"), [(5, 2), (8, 4)], ids=["data", "data of the second version"])
def test_texts_that_build_on_one_another_are_named_by_their_column(tmp_path, data, place):
    def encoded(by: int) -> bytes:
        return page(field(STRUCT, field(I32, signed(by), place) + b"\x00", data - 3))

    check(tmp_path / "a.parquet", encoded(6))
    with pytest.raises(ValueError, match="column a is stored as DELTA_BYTE_ARRAY; write it plainly"):
        check(tmp_path / "a.parquet", encoded(7))


def test_pages_count_from_the_dictionary_on_to_the_end_of_their_column(tmp_path):
    path, one = tmp_path / "a.parquet", page()
    check(path, b"P" + one * 2 + b"\x00", start=1 + len(one), size=2 * len(one), dictionary=1)
    check(path, b"P" + one, start=1, size=len(one))
    with pytest.raises(ValueError, match="does not say its size"):
        check(path, b"P" + one + b"\x00", start=1, size=len(one) + 1)
    for start, size in ((-1, 9), (0, -1)):
        with pytest.raises(ValueError, match="a column begins before the file"):
            check(path, one, start=start, size=size)


@pytest.mark.parametrize(
    ("unpacked", "said"),
    [
        ([50, 50], ""),
        ([51], "51 bytes unpacked in one page, and the limit is 50"),
        ([50, 50, 1], "101 bytes unpacked, and the limit is 100"),
        ([1, 1, 1, 1], ""),
        ([1, 1, 1, 1, 1], "more than 4 pages, and the limit is 4"),
    ],
)
def test_pages_unpack_to_so_much_and_no_more(tmp_path, monkeypatch, unpacked, said):
    monkeypatch.setattr(limits, "LIMITS", DatasetLimits(page_bytes=50, table_bytes=100, pages=4))
    content = b"".join(page(unpacked=each) for each in unpacked)
    if not said:
        check(tmp_path / "a.parquet", content)
        return
    with pytest.raises(BeyondLimits, match=said):
        check(tmp_path / "a.parquet", content)


def test_a_file_says_at_its_end_how_long_its_metadata_are(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"rest" + (300).to_bytes(4, "little") + b"PAR1")
    assert footer_bytes(path) == 300
    path.write_bytes(b"rest" + (300).to_bytes(4, "little") + b"PARE")
    with pytest.raises(ValueError, match="does not end as a Parquet file does"):
        footer_bytes(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="is not a Parquet file"):
        footer_bytes(path)
