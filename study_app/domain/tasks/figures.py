"""Figures that programs draw: a stranger's PNG, taken apart and put together again from what is harmless."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence

MOST_FIGURES = 4
"""Of one run that are kept."""
MOST_BYTES = 200_000
"""Of one figure; larger ones are not shown."""
_MOST_PIXELS = 1_500
"""Of a side."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Colour type -> values of a pixel."""


class NotAFigure(ValueError):
    """The bytes are not a PNG of the kind that is shown."""


def split(data: bytes) -> list[bytes]:
    """Return the figures in what a run sent, each after its length; what is cut off at the end is left out."""
    found: list[bytes] = []
    at = 0
    while at + 4 <= len(data) and len(found) < MOST_FIGURES:
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 4 + length > len(data):
            break
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def shown(pictures: Sequence[bytes]) -> tuple[str, ...]:
    """Return the harmless ones of some pictures, in base64 as a page and the log hold them."""
    found = []
    for picture in pictures:
        try:
            found.append(base64.b64encode(harmless(picture)).decode())
        except NotAFigure:
            continue
    return tuple(found)


def sha256(figure: str) -> str:
    """Digest of a figure in base64."""
    return hashlib.sha256(base64.b64decode(figure)).hexdigest()


def harmless(data: bytes) -> bytes:
    """Return a PNG with nothing but its picture: known chunks with right checksums, of bounded size, whose pixels unpack.

    Raises:
        NotAFigure: it is anything else.
    """
    if len(data) > MOST_BYTES or not data.startswith(_SIGNATURE):
        raise NotAFigure("not a PNG, or too large")
    chunks = [chunk for chunk in _chunks(data) if chunk[0] in _KEPT]
    names = [name for name, _ in chunks]
    if names[:1] != [b"IHDR"] or names[-1:] != [b"IEND"] or names.count(b"IHDR") != 1 or b"IDAT" not in names:
        raise NotAFigure("its parts are not those of a picture")
    _check_pixels(chunks[0][1], b"".join(content for name, content in chunks if name == b"IDAT"))
    return _SIGNATURE + b"".join(_packed(name, content) for name, content in chunks)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        if at + 12 > len(data):
            raise NotAFigure("it is cut off")
        length = int.from_bytes(data[at : at + 4], "big")
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length
        if at > len(data) or zlib.crc32(name + content).to_bytes(4, "big") != data[at - 4 : at]:
            raise NotAFigure("a checksum is wrong")
        yield name, content
        if name == b"IEND":
            return


def _check_pixels(header: bytes, packed: bytes) -> None:
    """Unpack no more than the header announces, so that a small file cannot become a large picture."""
    if len(header) != 13:
        raise NotAFigure("its header has another length")
    width, height, depth, colour, method, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    if not (0 < width <= _MOST_PIXELS and 0 < height <= _MOST_PIXELS):
        raise NotAFigure("it is too large")
    if depth != 8 or colour not in _CHANNELS or method or filtering or interlaced:
        raise NotAFigure("it is of another kind")
    size = height * (1 + width * _CHANNELS[colour])
    unpacker = zlib.decompressobj()
    try:
        pixels = unpacker.decompress(packed, size + 1)
    except zlib.error as error:
        raise NotAFigure(f"its pixels do not unpack ({error})") from None
    if len(pixels) != size or not unpacker.eof:
        raise NotAFigure("it has not the pixels that it announces")


def _packed(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")
