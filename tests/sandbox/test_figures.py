"""A figure that a program draws is a small, harmless picture, whatever the program sends in its place."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.tasks.figures import MOST_BYTES, NotAFigure, harmless, shown, split
from study_app.domain.tasks.programs import Program, RunLimits
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options

LIMITS = RunLimits(wall_seconds=60.0, cpu_seconds=20)
DRAWN = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('drawn')\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int = 2, height: int = 2, pixels: bytes | None = None, extra: bytes = b"", depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    pixels = b"".join(b"\0" + bytes(3 * width) for _ in range(height)) if pixels is None else pixels
    parts = [chunk(b"IHDR", header), extra, chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_figure_comes_with_the_run_and_nothing_without_one(sandbox):
    run = sandbox.run(Program(DRAWN, ("matplotlib",), LIMITS))
    assert (run.stdout, run.exit_status, len(run.figures)) == ("drawn\n", 0, 1)
    assert harmless(base64.b64decode(run.figures[0])) == base64.b64decode(run.figures[0])
    assert sandbox.run(Program("print(1)", ("matplotlib",), LIMITS)).figures == ()


def test_a_program_that_fails_after_drawing_still_shows_its_figure(sandbox):
    run = sandbox.run(Program(f"{DRAWN}1 / 0\n", ("matplotlib",), LIMITS))
    assert (run.error_type, len(run.figures)) == ("ZeroDivisionError", 1)


def test_many_and_large_figures_are_capped(sandbox):
    many = "import matplotlib.pyplot as plt\nfor n in range(9): plt.figure(figsize=(90, 9)); plt.plot([n, 1])\n"
    run = sandbox.run(Program(many, ("matplotlib",), LIMITS))
    assert len(run.figures) == 4
    assert all(len(base64.b64decode(figure)) <= MOST_BYTES for figure in run.figures)


FORGED = """
import os
def send(data):
    os.write(3, b"\\x05" + len(data).to_bytes(2, "little") + data)
send((11).to_bytes(4, "big") + b"<svg/>" + b"x" * 5)
"""


def test_what_a_program_forges_as_a_figure_is_not_shown(sandbox):
    assert sandbox.run(Program(FORGED, (), LIMITS)).figures == ()


HARMFUL = {
    "not a png": b"<script>",
    "cut off": png()[:-6],
    "a wrong checksum": png()[:40] + b"\0" + png()[41:],
    "a bomb": png(1400, 1400, bytes(1 << 24)),
    "fewer pixels than announced": png(2, 2, b"\0"),
    "a huge side": png(100_000, 1),
    "no side": png(0, 2),
    "another depth": png(depth=16),
    "no end": png().removesuffix(chunk(b"IEND", b"")),
    "too many bytes": png(extra=chunk(b"tEXt", bytes(MOST_BYTES))),
}


@pytest.mark.parametrize("why", HARMFUL)
def test_what_is_no_plain_picture_is_refused(why):
    with pytest.raises(NotAFigure):
        harmless(HARMFUL[why])


def test_texts_and_anything_after_the_end_are_taken_out():
    assert harmless(png(extra=chunk(b"tEXt", b"Comment\0<script>")) + b"<script>") == png()


@given(st.binary(max_size=400), st.integers(0, 300))
def test_any_bytes_are_refused_or_make_a_picture_that_stays_as_it_is(noise, at):
    broken = png()[:at] + noise + png()[at:]
    for picture in (*split(broken), broken, noise):
        for figure in shown([picture]):
            assert harmless(base64.b64decode(figure)) == base64.b64decode(figure)
