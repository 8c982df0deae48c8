"""Reading a participant's message: own words apart from what was pasted, and own words as sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": " ", "\u201c": '"', "\u201d": '"', "\u00a0": " "})
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_TRACEBACK = re.compile(
    r"traceback \(most recent call last\)|^[ \t]*file \"[^\"]+\", line \d+", re.IGNORECASE | re.MULTILINE
)
_CODE_LINE = re.compile(
    r"""^\s*(?:
        (?:async\s+)?def\s+\w+\s*\( | (?:async\s+)?(?:with|for)\s.+:\s*$ | (?:from|import)\s+\w+ | return\b | \#|\"\"\"
        | (?:try|else|finally|pass)\s*:?\s*$ | except\b.*: | (?:if|while)\s.+:\s*$ | await\s+\w+[.(] | raise\s
        | class\s+\w+[^?]*:\s*$ | elif\b.*:\s*$ | @\w | \'\'\' | assert\s | >>> | [)\]}],?\s*$
        | [\w.\[\]'"]+\s*[+\-*/]?=\s*\S | [\w.]+\([^)]*\)\s*$ | print\(
    )""",
    re.VERBOSE,
)
_LIST_LINE = re.compile(r"^\s*(?:[-*\u2022]|\(?\d{1,2}[.)])\s+")
_STUB = re.compile(r"\btodo\b|notimplementederror|\[[^\[\]]{0,80}instructions?[^\[\]]{0,80}\]", re.IGNORECASE)
_SPEC_LINE = re.compile(
    r"""^\s*(?:[-*\u2022]\s*|\(?\d{1,2}[.)]\s*)?(?:
        implement|create|define|uses?|takes?|returns?|prints?|starts?|stores?|waits?|calls?|runs?|handles?|write|complete
        |fetch(?:es)?|on\s(?:success|exception|failure|error)|your\s(?:task|function)|in\sthis\stask|you\s(?:will|should|must)
        |task\s\d|(?:the|this|each)\s[\w ]*function|it\s(?:should|must)|requirements|implementation\srequirements
        |expected\s(?:output|result)|instructions?\b
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_OPENING = re.compile(
    r"""^(?:
        (?:hey|hi|hello)(?:\s+(?!(?:can|could|how|what|please|are|do|does|did|is|why|when|where|which|who|will|would|should|i|i'm|my|the|this)\b)\w+)?[,!]?\s+
        | (?:ok(?:ay)?|so|now|then|and|also|but|yes|yeah|yep|yup|ah|oh|hm+|um+|well|alright|great|cool|perfect|nice|sure
            |next(?!\s+(?:function|task|part|step|one)\b)|again|actually|please|pls|plz|just|first(?:ly)?|finally|lastly|right|got\sit|i\smean|maybe
            )(?![\w'-])(?!\s(?:job|work)\b)[\s,.!:;-]*
    )+""",
    re.VERBOSE,
)


def _cleaned(text: str) -> str:
    return text.translate(_APOSTROPHES).strip().lower()


@dataclass(frozen=True)
class SessionMessage:
    """One query and what came before it in the same session."""

    text: str
    previous: tuple[str, ...] = ()
    """Labels of the participant's last query in this task or before it; empty for the first."""

    @cached_property
    def clean(self) -> str:
        """Straight quotes, lower case."""
        return _cleaned(self.text)

    @cached_property
    def _lines(self) -> tuple[list[str], list[str]]:
        """(own, pasted) lines: code, tracebacks, lists and whatever follows a line that ends in a colon."""
        # Before the text is cleaned, which takes the marks of fences away.
        text = _cleaned(_FENCED.sub("\n", self.text))
        traceback = _TRACEBACK.search(text)
        tail = text[traceback.start() :].splitlines() if traceback else []
        own: list[str] = []
        pasted = list(tail)
        opened = False
        for line in (text[: traceback.start()] if traceback else text).splitlines():
            if not line.strip():
                continue
            code = _CODE_LINE.match(line) and (own or not _SPEC_LINE.match(line))
            within = bool(pasted) and line[:2] in ("  ", "\t") and not line.rstrip().endswith("?")
            if code or within or (own and (opened or _LIST_LINE.match(line))):
                pasted.append(line)
            else:
                own.append(line)
            opened = opened or line.rstrip().endswith(":")
        return own, [*pasted, *_FENCED.findall(self.text)]

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The participant's own words, sentence by sentence, without opening fillers."""
        parts = (part for line in self._lines[0] for part in _SENTENCE_END.split(line))
        opened = (_OPENING.sub("", part.strip()).strip() for part in parts)
        return tuple(part for part in opened if part)

    @cached_property
    def bare(self) -> bool:
        """Whether nothing but fillers (yes, ok, please) was said in own words."""
        return not self.sentences and not self._lines[1]

    @property
    def has_traceback(self) -> bool:
        """A Python traceback was pasted."""
        return bool(_TRACEBACK.search(self.clean))

    @property
    def has_specification(self) -> bool:
        """The task's text or a stub was handed over: two lines in the manner of instructions, or a placeholder."""
        lines = [line for line in self.clean.splitlines() if line.strip()]
        return bool(_STUB.search(self.clean)) or sum(bool(_SPEC_LINE.match(line)) for line in lines) >= 2

    @property
    def words(self) -> int:
        """Number of words."""
        return len(self.clean.split())
