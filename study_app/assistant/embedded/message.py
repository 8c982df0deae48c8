"""Reads a participant's message: own words apart from pasted code and from a pasted error.

Everything here is linear in the message's length: white space is collapsed before any pattern is tried, and every
pattern has bounded gaps.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cached_property

MAX_HEAD = 3000
"""Characters read from the message's beginning: what is asked stands in its first lines."""
MAX_TAIL = 3000
"""Characters read from its end: the line that names an error is a traceback's last."""
_MAX_WORDS = 1200
"""Characters of own words that the patterns see."""

_MARGIN = " \t|+-"
"""What an exception group puts before its lines."""
_CODE_START = re.compile(
    r"(?:async def |def |class |@\w|import \w|from \w+ import|return\b|await \w|raise\b|print\(|async with |async for"
    r"|try:|else:|finally:|pass$|\.\.\.$|#|nursery\.\w+\(|if __name__)"
)
_CODE_BLOCK = re.compile(r"(?:for|while|if|elif|with|except)\b.{0,200}:$")
_ASSIGNMENT = re.compile(r"[A-Za-z_][\w.\[\]'\", ]{0,60} ?[+*/|-]?= ?[^=\s]")
_CALL = re.compile(r"[A-Za-z_][\w.]{0,80}\([^?]{0,200}\)$")
_FRAME = re.compile(r"File \"([^\"]{1,300})\", line (\d{1,7})")
_ERROR_WORD = re.compile(r"\b([A-Za-z_][\w.]{0,80})(?=[:(]| |$)")
_CAMEL = re.compile(r"[A-Z][a-z]{1,30}(?:[A-Z][a-z]{1,30}){1,4}$")
_ERROR_ENDINGS = ("error", "exception", "warning", "exceptiongroup", "cancelled", "interrupt")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " "})
_LIBRARY = ("site-packages", "lib/python", "<frozen", "trio/_", "outcome/")


@dataclass(frozen=True)
class ShownError:
    """An error as it stands in a message."""

    kind: str
    """Its class, as written there: `TypeError`."""
    text: str
    """What follows the colon; empty where only the class is named."""
    line: int | None = None
    """The last line of the participant's own file that the traceback names."""
    grouped: bool = False
    """It stood in an exception group."""
    quoted: bool = True
    """Pasted, not only mentioned in a sentence."""


@dataclass(frozen=True)
class RequestText:
    """One message, taken apart."""

    text: str
    """As sent."""

    @cached_property
    def _lines(self) -> list[str]:
        whole = self.text.translate(_APOSTROPHES)
        if len(whole) > MAX_HEAD + MAX_TAIL:
            whole = f"{whole[:MAX_HEAD]}\n{whole[-MAX_TAIL:]}"
        return [line.rstrip()[:2000] for line in whole.splitlines() if line.strip()]

    @cached_property
    def _parted(self) -> tuple[list[str], list[str], list[str]]:
        """(own words, code, error) lines."""
        own: list[str] = []
        code: list[str] = []
        error: list[str] = []
        fenced = traced = False
        for line in self._lines:
            bare = line.strip()
            if bare.startswith("```"):
                fenced, traced = not fenced, False
            elif fenced and not (traced or _is_trace(bare) or _error_in(bare)):
                code.append(line)
            elif _is_trace(bare) or _error_in(bare) is not None:
                error.append(line)
                # the lines of a traceback that quote the program follow their frame; an error's own line ends it
                traced = _error_in(bare) is None
            elif traced and (line[0] in " \t|" or _looks_like_code(bare)):
                error.append(line)
            elif _looks_like_code(bare) or (code and line[0] in " \t" and own == []):
                code.append(line)
                traced = False
            else:
                own.append(bare)
                traced = False
        return own, code, error

    @cached_property
    def words(self) -> str:
        """The own words: lower case, one space between any two, one line."""
        return " ".join(" ".join(self._parted[0]).lower().split())[:_MAX_WORDS]

    @cached_property
    def code(self) -> str:
        """Pasted Python of two lines or more, dedented; empty where there is none."""
        lines = self._parted[1]
        return textwrap.dedent("\n".join(lines)) + "\n" if len(lines) >= 2 else ""

    @cached_property
    def error(self) -> ShownError | None:
        """The error that matters: of a group the one inside, else the last that is named."""
        frames = [match for line in self._lines for match in _FRAME.finditer(line)]
        own = [int(match.group(2)) for match in frames if not any(part in match.group(1) for part in _LIBRARY)]
        line = own[-1] if own else None
        found = [one for text in self._lines for one in _errors_in(text.strip(_MARGIN))]
        grouped = any(one.kind.endswith("ExceptionGroup") for one in found)
        inner = [one for one in found if not one.kind.endswith("ExceptionGroup")] or found
        if inner:
            last = inner[-1]
            return ShownError(last.kind, last.text, line, grouped)
        raised = [text for text in self._lines if "raise " in text and "(" in text]
        for text in reversed(raised):
            kind = text.split("raise ", 1)[1].split("(", 1)[0].strip()
            if is_error_name(kind):
                return ShownError(kind, "", line, grouped)
        mentioned = re.findall(r"[A-Za-z_][\w.]*", " ".join(self._lines)[: _MAX_WORDS * 2])
        names = [word.rsplit(".", 1)[-1] for word in mentioned if is_error_name(word)]
        return ShownError(names[-1], "", line, grouped, quoted=False) if names else None


