"""What the ratings of interviews mean: objects, rubrics, and the values of those that are not codes.

| rubric | object | value |
| --- | --- | --- |
| a codebook's version | `interview:ID#TOPIC` | codes, separated by `;`; none where none fits |
| `codebook` | `codebook:VERSION` | the frozen codebook, canonical JSON |
| `themes_half` | `interview:ID` | `induce` or `code` |
| `themes_gold` | `interview:ID` | `drawn P` or `left P`, P the probability of being drawn |
| `themes_reply` | `interview:ID#TOPIC` | a program's reply as received, JSON |
| `themes_reason` | `interview:ID#TOPIC` | why a disagreement was settled as it was |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

INTERVIEW = "interview:"
CODEBOOK, HALF, GOLD, REPLY, REASON = "codebook", "themes_half", "themes_gold", "themes_reply", "themes_reason"
CODEBOOK_OBJECT = "codebook:"
INDUCE: Literal["induce"] = "induce"
CODE: Literal["code"] = "code"
SAMPLER = "sampler"
"""The rater under whose name halves and samples are stored."""
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
