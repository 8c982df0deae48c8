"""The codebook `tone-1` of messages and replies, and an offline coder that reads their words in English.

Tone is how a text is worded. It is not how its author feels, and of a model it says nothing about a state.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

CLAUDE = "claude"
"""The rater under whose name a model's codes are kept."""
KEPT_REPLY = "tone_reply"
"""Rubric of a model's reply on one text, as it came."""
VERSION = "tone-1"
"""Changes with any change of a tone, its definition or a rule; the rubric under which people's codes are stored."""
REPLY = "#reply"
"""Behind the name of a turn: its reply is meant, not its message."""
FLOOR = 0.6
"""Kappa with people below which no share of a tone is reported."""
READS = "en"
"""The language that the rules read."""
NEUTRAL = "neutral"
TONES = {
    "desperate": "Words of helplessness or urgency beyond the matter: begging, giving up, no time left, nothing helps.",
    "frustrated": "Annoyance or impatience: complaints that something fails again, sighs, curses, blame.",
    "playful": "Jokes, laughter, smileys, teasing, exclamations of joy.",
    "polite": "Courtesy beyond the matter: please, thanks, apologies, conditional requests.",
    "calm": "Reassuring or unhurried wording: no rush, that is fine, step by step.",
    NEUTRAL: "None of the others stands out.",
}
"""Tone -> definition. A text has the one that stands out."""
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`]*`", re.DOTALL)
_RULES = {
    "desperate": r"\bplease,? please\b|\bhelp me\b|\bi(?:'m| am) (?:\w+ )?(?:lost|stuck|desperate)\b|\bi beg\b"
    r"|\b(?:running )?out of time\b|\bno time left\b|\bi (?:just )?give up\b|\bnothing (?:works|helps)\b"
    r"|\bi can'?t (?:do|take) (?:this|it)\b",
    "frustrated": r"\bstill (?:does ?n[o']t|doesnt|not|fails?|failing|wrong|broken|the same)\b|\bnot working\b"
    r"|\b(?:does ?n[o']t|doesnt|does not|won'?t) work\b|\bannoying\b|\bfrustrat\w+|\bu+gh+\b|\ba+rgh+\b|\bwtf\b"
    r"|\bdamn\b|\bstupid\b|\buseless\b|\bridiculous\b|\bwrong again\b|\bkeeps? (?:failing|breaking)\b",
    "playful": r"\b(?:ha){2,}h?\b|\b(?:he){2,}\b|\blol\b|\blmao\b|\byay\b|\bwoo ?hoo\b|[:;]-?[)DP](?!\w)"
    "|[\U0001f600-\U0001f60e\U0001f61b-\U0001f61d\U0001f389]",
    "polite": r"\bplease\b|\b(?:could|would) you\b|\bthank(?:s| you)\b|\bkindly\b|\bsorry\b|\bappreciate\b",
    "calm": r"\bno (?:rush|problem|worries)\b|\btake your time\b|\ball good\b|\bthat(?:'s| is) (?:fine|okay|ok)\b"
    r"|\bstep by step\b|\blet(?:'s| us) (?:look|see|go through)\b|\bmakes sense\b|\bone thing at a time\b",
}
_PATTERNS = {tone: re.compile(rule, re.IGNORECASE) for tone, rule in _RULES.items()}


@dataclass(frozen=True)
class TextForTone:
    """A text as a coder meets it, without anything around it."""

    name: str
    """Of the turn, with `REPLY` behind it for the reply."""
    text: str

    @property
    def custom_id(self) -> str:
        """Return the name as a provider takes it: its ids allow no `#`, so it is hashed."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:48]


@dataclass(frozen=True)
class CodedTone:
    """What a model gave back on one text."""

    custom_id: str
    tone: str | None
    """None where the reply could not be read."""
    raw: dict[str, Any]
    """As received, with what belongs to it."""


def tone_of(text: str) -> str:
    """Return the tone of a text by its words outside code; the first that a rule finds, in the codebook's order."""
    words = _CODE.sub(" ", text)
    return next((tone for tone, pattern in _PATTERNS.items() if pattern.search(words)), NEUTRAL)
