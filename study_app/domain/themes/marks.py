"""What the ratings of interviews mean: objects, rubrics, and the values of those that are not codes.

| rubric | object | value |
| --- | --- | --- |
| a codebook's version | `interview:ID#TOPIC` | codes, separated by `;`; none where none fits |
| `codebook` | `codebook:VERSION` | the frozen codebook, canonical JSON |
| `themes_half` | `interview:ID` | `induce` or `code` |
| `themes_gold` | `interview:ID` | `drawn P` or `left P`, P the probability of being drawn |
| `themes_reply` | `interview:ID#TOPIC` | a program's reply as received, JSON |
| `themes_reason` | `interview:ID#TOPIC` | why a disagreement was settled as it was |
| `themes_quote` | `interview:ID#TOPIC` | `CODE: words`, redacted and released by a person |
| `audit_CRITERION` | `interview:ID` | how well an interview met it, 1 to 5 |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CODE_ID = "[a-z][a-z0-9_]{0,39}"
"""What ids of codes and codebooks look like."""
INTERVIEW = "interview:"
CODEBOOK, HALF, GOLD, REPLY, REASON = "codebook", "themes_half", "themes_gold", "themes_reply", "themes_reason"
QUOTE = "themes_quote"
CODEBOOK_OBJECT = "codebook:"
INDUCE: Literal["induce"] = "induce"
CODE: Literal["code"] = "code"
RULES, CLAUDE = "rules", "claude"
"""The raters that are programs, the plainer one first."""
DRAWN, LEFT = "drawn", "left"


def interview_object(interview_id: str, topic: str = "") -> str:
    """Return the object of a rating of an interview, or of one topic of it."""
    return f"{INTERVIEW}{interview_id}" + (f"#{topic}" if topic else "")


def interview_of(name: str) -> tuple[str, str] | None:
    """Return interview and topic (empty: the whole interview) of an object; None of anything else."""
    if not name.startswith(INTERVIEW):
        return None
    interview_id, _, topic = name.removeprefix(INTERVIEW).partition("#")
    return interview_id, topic


@dataclass(frozen=True)
class GoldDraw:
    """Whether an interview was drawn for people to code, and with which probability."""

    drawn: bool
    probability: float

    def value(self) -> str:
        """Return it as a rating's value."""
        return f"{DRAWN if self.drawn else LEFT} {self.probability!r}"


def gold_draw(value: str) -> GoldDraw | None:
    """Return what `GoldDraw.value` wrote; None of anything else."""
    word, _, number = value.partition(" ")
    try:
        probability = float(number)
    except ValueError:
        return None
    if word not in (DRAWN, LEFT) or not 0 < probability <= 1:
        return None
    return GoldDraw(word == DRAWN, probability)


AUDIT = "audit_"
AUDIT_CRITERIA = {
    "benevolence": "The interviewer is friendly and respectful, without flattery or pressure.",
    "necessity": "Each follow-up was needed to learn what the topic is about.",
    "context_awareness": "Questions take up what was said, and ask for nothing that was answered.",
    "openness": "Questions leave the answer open and suggest none.",
    "justified_skip": "Where a follow-up was left out, the answer had made it needless.",
}
"""Criteria on which people judge an interview, each with its meaning."""
AUDIT_SCALE = (1, 2, 3, 4, 5)
"""From not at all to fully."""
LEAST_QUOTED = 10
"""People who must have a theme before words of any of them are shown."""


def quote_value(code: str, words: str) -> str:
    """Return the value of a quote's rating."""
    return f"{code}: {' '.join(words.split())}"


def quote_of(value: str) -> tuple[str, str]:
    """Return code and words of a quote's rating; both empty where it holds none, as after it was taken back."""
    code, found, words = value.partition(": ")
    return (code, words) if found else ("", "")
