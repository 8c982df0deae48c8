"""What a message asks for, by the participant's own words; pasted code and errors are set apart before."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from itertools import pairwise
from typing import Literal

from study_app.assistant.embedded.message import RequestText

Intent = Literal[
    "greeting",
    "appreciation",
    "capability",
    "run",
    "task",
    "start",
    "generation",
    "fix",
    "debugging",
    "explain_reply",
    "explain_program",
    "compare",
    "explanation",
    "continue",
]

_PASTED_SHARE = 0.5
"""Share of a message's word pairs that stand in the brief, from which the message is the pasted task."""


def _open() -> dict[str, tuple[re.Pattern[str], ...]]:
    """Name -> patterns, as `intents.toml` has them."""
    content = tomllib.loads(resources.files("study_app.assistant.embedded").joinpath("intents.toml").read_text("utf-8"))
    classes: dict[str, str] = content["words"]

    def expanded(text: str) -> str:
        return re.sub(r"<(\w+)>", lambda name: classes[name.group(1)], text)

    return {name: tuple(re.compile(expanded(one)) for one in listed) for name, listed in content["patterns"].items()}


_PATTERNS = _open()


def _says(name: str, words: str) -> re.Match[str] | None:
    """Return the first of the patterns of that name that is found."""
    return next((found for pattern in _PATTERNS[name] if (found := pattern.search(words))), None)


def _without(name: str, words: str) -> str:
    """Return the words without what the patterns of that name match."""
    for pattern in _PATTERNS[name]:
        words = pattern.sub("", words)
    return words


def intents(message: str | RequestText, brief: str = "") -> frozenset[Intent]:
    """Return every intent that the message shows; one that shows none is taken for a request to explain.

    Args:
        message: What the participant wrote.
        brief: The task's brief; a message that repeats it asks for the task to be done.
    """
    read = message if isinstance(message, RequestText) else RequestText(message)
    said = read.words
    if _says("greeting", said) or not (said or read.error or read.code):
        return frozenset({"greeting"})
    asked = _without("opening", said)
    if not asked and not read.error and not read.code:
        return frozenset({"continue" if _says("continue", said) and not _says("thanks", said) else "appreciation"})
    if pasted(read.text, brief):
        return frozenset({"generation"})
    found = _of_words(asked, read)
    if not found or (found == {"explanation"} and _says("thanks", said) and "?" not in said):
        if _says("continue", said):
            return frozenset({"continue"})
        if (_says("thanks", said) or _says("thanks", asked)) and len(said.split()) <= 14:
            return frozenset({"appreciation"})
    return frozenset(found or {"explanation"})


def _of_words(asked: str, read: RequestText) -> set[Intent]:
    if _says("capability", asked) and not _says("fix", asked):
        return {"capability"}
    shown = read.error is not None and read.error.quoted
    if _says("run", asked) and not shown:
        return {"run"}
    if _line_asked(asked):
        return {"debugging"}
    if found := _about_code(asked, read, shown):
        return found
    if _says("task", asked) and not shown:
        return {"task"}
    if operands(asked) and not _says("generation", _without("own_doing", asked)):
        return {"compare"}
    if _says("start", asked) and not shown and not _says("part_wanted", asked):
        return {"start"}
    return _rest(asked, read, shown)


def _about_code(asked: str, read: RequestText, shown: bool) -> set[Intent]:
    if _says("fix", asked):
        return {"fix"}
    if not shown and _says("explain_program", asked):
        return {"explain_program"}
    if not shown and _says("explain_reply", asked) and not _says("generation", _without("own_doing", asked)):
        return {"explain_program"} if read.code else {"explain_reply"}
    return set()


def _rest(asked: str, read: RequestText, shown: bool) -> set[Intent]:
    found: set[Intent] = set()
    conceptual = bool(_says("about_errors", asked) or _says("concept_why", asked))
    conceptual = conceptual or (asked.startswith("how ") and _says("own_program", asked) is None)
    reported = _says("debugging", asked) or (read.error is not None and not conceptual)
    if shown or (reported and not conceptual):
        found.add("debugging")
    # `how do I write timer` asks for it, `can I write to a dictionary` does not
    wanted = (
        _says("generation", asked) if asked.startswith("how ") else _says("generation", _without("own_doing", asked))
    )
    if wanted and not shown:
        found.add("generation")
    if (_says("explanation", asked) and not found) or (_says("with_words", asked) and "debugging" not in found):
        found.add("explanation")
    if read.code and not found:
        found.add("debugging")
    return found


def wants_whole(message: RequestText) -> bool:
    """Return whether the whole program is asked for rather than a part."""
    return bool(_says("whole", message.words))


def asks_why(message: RequestText) -> bool:
    """Return whether an idea, not a symptom, is asked about with `why`."""
    return bool(_says("concept_why", message.words))


def line_asked(message: RequestText) -> int | None:
    """Return the line of the program that the message asks about."""
    return _line_asked(message.words)


def _line_asked(said: str) -> int | None:
    found = _says("line", said)
    return int(found.group(1)) if found else None


def operands(said: str) -> tuple[str, str] | None:
    """Return the two things that are compared, where two are."""
    found = _says("compare", said)
    return (found.group(1).strip(), found.group(2).strip()) if found else None


def must_do(message: RequestText) -> str | None:
    """Return the name in `what does NAME have to do`."""
    found = _says("what_must", message.words)
    return found.group(1) if found else None


def pasted(message: str, brief: str) -> bool:
    """Return whether the message is the task's text."""
    said, known = _pairs(message), _pairs(brief)
    return len(said) >= 8 and len(said & known) >= _PASTED_SHARE * len(said)


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    tokens = re.findall(r"\w+", text[:8000].lower())
    return frozenset(pairwise(tokens))
