"""An interview as coders read it: its topics in order, and its text with the place of each topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """One question with its answer."""

    topic: str
    question: str
    answer: str


@dataclass(frozen=True)
class InterviewText:
    """One interview; nothing in it names the participant or the arm."""

    interview_id: str
    language: str
    passages: tuple[Passage, ...]

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that were answered, in order."""
        return tuple(dict.fromkeys(each.topic for each in self.passages if each.answer.strip()))

    def answers(self, topic: str) -> str:
        """Return all that was answered on a topic."""
        return "\n".join(each.answer for each in self.passages if each.topic == topic and each.answer.strip())

    def on(self, topic: str) -> tuple[Passage, ...]:
        """Return the questions on a topic, with their answers."""
        return tuple(each for each in self.passages if each.topic == topic)


@dataclass(frozen=True)
class PassageSpan:
    """Where a passage stands in the text; characters, the end excluded."""

    topic: str
    start: int
    end: int


def laid_out(transcript: InterviewText) -> tuple[str, tuple[PassageSpan, ...]]:
    """Return the text of an interview and the place of each answered passage in it."""
    parts: list[str] = []
    spans: list[PassageSpan] = []
    place = 0
    for passage in transcript.passages:
        text = f"{_lines(passage.question)}\n{_lines(passage.answer)}\n\n"
        if passage.answer.strip():
            spans.append(PassageSpan(passage.topic, place, place + len(text) - 2))
        parts.append(text)
        place += len(text)
    return "".join(parts), tuple(spans)


def _lines(text: str) -> str:
    """Return a text with line feeds alone: a file with other line ends would move every place behind them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def topics_at(spans: Sequence[PassageSpan], start: int, end: int) -> tuple[str, ...]:
    """Return the topics whose passages a selection touches."""
    return tuple(dict.fromkeys(span.topic for span in spans if start < span.end and end > span.start))