def is_error_name(word: str) -> bool:
    """Whether a word is the name of an exception or warning class, in any case: `TypeError`, `notimplementederror`."""
    last = word.rsplit(".", 1)[-1]
    return last.lower().endswith(_ERROR_ENDINGS) and last.lower() not in _PLAIN_WORDS


def _heads_an_error(word: str) -> bool:
    """Whether a word before a colon names an exception: also one of the program's own, such as `UserNotFound`."""
    return is_error_name(word) or bool(_CAMEL.match(word.rsplit(".", 1)[-1]))


_PLAIN_WORDS = frozenset(("error", "exception", "warning", "cancelled", "interrupt"))


def _is_trace(bare: str) -> bool:
    stripped = bare.lstrip(_MARGIN)
    return (
        stripped.startswith(("Traceback (most", "Exception Group Traceback", 'File "', "^^^", "~~~"))
        or (bare[:1] in "|+" and not bare.startswith("++"))
        or set(bare) <= set("^~ |+-")
    )


def _error_in(bare: str) -> ShownError | None:
    """Return the error that a line consists of; a line that asks something about an error is own words."""
    stripped = bare.lstrip(_MARGIN)
    name, colon, text = stripped.partition(":")
    if colon and " " not in name.strip() and _heads_an_error(name.strip()) and "?" not in text:
        return ShownError(name.strip().rsplit(".", 1)[-1], text.strip())
    if "RuntimeWarning:" in stripped or "SyntaxWarning:" in stripped:
        kind = "RuntimeWarning" if "RuntimeWarning:" in stripped else "SyntaxWarning"
        return ShownError(kind, stripped.split(f"{kind}:", 1)[1].strip())
    return None


def _errors_in(line: str) -> list[ShownError]:
    """Return every `XError: text` of one line, in order: a traceback may have been flattened into one."""
    found = []
    starts = [
        (match.start(1), match.end(1))
        for match in _ERROR_WORD.finditer(line)
        if line[match.end(1) : match.end(1) + 1] == ":" and _heads_an_error(match.group(1))
    ]
    for at, (begin, end) in enumerate(starts):
        stop = starts[at + 1][0] if at + 1 < len(starts) else len(line)
        found.append(ShownError(line[begin:end].rsplit(".", 1)[-1], line[end + 1 : stop].strip()[:300]))
    return found


def _looks_like_code(bare: str) -> bool:
    if bare.endswith("?"):
        return False
    if _CODE_START.match(bare):
        prose = bare.startswith(("return ", "await ", "raise ", "import ", "class ", "pass")) and _is_prose(bare)
        return not prose
    return bool(_CODE_BLOCK.match(bare) and not _is_prose(bare)) or bool(
        (_ASSIGNMENT.match(bare) or _CALL.match(bare)) and not _is_prose(bare)
    )


def _is_prose(bare: str) -> bool:
    """Return whether a line that begins like code goes on like a sentence: four plain words in a row."""
    plain = 0
    for word in bare.split():
        plain = plain + 1 if word.strip(",.'").isalpha() else 0
        if plain >= 4:
            return True
    return False
