"""Answers about what goes wrong: the participant's program first, then the error that was shown."""

from __future__ import annotations

import re

from study_app.assistant.embedded import topics
from study_app.assistant.embedded.asked import AnalysedRequest, general_notes, titled
from study_app.assistant.embedded.lines import explained
from study_app.assistant.embedded.message import ShownError
from study_app.assistant.embedded.programs import source_of, unfenced
from study_app.assistant.inspection import CodeFinding
from study_app.assistant.intents import asks_why, line_asked
from study_app.assistant.notebook import Note, Notebook, words

_QUOTED = re.compile(r"'([a-z_]{1,40})'")
_MOST = 3
"""Faults named at once."""


def diagnosis(asked: AnalysedRequest) -> list[str]:
    """Return what is wrong, by line; else what the error means; else that the notes know of nothing."""
    if (line := line_asked(asked.read)) is not None and not asked.read.error:
        return about_line(asked, line)
    parts = shown_error(asked) if asked.read.error else []
    named = {note.title for note in _notes_of_error(asked)} if asked.read.error else set()
    problems = asked.problems[:_MOST]
    parts = [*(described(one, short=one.note is not None and one.note.title in named) for one in problems), *parts]
    if asks_why(asked.read) and (concepts := asked.concepts(limit=1)):
        parts += [titled(concepts[0], concepts[0].prose)]
    if not parts and (concepts := _explains_symptom(asked)):
        parts += [no_fault(asked), titled(concepts[0], concepts[0].prose)]
    return parts or [no_fault(asked)]


def corrected(asked: AnalysedRequest) -> list[str]:
    """Return the functions that are wrong as they should be, each once."""
    broken = dict.fromkeys(one.function for one in asked.problems[:_MOST])
    notes = [note for name in broken if (note := asked.notebook.named("code", name))]
    return [f"`{note.title}` can be written like this:\n\n{note.code}" for note in notes]


def described(problem: CodeFinding, *, short: bool = False) -> str:
    """Return a finding, and the note that explains it."""
    if problem.note is None or short:
        return problem.what
    return f"{problem.what} **{problem.note.title}**\n\n{problem.note.prose}"


def question_about(problem: CodeFinding) -> str:
    """Return a finding as the tutor asks about it."""
    where = f"Look at line {problem.line} again."
    if problem.note is None:
        return f"{where} {problem.what} What would Python need there?"
    return (
        f"{where} It has to do with: {problem.note.title}. What does that line do when it runs, and what should it do?"
    )


def about_line(asked: AnalysedRequest, line: int) -> list[str]:
    """Return what is wrong in one line, else what it does."""
    here = [one for one in asked.problems if one.line == line]
    if here:
        return [described(one) for one in here]
    lines = asked.code.splitlines()
    if not 0 < line <= len(lines):
        return [f"Your program has {len(lines)} line{'s' * (len(lines) != 1)}; there is no line {line}."]
    elsewhere = [described(one) for one in asked.problems[:_MOST]]
    return [f"{_what_stands(asked, line)} I see nothing wrong in that line.", *elsewhere]


def shown_error(asked: AnalysedRequest) -> list[str]:
    """Return what the error in the message means, and where it comes from."""
    error = asked.read.error
    if error is None:
        return []
    parts = [titled(note, note.prose) for note in _notes_of_error(asked)]
    if not parts:
        quoted = f"`{error.kind}: {error.text}`" if error.text else f"`{error.kind}`"
        parts = [f"The error is {quoted}. My notes have nothing on it; the text after the colon says what was wrong."]
    if error.line is not None:
        parts.insert(0, _place(asked, error.line))
    if error.grouped and error.kind != "ExceptionGroup":
        parts.append(
            "The `ExceptionGroup` around it only says that a task in a nursery raised it; "
            f"`{error.kind}` is what counts."
        )
    return [part for part in parts if part]


def reported(asked: AnalysedRequest) -> Note | None:
    """Return the note on the error that the message shows or names."""
    return next(iter(_notes_of_error(asked)), None)


def _notes_of_error(asked: AnalysedRequest) -> list[Note]:
    error = asked.read.error
    if error is None:
        return []
    for notebook in (asked.notebook, general_notes()):
        if found := note_on(notebook, error):
            return [found]
    return []


def note_on(notebook: Notebook, error: ShownError) -> Note | None:
    """Return the note with the most words of the error's text, among those that speak of its class."""
    kind, text = error.kind.lower(), error.text.lower()
    scored: list[tuple[float, Note]] = []
    asked = {word for word in words(text) if not word.isdigit()}
    for note in notebook.of_kind("errors"):
        head = f"{note.title} {note.also}".lower()
        quoted = _QUOTED.findall(note.title.lower())
        if text and not all(name in text for name in quoted):
            continue
        title = {word for word in words(note.title) if not word.isdigit()}
        shared = len(asked & set(words(head)))
        of_kind = kind in head
        share = len(asked & title) / len(title) if title else 0.0
        if of_kind or (share >= 0.6 and shared >= 2):
            scored.append((share * 4 + shared + 1.5 * of_kind + 2 * (kind in note.title.lower()), note))
    scored.sort(key=lambda one: -one[0])
    if not scored:
        return None
    best, note = scored[0]
    own_class = [one for _, one in scored if kind in one.title.lower()]
    # without a word of the text in common, a note on another error of the same class would mislead
    if best < 3 and kind not in note.title.lower():
        return own_class[0] if own_class else None
    return note


def _place(asked: AnalysedRequest, line: int) -> str:
    lines = asked.request.code.splitlines()
    if 0 < line <= len(lines) and lines[line - 1].strip() and asked.gives_code:
        return f"It comes from line {line} of your program: `{lines[line - 1].strip()[:120]}`."
    return f"It comes from line {line} of your program."


def _what_stands(asked: AnalysedRequest, line: int) -> str:
    text = asked.code.splitlines()[line - 1].strip()
    if not text:
        return f"Line {line} is empty."
    if text.startswith("#"):
        return f"Line {line} is a comment; Python skips it."
    if text in ("...", "pass"):
        name = _function_of(asked, line)
        return f"Line {line} only stands for the body{f' of `{name}`' if name else ''} that is not written yet."
    what = next((one.what for one in explained(asked.code) if one.line == line), "")
    return f"Line {line} {what}" if what else f"Line {line} belongs to the statement above it."


def _function_of(asked: AnalysedRequest, line: int) -> str:
    lines = asked.code.splitlines()
    for text in reversed(lines[: line - 1]):
        if text.startswith(("async def ", "def ")):
            return text.split("def ", 1)[1].split("(")[0]
    return ""


def _explains_symptom(asked: AnalysedRequest) -> list[Note]:
    """Return the note on a way to go wrong that the words describe, else the idea that they are about."""
    return topics.find(asked.notebook, asked.words, "errors", limit=1) or asked.concepts(limit=1)


def no_fault(asked: AnalysedRequest) -> str:
    """Return the sentence that nothing is wrong as far as can be seen, and what is not written yet."""
    if asked.missing and not asked.read.code:
        names = ", ".join(f"`{name}`" for name in asked.missing)
        return f"I see no mistake in what is there. Not written yet: {names}."
    return (
        "I see no mistake that my notes know of. Run the code and send me the message it ends with, "
        "or tell me what you expected and what came out."
    )


def differs(asked: AnalysedRequest) -> list[Note]:
    """Return the finished functions that are written otherwise than in the notes."""
    own = {note.title: " ".join(source_of(asked.code, note.title).split()) for note in asked.functions}
    return [note for note in asked.functions if own[note.title] != " ".join(unfenced(note.code).split())]
