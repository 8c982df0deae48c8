"""A program's figure of any colour type is shown as it was drawn, within the limits of its size."""

from __future__ import annotations

import struct
import zlib

import pytest

from study_app.domain.tasks.figures import MOST_BYTES, MOST_FIGURES, NotAFigure, harmless, shown, split


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int = 3, height: int = 2, colour: int = 2, values: int = 3, more: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    pixels = bytes(height * (1 + values * width) + more)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(("colour", "values"), [(0, 1), (2, 3), (3, 1), (4, 2), (6, 4)])
def test_grey_coloured_and_translucent_pictures_are_shown(colour, values):
    assert harmless(png(colour=colour, values=values)) == png(colour=colour, values=values)
    for more in (-1, 1):
        with pytest.raises(NotAFigure, match="it has not the pixels that it announces"):
            harmless(png(colour=colour, values=values, more=more))


def test_colour_types_that_the_format_does_not_have_are_refused():
    for colour in (1, 5, 7):
        with pytest.raises(NotAFigure, match="it is of another kind"):
            harmless(png(colour=colour, values=1))


def test_a_side_has_at_most_1500_pixels():
    for width, height in ((1500, 1), (1, 1500)):
        assert harmless(png(width, height)) == png(width, height)
    for width, height in ((1501, 1), (1, 1501)):
        with pytest.raises(NotAFigure, match="it is too large"):
            harmless(png(width, height))


def test_as_many_figures_as_a_run_may_have_are_taken_apart_and_a_cut_one_is_left_out():
    sent = b"".join(len(each).to_bytes(4, "big") + each for each in (b"a", b"", b"bcd", b"e", b"f"))
    assert split(sent) == [b"a", b"", b"bcd", b"e"]
    assert MOST_FIGURES == 4
    assert split(sent[:-6]) == [b"a", b"", b"bcd"]
    assert split(b"\0\0\0") == []


def test_a_figure_of_the_most_bytes_is_read():
    filler = chunk(b"tEXt", bytes(MOST_BYTES - len(png()) - 12))
    full = png()[:33] + filler + png()[33:]
    assert len(full) == MOST_BYTES
    assert harmless(full) == png()
    assert shown([full + b"\0", full]) == shown([png()])
