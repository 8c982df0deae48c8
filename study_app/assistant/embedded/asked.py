"""A request, read once: what is asked, what the program looks like, what the conversation was about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from study_app.assistant.embedded import topics
from study_app.assistant.embedded.message import RequestText
from study_app.assistant.embedded.programs import unfinished
from study_app.assistant.inspection import CodeFinding, inspected
from study_app.assistant.notebook import Note, Notebook
from study_app.domain.assistants.treatments import AssistantRequest

_REMEMBERED = 4
"""Turns that a question may refer back to."""
_BOLD = re.compile(r"\*\*([^*\n]{1,100})\*\*")
_BLOCK = re.compile(r"^```[a-z]{0,12}$", re.MULTILINE)
_EXAMPLE = re.compile(r"\bexamples?\b")
_REFERS = re.compile(
    r"\b(?:it|its|that|this|they|them|those|these|one|there|same|then|so|else|why|instead|above|previous|before|such"
    r"|examples?|more|further|details?|again|simpler|else)\b"
    r"|^(?:and|but|why|how|what about|or)\b"
)


@cache
def general_notes() -> Notebook:
    """Return notes on Python itself, asked where the pack's have nothing."""
    folder = resources.files(__package__).joinpath("general")
    return Notebook({name: folder.joinpath(name).read_text(encoding="utf-8") for name in ("concepts.md", "errors.md")})


@dataclass(frozen=True)
class AnalysedRequest:
    """A request, and what the notes and the code say about it."""

    request: AssistantRequest
    notebook: Notebook
    gives_code: bool

    @cached_property
    def read(self) -> RequestText:
        """The message, taken apart."""
        return RequestText(self.request.message)

    @property
    def words(self) -> str:
        """The participant's own words."""
        return self.read.words

    @cached_property
    def code(self) -> str:
        """The program that is asked about: the one in the message, else the editor's."""
        return self.read.code or self.request.code

    @cached_property
    def problems(self) -> list[CodeFinding]:
        """What is wrong in the program."""
        return inspected(self.code, self.notebook)

    @cached_property
    def functions(self) -> list[Note]:
        """The task's functions with their code, in the notes' order."""
        return self.notebook.of_kind("code")

    @cached_property
    def missing(self) -> list[str]:
        """The functions that are not written yet."""
        return unfinished(self.request.code, [note.title for note in self.functions])

    @cached_property
    def named(self) -> list[Note]:
        """The functions that the message names."""
        return topics.named_function(self.notebook, self.words)

    @cached_property
    def named_exactly(self) -> list[Note]:
        """The functions whose names stand in the message."""
        return topics.exactly_named(self.notebook, self.words)

    @property
    def recent(self) -> tuple[tuple[str, str], ...]:
        """The latest turns, latest first."""
        return tuple(reversed(self.request.history[-_REMEMBERED:]))

    @cached_property
    def context(self) -> str:
        """What the conversation was about: the topics of the latest reply that had any, and the message before it."""
        for message, reply in self.recent:
            titles = _BOLD.findall(reply[:4000])
            if titles:
                return f"{' '.join(titles[:2])} {RequestText(message).words[:200]}"
        return RequestText(self.recent[0][0]).words[:200] if self.recent else ""

    @cached_property
    def last_code(self) -> str:
        """The code of the latest reply that holds any; empty where none does."""
        for _, reply in self.recent:
            blocks = _BLOCK.split(reply)[1::2]
            if blocks:
                return "\n\n".join(block.strip("\n") for block in blocks) + "\n"
        return ""

    def concepts(self, query: str | None = None, limit: int = 2) -> list[Note]:
        """Return the ideas that a question is about, the pack's notes first; none where it is about something else."""
        said = self.words if query is None else query
        context = self.context if query is None and _REFERS.search(said) else ""
        last = self.recent[0][1] if self.recent and not _EXAMPLE.search(said) else ""
        found = topics.find(self.notebook, said, limit=limit, context=context, last_reply=last)
        return found or topics.find(general_notes(), said, limit=1)

    def unknown(self) -> list[str]:
        """Words of the message that neither notes nor everyday English hold."""
        known = general_notes().vocabulary()
        return [word for word in topics.unknown(self.notebook, self.words) if word not in known]

    def times_asked(self, topic: str) -> int:
        """Return how often the conversation has come to that topic before."""
        return sum(f"**{topic}**" in reply for _, reply in self.request.history)


def titled(note: Note, text: str) -> str:
    """Return a note's words under its title."""
    return f"**{note.title}**\n\n{text}".strip()


def nothing_found(asked: AnalysedRequest) -> str:
    """Return the sentence that the notes have nothing on it, and what they do have."""
    titles = ", ".join(note.title for note in asked.notebook.of_kind("concepts"))
    if not titles:
        return "My notes have nothing on that, and I answer from notes only."
    return f"My notes have nothing on that. They cover: {titles}."
