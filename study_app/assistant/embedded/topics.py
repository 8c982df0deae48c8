"""Finds the notes that answer a question, and says when none does."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from study_app.assistant.embedded.vocabulary import CHAT_WORDS, FAMILIES
from study_app.assistant.notebook import STOPWORDS, Kind, Note, Notebook, RankedNote, stemmed, words

_SHARE_OF_BEST = 0.75
"""A second note is given too where it answers at least so well, relative to the first."""
_ENOUGH = 0.34
"""Share of a question's weight that a note must hold where none of its words stands in the note's title or `Also`."""
_LIKENESS = 0.8
"""From which an unknown word is taken for a known one misspelt."""
_MOST_WORDS = 60
_NAME = re.compile(r"[a-z_][\w.]{1,60}")
_HOW = re.compile(r"\bhow (?:do|can|to|would|could|should)\b")
_CLAUSE = re.compile(r"[.?!;] |, | - ")
_GENERAL = frozenset(
    (
        "trio python code function program task line call async file value name time thing run start end work number"
    ).split()
)
"""Words that nearly every note holds: alone they find nothing."""


@dataclass(frozen=True)
class Answered:
    """A note and how well it answers, relative to other notes of the same search."""

    note: Note
    score: float


def find(
    notebook: Notebook, query: str, kind: Kind = "concepts", limit: int = 2, context: str = "", last_reply: str = ""
) -> list[Note]:
    """Return the notes that answer, best first; none where the question is about something else.

    Args:
        notebook: The notes.
        query: The participant's words.
        kind: Where to look.
        limit: How many at most.
        context: What the conversation was about, for a question that only refers to it.
        last_reply: The last reply: of what the context finds, other notes than it gave come first.
    """
    clauses = [part for part in _CLAUSE.split(query) if part.strip()]
    found = _ranked(notebook, query, kind)
    if not found and len(clauses) > 1:
        # of a long message the clause that is about something the notes have
        found = max((_ranked(notebook, part, kind) for part in clauses[:12]), key=_best, default=[])
    if not found and context:
        found = _in_context(notebook, query, kind, context, last_reply)
    kept = [one for one in found if one.score >= _SHARE_OF_BEST * found[0].score]
    return [one.note for one in kept[:limit]]


def _in_context(notebook: Notebook, query: str, kind: Kind, context: str, last_reply: str) -> list[Answered]:
    """Return notes on what the conversation was about that hold a word of the question.

    Those already given come last.
    """
    own, related = _expanded(notebook, query, kind)
    asked = {*own, *related}
    found = _ranked(notebook, context, kind)
    if not asked or not found:
        return found
    judged = []
    about = set(_content(context)) - _GENERAL
    around = notebook.search(kind, " ".join([*words(context), *asked]), limit=8)
    for one in around:
        head, body = set(words(f"{one.note.title} {one.note.also}")), set(words(one.note.body))
        fits = 2 * len(asked & head) + len(asked & body)
        given = f"**{one.note.title}**" in last_reply
        joined = bool(about & (head | body))
        judged.append(
            Answered(one.note, (1 + fits if fits else 0.5) * (0.3 if given else 1.0) * (1.0 if joined else 0.3))
        )
    return sorted(judged, key=lambda one: -one.score)


def _best(found: list[Answered]) -> float:
    return found[0].score if found else 0.0


def unknown(notebook: Notebook, query: str) -> list[str]:
    """Return the words of a question that neither notes nor everyday English hold."""
    known = notebook.vocabulary()
    strange = [word for word in _content(query) if word not in known]
    return [word for word in strange if not _slip(word, CHAT_WORDS | STOPWORDS) and not _slip(word, known)]


def _slip(word: str, known: frozenset[str]) -> bool:
    """Return whether a word is a known one with a slip of the pen."""
    return len(word) >= 4 and bool(difflib.get_close_matches(word, known, 1, _LIKENESS if len(word) > 4 else 0.75))


def is_everyday(word: str) -> bool:
    """Return whether a word says nothing about a subject."""
    return word in CHAT_WORDS or word in STOPWORDS


def _ranked(notebook: Notebook, query: str, kind: Kind) -> list[Answered]:
    own, related = _expanded(notebook, query, kind)
    if not own and not related:
        return []
    asked = list(dict.fromkeys([*own, *related]))
    # what was said counts twice beside what is only meant by it
    ranked = notebook.search(kind, " ".join([*own, *own, *related]), limit=8)
    strange = len(unknown(notebook, query))
    found = [one for each in ranked if (one := _judged(each, asked, own, strange, query))]
    return sorted(found, key=lambda one: -one.score)


def _judged(found: RankedNote, asked: list[str], own: list[str], strange: int, said: str) -> Answered | None:
    """Return the note with its score, or None where too little of the question is in it."""
    note = found.note
    named = set(_NAME.findall(said.lower()))
    head, body = set(words(f"{note.title} {note.also}")), set(words(note.body))
    telling = [word for word in asked if word not in _GENERAL]
    strong = [word for word in telling if word in head]
    covered = sum(word in body or word in head for word in telling)
    share = covered / (len(telling) + strange) if telling or strange else 0.0
    general = not telling and not strange and bool(set(own) & set(words(note.title)))
    if not ((strong and share > 0.1 * strange) or (covered >= 2 and share >= _ENOUGH) or general):
        return None
    shows = _HOW.search(said.lower()) and "```" in note.body
    whole = set(words(note.title)) <= set(asked)
    lowered = " ".join(said.lower().split())
    phrase = any(_holds(lowered, part) for one in note.also.lower().split(",") if " " in (part := one.strip()))
    exact = note.title.lower() in named or any(name.endswith(f".{note.title.lower()}") for name in named)
    return Answered(
        note,
        found.score
        * (1.5 if strong else 1.0)
        * (3.0 if exact else 1.6 if whole or phrase else 1.0)
        * (1.5 if shows else 1.0),
    )


def _expanded(notebook: Notebook, query: str, kind: Kind) -> tuple[list[str], list[str]]:
    """Return (the question's words as the notes spell them, slips of the pen corrected; words that mean the same)."""
    vocabulary = notebook.vocabulary(kind)
    lowered = " ".join(query.lower().split())
    found: list[str] = []
    related: list[str] = []
    for word in _content(query):
        if word in vocabulary:
            found.append(word)
        elif word not in CHAT_WORDS and len(word) >= 4:
            found += difflib.get_close_matches(word, vocabulary, 1, _LIKENESS)
    for phrases, terms in FAMILIES:
        if any(_holds(lowered, phrase) for phrase in phrases):
            related += [word for term in terms for word in words(term) if word in vocabulary]
    return found, related


def _holds(text: str, phrase: str) -> bool:
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if (at == 0 or not text[at - 1].isalnum()) and (end == len(text) or not text[end].isalnum()):
            return True
        at = text.find(phrase, at + 1)
    return False


def _content(query: str) -> list[str]:
    found = [word for word in words(query[:3000]) if word not in CHAT_WORDS]
    return list(dict.fromkeys(found))[:_MOST_WORDS]


def named_function(notebook: Notebook, said: str) -> list[Note]:
    """Return the task's functions that a message names: by name, by place, by a part of the name or by `Also`."""
    notes = notebook.of_kind("code")
    exact = exactly_named(notebook, said)
    if exact:
        return exact
    by_place = _by_place(notes, said)
    if by_place:
        return by_place
    asked = {stemmed(word) for word in re.findall(r"[a-z]+", said)} - STOPWORDS
    scored = [(len(asked & _names(note)), note) for note in notes]
    best = max((score for score, _ in scored), default=0)
    return [note for score, note in scored if score == best] if best else []


def exactly_named(notebook: Notebook, said: str) -> list[Note]:
    """Return the task's functions whose name stands in a message, or one that is written like a name and means them."""
    notes = notebook.of_kind("code")
    exact = [note for note in notes if re.search(rf"(?<!\w){re.escape(note.title.lower())}(?!\w)", said)]
    tokens = [token for token in _NAME.findall(said) if "_" in token.strip("_") or f"{token}()" in said]
    for token in tokens:
        parts = {stemmed(part) for part in token.split("_") if part}
        near = [note for note in notes if parts & _names(note) or token in note.code]
        if near and not any(token == note.title.lower() for note in notes) and token not in _LIBRARY_NAMES:
            exact += [near[0]]
    return list(dict.fromkeys(exact))


_LIBRARY_NAMES = frozenset(
    (
        "open_nursery",
        "start_soon",
        "move_on_after",
        "fail_after",
        "cancelled_caught",
        "open_memory_channel",
        "create_task",
    )
)


def _names(note: Note) -> set[str]:
    also = [part.strip() for part in note.also.lower().split(",")]
    single = {stemmed(part) for part in also if part.isalpha()} - _GENERAL - STOPWORDS
    return single | {
        stemmed(part) for part in note.title.lower().split("_") if len(part) > 3 and part not in ("data", "user")
    }


_PLACES = (("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"))


def _by_place(notes: list[Note], said: str) -> list[Note]:
    for at, names in enumerate(_PLACES):
        if any(re.search(rf"\b{name} (?:function|one|part|task)\b", said) for name in names):
            return notes[at : at + 1]
    if re.search(r"\blast (?:function|one|part)\b", said):
        return notes[-1:]
    return []
