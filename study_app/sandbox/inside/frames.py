"""One pipe for both streams of a program: each write is a frame that names its stream, so their order is kept.

Written by the child, read by the parent. A frame is no longer than what a pipe takes in one piece, so that frames of
several threads never mix.
"""

from __future__ import annotations

import io
import os
import select
import struct
from collections.abc import Callable, Iterator
from typing import Any

HEAD = struct.Struct("<BH")
"""Tag, length of what follows."""
STDOUT, STDERR, REPORTED, BEAT, FIGURE = 1, 2, 3, 4, 5
"""Tags. BEAT, with one byte, says that the event loop of a graded call is alive. FIGURE holds pictures, each after its
length."""
_LONGEST = getattr(select, "PIPE_BUF", 512) - HEAD.size

Write = Callable[[int, Any], int]


def writer(descriptor: int) -> Write:
    """Return a function (tag, bytes) that writes frames to a descriptor and says how many bytes it took."""
    # Kept from before the program starts: it may replace what hangs on `os`.
    send, pack = os.write, HEAD.pack

    def write(tag: int, data: Any) -> int:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _LONGEST):
            part = view[start : start + _LONGEST]
            send(descriptor, pack(tag, len(part)) + part)
        return len(view)

    return write


def ordered(plain: Callable[[int, Any], int], write: Write) -> Callable[[int, Any], int]:
    """Return `os.write` that keeps the order of the streams for descriptors 1 and 2 too."""

    def os_write(fd: int, data: Any, /) -> int:
        return write(fd, data) if fd in (STDOUT, STDERR) else plain(fd, data)

    os_write.__name__ = os_write.__qualname__ = "write"
    return os_write


class FramedStream(io.RawIOBase):
    """The raw end of standard output or standard error.

    Args:
        descriptor: 1 or 2, also the tag of its frames.
        write: writes a frame.
    """

    name: Any

    def __init__(self, descriptor: int, write: Write) -> None:
        self.name = f"<{'stdout' if descriptor == STDOUT else 'stderr'}>"
        self.mode = "wb"
        self._descriptor = descriptor
        self._write = write
        self.within_line = False
        """What was written last did not end its line."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that the stream stands for."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return False."""
        return False

    def write(self, data: Any) -> int:
        """Write all of it."""
        if data:
            self.within_line = data[-1] != ord("\n")
        return self._write(self._descriptor, data)


class Reader:
    """Takes frames apart as they arrive; what follows a malformed one is ignored."""

    def __init__(self) -> None:
        self._rest = b""
        self._broken = False

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (tag, content) of each frame that is complete now."""
        if self._broken:
            return
        buffer, at = self._rest + data, 0
        while len(buffer) - at >= HEAD.size:
            tag, length = HEAD.unpack_from(buffer, at)
            # The program can write to this pipe, too. After a frame that makes no sense nothing tells where the next
            # one begins.
            if tag not in (STDOUT, STDERR, REPORTED, BEAT, FIGURE):
                self._broken, self._rest = True, b""
                return
            end = at + HEAD.size + length
            if end > len(buffer):
                break
            yield tag, buffer[at + HEAD.size : end]
            at = end
        self._rest = buffer[at:]
