"""What a message asks for, by its words: code, an explanation, help with an error, abilities, or it says thanks."""

from __future__ import annotations

import re
from typing import Literal

Intent = Literal["generation", "explanation", "debugging", "capability", "appreciation"]

_TASK_WORDS = (
    r"(?:it|this|that|code|function|solution|answer|task|implementation|program|example|snippet|body|rest|"
    r"\w+\(\)|`\w+`)"
)
_GENERATION = re.compile(
    rf"\b(?:write|implement|generate|complete|finish|solve|code|create|build|fill in|do)\b[^.?!\n]*\b{_TASK_WORDS}"
    r"|\b(?:write|implement|generate|complete|finish|solve)\b\s+(?:me\s+)?(?:`?\w+`?)"
    r"|\b(?:give|show|send|provide)\b[^.?!\n]*\b(?:code|solution|implementation|function|answer|snippet)\b"
    r"|\b(?:full|complete|whole|working)\s+(?:code|solution|program|implementation)\b"
    r"|\b(?:fix|correct|rewrite)\b[^.?!\n]*\b(?:it|this|code|function|for me)\b",
    re.IGNORECASE,
)
_HOW_TO = re.compile(r"\bhow (?:do|can|should|would|to)\b", re.IGNORECASE)
_EXPLANATION = re.compile(
    r"\b(?:explain|why|what(?:'s| is| are| does| do| happens| if)|how (?:does|do|is|are|can|should|would|to|long|come)|"
    r"when|which|difference|mean|means|understand|describe|tell me about|purpose|work)\b|\?\s*$",
    re.IGNORECASE,
)
_DEBUGGING = re.compile(
    r"Traceback \(most recent|\b\w*(?:Error|Exception|Warning)\b|never awaited|"
    r"\b(?:debug|bug|wrong|broken|fails?|failing|failed|crash(?:es|ed)?|stuck|hangs?|traceback|mistake|exception|error|"
    r"doesn'?t work|does not work|not working|isn'?t working|won'?t (?:run|work)|no output|nothing happens|"
    r"check my (?:code|solution|work)|look at my code|review|is (?:this|it|my code) (?:right|correct|ok|good)|fix)\b",
    re.IGNORECASE,
)
_ERROR_SHOWN = re.compile(r"Traceback \(most recent|^\s*\w*(?:Error|Exception|Warning)\b\s*:", re.MULTILINE)
_ABOUT_ERRORS = re.compile(
    r"\b(?:handl\w*|catch\w*|rais\w*|propagat\w*|deal\w* with|try|except)\b[^.?!\n]*\b(?:errors?|exceptions?)\b|"
    r"\b(?:errors?|exceptions?) (?:handling|propagat\w*)\b|"
    r"\bwhat (?:is|are|does)\b[^.?!\n]*\b(?:ExceptionGroup|exceptions?|\w+Error)\b",
    re.IGNORECASE,
)
_CAPABILITY = re.compile(
    r"\b(?:what can you (?:do|help)|can you (?:see|read|access|run|execute)|do you (?:see|have access|know)|"
    r"are you (?:an?|chatgpt|gpt|claude|human|real|there|able)|who are you|how do you work|"
    r"which (?:ai|model) are you)\b",
    re.IGNORECASE,
)
_APPRECIATION = re.compile(
    r"\b(?:thanks?|thank you|thx|ty|cheers|great|awesome|perfect|nice|cool|got it|makes sense|it works|works now)\b",
    re.IGNORECASE,
)


def intents(message: str) -> frozenset[Intent]:
    """Every intent that the message's words show; one that shows none is taken for an explanation."""
    found: set[Intent] = set()
    if _CAPABILITY.search(message):
        return frozenset({"capability"})
    if _ERROR_SHOWN.search(message) or (_DEBUGGING.search(message) and not _ABOUT_ERRORS.search(message)):
        found.add("debugging")
    if _GENERATION.search(message) and not _HOW_TO.search(message):
        found.add("generation")
    if _EXPLANATION.search(message) and not found & {"debugging"}:
        found.add("explanation")
    if not found and _APPRECIATION.search(message) and len(message.split()) <= 12:
        return frozenset({"appreciation"})
    return frozenset(found or {"explanation"})
