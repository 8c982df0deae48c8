"""What a participant's program printed, as text that is safe to show: stamped on arrival, cleaned, capped."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from study_app.domain.tasks import OutputLine, Stream
from study_app.sandbox.packages import hidden_prefixes

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}
_PICTURES[0x7F] = "␡"
_INVISIBLE = [
    *range(0x80, 0xA0),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0x200E,
    0x200F,
    0x2028,
    0x2029,
    0xFEFF,
]
_VISIBLE = {**_PICTURES, **{code: f"<U+{code:04X}>" for code in _INVISIBLE}}


@lru_cache(maxsize=1)
def _paths() -> tuple[re.Pattern[str], dict[str, str]]:
    prefixes = hidden_prefixes()
    return re.compile("|".join(re.escape(prefix) for prefix, _ in prefixes)), dict(prefixes)


def clean(data: bytes) -> str:
    """One line's bytes as text to show.

    Invalid UTF-8 becomes U+FFFD, control characters become visible, the server's own paths are cut off.
    """
    text = data.removesuffix(b"\r").decode("utf-8", "replace").translate(_VISIBLE)
    if "/" in text:
        pattern, replacements = _paths()
        text = pattern.sub(lambda match: replacements[match.group()], text)
    return text


class Collector:
    """Turns what arrives from the pipes of one run into stamped lines, up to a cap for both streams together.

    Args:
        cap: bytes kept; `full` is true once more have arrived, or more lines than a tenth of it (each costs the reader
            and the browser far more than a byte).
        on_line: told of each line as it arrives.
        marker: lines that start with this are notes of the runner: kept in `marks` with their stamps, never shown.
    """

    def __init__(self, cap: int, on_line: Callable[[OutputLine], None] | None, marker: bytes | None = None) -> None:
        self.lines: list[OutputLine] = []
        self._most_lines = max(cap // 10, 100)
        self.marks: dict[str, tuple[float, int]] = {}
        self.full = False
        self.forged = False
        """A mark came twice: the program imitates the runner."""
        self._left = cap
        self._on_line = on_line
        self._marker = marker
        self._parts: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._text: dict[Stream, list[str]] = {"stdout": [], "stderr": []}

    def feed(self, stream: Stream, data: bytes, seconds: float) -> None:
        """Take in what one read of a pipe gave."""
        if len(data) > self._left:
            self.full = True
            data = data[: self._left]
        self._left -= len(data)
        *whole, part = (self._parts[stream] + data).split(b"\n")
        self._parts[stream] = part
        for line in whole:
            if len(self.lines) >= self._most_lines:
                self.full = True
                return
            self._add(stream, line, seconds, "\n")

    def finish(self, seconds: float) -> None:
        """The run is over: what has no line end is a line too."""
        for stream, part in self._parts.items():
            if part:
                self._add(stream, part, seconds, "")
        self._parts = {"stdout": b"", "stderr": b""}

    def note(self, text: str, seconds: float) -> None:
        """Add a line of the runner's own to standard error."""
        if self._text["stderr"] and not self._text["stderr"][-1].endswith("\n"):
            self._text["stderr"].append("\n")
        self._add("stderr", text.encode(), seconds, "\n")

    def text(self, stream: Stream) -> str:
        """All of a stream."""
        return "".join(self._text[stream])

    def _add(self, stream: Stream, data: bytes, seconds: float, end: str) -> None:
        if self._marker is not None and data.startswith(self._marker):
            name = data[len(self._marker) :].strip().decode("utf-8", "replace")
            self.forged |= name in self.marks
            self.marks[name] = (seconds, len(self.lines))
            return
        line = OutputLine(stream, clean(data), seconds)
        self.lines.append(line)
        self._text[stream].append(line.text + end)
        if self._on_line is not None:
            self._on_line(line)
