"""What a message asks for, by its words: code, an explanation, help with an error, abilities, or it says thanks."""

from __future__ import annotations

import re
from typing import Literal

Intent = Literal["generation", "explanation", "debugging", "capability", "appreciation"]

_MAX_CHARACTERS = 4000
"""What a message asks for stands in its first lines; the rest is pasted output or code."""
_PASTED_SHARE = 0.5
"""Share of a message's word pairs that stand in the brief, from which the message is the pasted task."""


def _any_of(*patterns: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), flags | re.MULTILINE)


_OWN_DOING = _any_of(
    r"\b(?:how |can|could|do|should|would|must|may|did) (?:do |can |could |should |would )?(?:i|we)\b\s+\w+",
    r"\b(?:i|we)(?:'m|'re| am| are)? (?:trying|want|tried|attempted) to \w+",
)
"""`can I write to ...` asks whether, and not for code."""
_GENERATION = _any_of(
    r"\b(?:write|implement|generate|complete|finish|solve|create|build|fill in|set ?up|rewrite)\b\s+\S",
    r"(?:^|\bplease |\byou |\bto )code\b\s+\S",
    r"\b(?:can|could|would) you (?:please )?(?:do|make|finish|help me with (?:it|this))\b",
    r"^\W*(?:ok|now|then|next|please|and|yes|so|also)?,?\s*(?:please )?(?:do|make)\b (?!i\b|we\b|you\b)",
    r"\b(?:let'?s|lets) (?:do|start|work on|move on)\b",
    r"\b(?:give|show|send|provide)\b[^.?!\n]*\b(?:code|solution|implementation|function|answer|snippet)\b",
    r"\b(?:full|complete|whole|working|finished) (?:code|solution|program|implementation)\b",
    r"\b(?:fix|correct)\b[^.?!\n]*\b(?:it|this|code|function|for me)\b",
    r"\b(?:be|get) (?:implemented|written|coded)\b",
)
_EXPLANATION = _any_of(
    r"\b(?:explain|why|what|how|when|which|difference|means?|understand|describe|tell me about|purpose)\b",
    r"\b(?:confused|no idea)\b|\?\s*$",
)
_NAMED_ERROR = _any_of(r"\b\w+(?:Error|Exception|Warning)\b", flags=re.NOFLAG)
_DEBUGGING = _any_of(
    r"Traceback \(most recent",
    r"\bnever awaited\b",
    r"\btakes \d+ positional",
    r"\b(?:get|getting|got|gives?|gave|giving|see|seeing|throws?|shows?|this|following|have) (?:\w+ ){0,3}"
    r"(?:errors?|exceptions?|warnings?|traceback)\b",
    r"\b(?:debug|bug|wrong|broken|fails|failing|failed|crash(?:es|ed)?|stuck|hangs?|mistakes?|fix)\b",
    r"\b(?:doesn'?t|does not|not|isn'?t|won'?t|don'?t) (?:work|working|run|running|print|printing)\b",
    r"\bno output\b|\bnothing (?:happens|is printed|prints)\b",
    r"\b(?:check|look at|review) my (?:code|solution|work|function|program)\b",
    r"\bis (?:this|it|my code|my solution) (?:right|correct|ok|good)\b",
)
_ABOUT_ERRORS = _any_of(
    r"\b(?:handl\w*|catch\w*|rais\w*|propagat\w*|deal\w* with|try|except)\b[^.?!\n]*"
    r"\b(?:errors?|exceptions?|\w+error)\b",
    r"\b(?:errors?|exceptions?) (?:handling|propagat\w*)\b",
    r"\bwhat (?:is|are|does)\b[^.?!\n]*\b(?:ExceptionGroup|exceptions?|\w+Error)\b",
)
_ERROR_SHOWN = _any_of(r"Traceback \(most recent", r"^\s*\w+(?:Error|Exception|Warning)\b\s*:", flags=re.NOFLAG)
_CAPABILITY = _any_of(
    r"\bwhat can you (?:do|help)\b",
    r"\bcan you (?:see|read|access|run|execute)\b",
    r"\bdo you (?:see|have access|know)\b",
    r"\bare you (?:an?|aware|chatgpt|gpt|claude|human|real|there|able)\b",
    r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening))\b[^?\n]{0,20}$",
    r"\bwho are you\b|\bhow do you work\b|\bwhich (?:ai|model) are you\b",
)
_APPRECIATION = _any_of(
    r"\b(?:thanks?|thank you|thx|ty|cheers|great|awesome|perfect|nice|cool|got it|makes sense|it works|works now)\b",
    r"\bgood job\b|\bwell done\b|^\W*(?:true+|ok(?:ay)?|alright|understood|i see)\W*$",
)
_NEXT_STEP = _any_of(
    r"\b(?:i'?m|i am|got) stuck\b|\bno idea (?:how|what|where)\b",
    r"\bwhere (?:do|should|can) i (?:start|begin)\b",
    r"\bhow (?:do|should|can) i (?:start|begin|approach|proceed|continue)\b"
    r"(?!\s+(?:an?|two|three|several|many|more|multiple|each|every|another|child|new|tasks)\b)",
    r"\bwhat (?:do|should|must|would) i (?:have to )?(?:do|write|try)\b|\bwhat(?:'s| is| comes)? next\b|\bnext step\b",
    r"\b(?:a |any |another |next |more )(?:hints?|tips?)\b|^\W*(?:please )?help(?: me)?\b|\bhelp me (?:with|on)\b",
)


def intents(message: str, brief: str = "") -> frozenset[Intent]:
    """Every intent that the message shows; one that shows none is taken for a request to explain.

    Args:
        message: What the participant wrote.
        brief: The task's brief; a message that repeats it asks for the task to be done.
    """
    message = message[:_MAX_CHARACTERS]
    if _CAPABILITY.search(message):
        return frozenset({"capability"})
    found: set[Intent] = set()
    if _ERROR_SHOWN.search(message) or (_reports_a_fault(message) and not _ABOUT_ERRORS.search(message)):
        found.add("debugging")
    if _GENERATION.search(_OWN_DOING.sub("", message)) or _pasted(message, brief):
        found.add("generation")
    if _EXPLANATION.search(message) and not found:
        found.add("explanation")
    if _asks_for_words(message):
        found.add("explanation")
    if not found and _APPRECIATION.search(message) and len(message.split()) <= 12:
        return frozenset({"appreciation"})
    return frozenset(found or {"explanation"})


def asks_for_next_step(message: str) -> bool:
    """Whether the participant asks how to go on rather than about a thing."""
    return bool(_NEXT_STEP.search(message[:_MAX_CHARACTERS]))


def names_an_error(message: str) -> bool:
    """Whether the message quotes an error, or names one by its class."""
    message = message[-_MAX_CHARACTERS:]
    return bool(_ERROR_SHOWN.search(message) or _NAMED_ERROR.search(message) or "never awaited" in message)


def _reports_a_fault(message: str) -> bool:
    return bool(_DEBUGGING.search(message) or _NAMED_ERROR.search(message))


def _asks_for_words(message: str) -> bool:
    """Whether words are asked for beside the code."""
    return bool(re.search(r"\b(?:explain|describe|tell me (?:why|how)|what does|help me understand)\b", message, re.I))


def _pasted(message: str, brief: str) -> bool:
    said, known = _pairs(message), _pairs(brief)
    return len(said) >= 8 and len(said & known) >= _PASTED_SHARE * len(said)


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    tokens = re.findall(r"\w+", text.lower())
    return frozenset(zip(tokens, tokens[1:], strict=False))
