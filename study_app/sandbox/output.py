"""What a participant's program printed, as text that is safe to show: stamped on arrival, cleaned, capped."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from study_app.domain.tasks.programs import OutputLine, Stream
from study_app.sandbox.packages import hidden_prefixes

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}
_PICTURES[0x7F] = "␡"
_INVISIBLE = [
    *range(0x80, 0xA0),
    0xAD,
    0x34F,
    0x61C,
    0x115F,
    0x1160,
    0x17B4,
    0x17B5,
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0x3164,
    0xFEFF,
    0xFFA0,
    *range(0xFFF0, 0xFFFC),
    *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
]
"""Drawn as nothing, or turning the text around: two outputs that look alike must be alike."""
_VISIBLE = {**_PICTURES, **{code: f"<U+{code:04X}>" for code in _INVISIBLE}}


_OF_A_STUDY = r"/(?:[^\s\"':]*?/)??\.packages/[\w.-]+/"
"""The folder of a study's own packages; see `content.requirements`."""


@lru_cache(maxsize=1)
def _paths() -> tuple[re.Pattern[str], dict[str, str]]:
    prefixes = hidden_prefixes()
    patterns = [re.escape(prefix) for prefix, _ in prefixes]
    return re.compile("|".join([_OF_A_STUDY, *patterns])), dict(prefixes)


def clean(data: bytes) -> str:
    """Return one line's bytes as text to show.

    Invalid UTF-8 becomes U+FFFD, control characters become visible, the server's own paths are cut off.
    """
    text = data.removesuffix(b"\r").decode("utf-8", "replace").translate(_VISIBLE)
    if "/" in text:
        pattern, replacements = _paths()
        text = pattern.sub(lambda match: replacements.get(match.group(), ""), text)
    return text


_LETTERS: dict[Stream, str] = {"stdout": "o", "stderr": "e"}
_OTHER: dict[Stream, Stream] = {"stdout": "stderr", "stderr": "stdout"}


class Collector:
    """Turns what arrives from the pipes of one run into stamped lines, up to a cap for both streams together.

    Args:
        cap: bytes kept; `full` is true once more have arrived, or more lines than a tenth of it (each costs the reader
            and the browser far more than a byte).
        on_line: called with each line as it arrives.
        marker: lines that start with this are notes of the runner: kept in `marks` with their stamps, never shown.
            Without it no grading looks at lines, and a line is cut where the other stream breaks into it.
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
        self._turns: list[tuple[Stream, int]] = []

    def feed(self, stream: Stream, data: bytes, seconds: float) -> None:
        """Take in what one read of a pipe gave."""
        # The cap counts bytes as they arrive, before any cleaning: cleaned text can be several times as long.
        if len(data) > self._left:
            self.full = True
            data = data[: self._left]
        self._left -= len(data)
        # In a graded run times of whole lines count, and a line that the other stream breaks into must stay one.
        if data and self._marker is None:
            self._cut(_OTHER[stream], seconds)
        *whole, part = (self._parts[stream] + data).split(b"\n")
        self._parts[stream] = part
        for line in whole:
            if len(self.lines) >= self._most_lines:
                self.full = True
                return
            self._add(stream, line, seconds, "\n")

    def finish(self, seconds: float) -> None:
        """End the run: what has no line end is a line too."""
        for stream in self._parts:
            self._cut(stream, seconds)

    def note(self, text: str, seconds: float, *, shown: bool = True) -> None:
        """Add a line of the runner's own to standard error; one that is not shown is in `text` only."""
        if self._text["stderr"] and not self._text["stderr"][-1].endswith("\n"):
            self._keep("stderr", "\n", shown)
        if shown:
            self._add("stderr", text.encode(), seconds, "\n")
        else:
            self._keep("stderr", f"{text}\n", shown)

    @property
    def order(self) -> str:
        """See `RunResult.order`."""
        return "".join(f"{_LETTERS[stream]}{length}" for stream, length in self._turns)

    def _cut(self, stream: Stream, seconds: float) -> None:
        """End a line that is not complete, such as a prompt, where it stands."""
        part, self._parts[stream] = self._parts[stream], b""
        if part:
            self._add(stream, part, seconds, "")

    def _keep(self, stream: Stream, text: str, shown: bool) -> None:
        self._text[stream].append(text)
        if not shown:
            return
        if self._turns and self._turns[-1][0] == stream:
            self._turns[-1] = (stream, self._turns[-1][1] + len(text))
        else:
            self._turns.append((stream, len(text)))

    def text(self, stream: Stream) -> str:
        """Return all of a stream."""
        return "".join(self._text[stream])

    def _add(self, stream: Stream, data: bytes, seconds: float, end: str) -> None:
        if self._marker is not None and data.startswith(self._marker):
            name = data[len(self._marker) :].strip().decode("utf-8", "replace")
            self.forged |= name in self.marks
            self.marks[name] = (seconds, len(self.lines))
            return
        line = OutputLine(stream, clean(data), seconds)
        self.lines.append(line)
        self._keep(stream, line.text + end, shown=True)
        if self._on_line is not None:
            self._on_line(line)
