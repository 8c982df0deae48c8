"""Takes code out of a reply while it streams: fenced and indented blocks, lines of Python, statements within a line."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^\s*(?:[-*+]\s+|\d+[.)]\s+|>\s*)*(```+|~~~+)")
_LIST = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s")
# Lookaheads and possessive repetitions, and one way to match a space: a line of any length is read once.
_CODE_LINE = re.compile(
    r"^\s*+(?:"
    r"(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[(:]|@\w[\w.]*(?:\(|\s*$)|"
    r"import\s+[\w.]+(?:\s+as\s+\w+|\s*,.*)?\s*$|from\s+[\w.]+\s+import\b|"
    r"(?:async\s+)?for\s(?=.*\sin\s).*:\s*(?:#.*)?$|(?:async\s+)?with\s(?=.*\().*:\s*(?:#.*)?$|"
    r"(?:if|elif|while)\s(?=.*[=<>()\[\]]).*:\s*(?:#.*)?$|(?:else|try|finally|except\b.*):\s*(?:#.*)?$|"
    r"(?:return|yield|await|raise|del|assert)\s[^.]*[()\[\]=+*/]|"
    r"[\w.\[\]'\",\s]+(?:[-+*/%|&]|//|\*\*)?=(?!=)\s*\S|"
    r"[\w.]+\(.*\)\s*(?:#.*)?$|>>>\s"
    r")"
)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.{1,2000}?)(?<!`)\1(?!`)")
_STATEMENT = re.compile(r"=|:|;|\breturn\b|\bimport\b|\bfor\b|\bdef\b|\(.*\(")
LEFT_OUT = "[…]"


class CodeFilter:
    """The text of a reply without its code, line by line as it comes."""

    def __init__(self) -> None:
        self.withheld = 0
        """Characters that were left out."""
        self._line = ""
        self._fence = ""
        self._marked = False
        """What was left out last has its mark already."""

    def feed(self, text: str) -> str:
        """Return what may be shown of the reply so far and was not yet."""
        *lines, self._line = (self._line + text).split("\n")
        return "".join(self._shown(line, "\n") for line in lines)

    def end(self) -> str:
        """Return the rest, once the reply has ended."""
        rest, self._line = self._line, ""
        return self._shown(rest, "")

    def _shown(self, line: str, end: str) -> str:
        fence = _FENCE.match(line)
        if self._fence:
            if fence and fence[1].startswith(self._fence) and not line.replace(fence[1], "", 1).strip(" >"):
                self._fence = ""
            return self._leave_out(line)
        if fence:
            # A fence that opens and closes on one line, such as ```x = 1```, is a span.
            self._fence = "" if line.count(fence[1]) > 1 else fence[1]
            return self._leave_out(line)
        indented = line.startswith(("    ", "\t")) and line.strip() and not _LIST.match(line)
        if indented or _CODE_LINE.match(line):
            return self._leave_out(line)
        self._marked = self._marked and not line.strip()
        return _SPAN.sub(self._span, line) + end

    def _leave_out(self, line: str) -> str:
        self.withheld += len(line)
        mark = "" if self._marked else f"{LEFT_OUT}\n"
        self._marked = True
        return mark

    def _span(self, found: re.Match[str]) -> str:
        if not _STATEMENT.search(found[2]):
            return found[0]
        self.withheld += len(found[2])
        return LEFT_OUT
