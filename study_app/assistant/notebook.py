"""A task pack's notes, read into sections and searched.

Each file of a pack's `notes/` is one kind: `concepts.md`, `errors.md`, `code.md`, `hints.md`, `questions.md`. Each
`## heading` begins a note. Below it may stand `Also: word, word` (more words to find it by) and, for errors, a line
that begins with `Looks for:` and holds a regular expression in backticks, matched against each line of the
participant's code, the next line after it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

import bm25s

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.quiz.patterns import takes_long

Kind = Literal["concepts", "errors", "code", "hints", "questions"]

STOPWORDS = frozenset(
    "a about an and are as at be been between but by can could did do does explain for from give had happen "
    "happens has have how i if in is it its just know let like me mean meaning means my need not of on or "
    "please should so tell that the then there these this those to us use want was we what when where which "
    "who why will with work works would you your".split()
)
"""Left out of queries and notes; shorter than usual lists, which hold `after`, `while` and other words of Python."""
LONGEST_LOOKED_AT = 600
"""Characters that a `Looks for` pattern is tried on at once: a line of a program and the one after it."""
_LOOKS_FOR = re.compile(r"^Looks for:\s*`(.+)`\s*$", re.MULTILINE)
_ALSO = re.compile(r"^Also:\s*(.+)$", re.MULTILINE)
_FENCE = re.compile(r"```.*?```\n?", re.DOTALL)
_WRAP = re.compile(r"(?<=\S)\n(?!\d+\. |- )[ \t]*(?=\S)")
_WORD = re.compile(r"[a-z][a-z0-9_]*|\d+")


@dataclass(frozen=True)
class Note:
    """One section of a notes file."""

    kind: Kind
    title: str
    also: str
    body: str
    """Markdown."""
    looks_for: re.Pattern[str] | None = None

    @property
    def prose(self) -> str:
        """The body without its fenced code."""
        return _FENCE.sub("", self.body).strip()

    @property
    def code(self) -> str:
        """The fenced code alone, fences included."""
        return "\n".join(_FENCE.findall(self.body)).strip()

    @property
    def points(self) -> tuple[str, ...]:
        """The items of the body's list, in order: graded hints, or questions."""
        items = re.split(r"(?m)^(?:\d+\.|-)\s+", self.body)
        return tuple(" ".join(item.split()) for item in items[1:])


@dataclass(frozen=True)
class RankedNote:
    """A note and how well it answers."""

    note: Note
    score: float
    """BM25; only comparable within one search."""


class Notebook:
    """All notes of one pack."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Read the notes.

        Args:
            files: File name (`concepts.md`) to text.

        Raises:
            ProblemsFound: unknown file names, notes without text, regular expressions that do not compile.
        """
        self.notes, problems = _read(files)
        if problems:
            raise ProblemsFound(problems)
        canonical = "\0".join(f"{name}\0{files[name]}" for name in sorted(files))
        self.digest = hashlib.sha256(canonical.encode()).hexdigest()[:12]
        self._vocabularies: dict[Kind | None, frozenset[str]] = {
            kind: _all_words(note for note in self.notes if kind in (None, note.kind))
            for kind in (None, *get_args(Kind))
        }
        self._indices = {kind: _Index([note for note in self.notes if note.kind == kind]) for kind in get_args(Kind)}

    def of_kind(self, kind: Kind) -> list[Note]:
        """Return the notes of one kind, in the file's order."""
        return self._indices[kind].notes

    def named(self, kind: Kind, name: str) -> Note | None:
        """Return the note of a kind whose title is exactly that."""
        return next((note for note in self.of_kind(kind) if note.title == name), None)

    def vocabulary(self, kind: Kind | None = None) -> frozenset[str]:
        """Return every word of the notes, of one kind or of all, as `words` gives them."""
        return self._vocabularies[kind]

    def search(self, kind: Kind, query: str, limit: int = 3) -> list[RankedNote]:
        """Return the notes of a kind that share words with the query, best first."""
        return self._indices[kind].search(query)[:limit]


def words(text: str) -> list[str]:
    """Return the words that a search goes by.

    Lower case, stop words out, plurals and `-ing` folded, dotted names apart.
    """
    return [stemmed(word) for word in _WORD.findall(text.lower()) if word not in STOPWORDS]


def _all_words(notes: Iterable[Note]) -> frozenset[str]:
    return frozenset(word for note in notes for word in words(f"{note.title} {note.also} {note.body}"))


class _Index:
    def __init__(self, notes: list[Note]) -> None:
        self.notes = notes
        # the title counts three times: a question mostly names its subject
        corpus = [
            words(f"{note.title} {note.title} {note.title} {note.also} {note.also} {note.body}") for note in notes
        ]
        self._vocabulary = {word for document in corpus for word in document}
        self._bm25 = bm25s.BM25() if self._vocabulary else None
        if self._bm25 is not None:
            self._bm25.index(corpus, show_progress=False)

    def search(self, query: str) -> list[RankedNote]:
        asked = [word for word in words(query) if word in self._vocabulary]
        if self._bm25 is None or not asked:
            return []
        scores = self._bm25.get_scores(asked)
        found = [RankedNote(note, float(score)) for note, score in zip(self.notes, scores, strict=True) if score > 0]
        return sorted(found, key=lambda one: -one.score)


def stemmed(word: str) -> str:
    """Return the word without its ending: plurals, `-ing`, `-ed`."""
    if word.endswith("ies") and len(word) > 4:
        return word.removesuffix("ies") + "y"
    for ending in ("ing", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and "_" not in word:
            return word.removesuffix(ending)
    return word


def _read(files: Mapping[str, str]) -> tuple[list[Note], list[Problem]]:
    notes: list[Note] = []
    problems: list[Problem] = []
    for name in sorted(files):
        kind = name.removesuffix(".md")
        if kind not in get_args(Kind):
            known = ", ".join(f"{one}.md" for one in get_args(Kind))
            problems.append(Problem(name, "", "not a kind of notes", f"name it one of {known}"))
            continue
        for section in re.split(r"(?m)^## ", files[name])[1:]:
            note = _note(cast(Kind, kind), section, name, problems)
            notes.append(note)
    return notes, problems


def _note(kind: Kind, section: str, file: str, problems: list[Problem]) -> Note:
    title, _, rest = section.partition("\n")
    also = _ALSO.search(rest)
    body = _LOOKS_FOR.sub("", _ALSO.sub("", rest, count=1), count=1).strip()
    if not body:
        problems.append(Problem(file, title.strip(), "note without text", "write it or remove its heading"))
    looks_for = None
    if pattern := _LOOKS_FOR.search(rest):
        try:
            looks_for = re.compile(pattern.group(1))
        except re.error as error:
            problems.append(Problem(file, title.strip(), f"regular expression: {error}", "correct the Looks for line"))
        else:
            if takes_long(looks_for, LONGEST_LOOKED_AT):
                what = "the regular expression can take very long over some lines"
                remedy = "write its repetitions so that they cannot match the same text in two ways"
                problems.append(Problem(file, title.strip(), what, remedy))
    return Note(kind, title.strip(), also.group(1) if also else "", _unwrapped(body), looks_for)


def _unwrapped(body: str) -> str:
    """Return the Markdown with each paragraph and list item on one line; fenced code as it is."""
    parts = re.split(r"(```.*?```)", body, flags=re.DOTALL)
    return "".join(part if part.startswith("```") else _WRAP.sub(" ", part) for part in parts)
