"""Answers in prose: ideas, comparisons, the task itself, code that was given, the participant's own program."""

from __future__ import annotations

import re

from study_app.assistant.embedded import topics
from study_app.assistant.embedded.asked import AnalysedRequest, nothing_found, titled
from study_app.assistant.embedded.programs import parsed
from study_app.assistant.embedded.writing import line_by_line
from study_app.assistant.intents import operands
from study_app.assistant.notebook import Note, words

_LINK = re.compile(r"\[([^\]\n]{1,200})\]\([^)\n]{1,300}\)")
_HEADING = re.compile(r"^#{2,6} ", re.MULTILINE)
_TITLE = re.compile(r"\A\s{0,20}# [^\n]{0,200}\n")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_LINE_WORDS = re.compile(r"\b(first|second|third|fourth|fifth|last) (?:line|part|row)\b")
_TOKEN = re.compile(r"[a-z_][\w.]{2,60}")


def ideas(asked: AnalysedRequest) -> list[str]:
    """Return the ideas that the question is about, or that the notes have nothing."""
    found = asked.concepts()
    if not found:
        return from_brief(asked) or [nothing_found(asked)]
    return [titled(note, note.body if asked.gives_code else note.prose) for note in found]


def from_brief(asked: AnalysedRequest) -> list[str]:
    """Return the sentences of the brief that hold words of the question which the notes do not know."""
    strange = {word for word in asked.unknown() if len(word) > 3}
    if not strange:
        return []
    text = " ".join(_TITLE.sub("", _LINK.sub(r"\1", asked.request.brief)).split("```")[::2])
    said = [part.strip() for part in re.split(r"(?<=[.:])\s|\n- |\n\n", text)]
    found = [" ".join(part.split()) for part in said if strange & set(words(part))]
    return ["The task says:", *(f"- {part}" for part in found[:3])] if found else []


def compared(asked: AnalysedRequest) -> list[str]:
    """Two things side by side: the note that speaks of both, else one note for each."""
    pair = operands(asked.words)
    if pair is None:
        return ideas(asked)
    sides = [topics.find(asked.notebook, one, limit=3) for one in pair]
    both = [note for note in sides[0] if note in sides[1] and _names_both(note, pair)]
    chosen = both[:1] or list(dict.fromkeys(note for side in sides for note in side[:1]))
    if not chosen:
        return ideas(asked)
    parts = [titled(note, note.body if asked.gives_code else note.prose) for note in chosen]
    lost = [name for name, side in zip(pair, sides, strict=True) if not side]
    if lost and not both:
        parts.append(f"My notes have nothing on {lost[0]}.")
    return parts


def _names_both(note: Note, pair: tuple[str, str]) -> bool:
    head = set(words(f"{note.title} {note.also}"))
    return all(set(words(one)) & head for one in pair)


def task(asked: AnalysedRequest, function: str | None = None) -> list[str]:
    """Return the brief in short, or its part on one function, and what is not written yet."""
    text = _TITLE.sub("", _LINK.sub(r"\1", asked.request.brief))
    cut = _HEADING.search(text)
    paragraphs = [part.strip() for part in (text[: cut.start()] if cut else text).split("\n\n") if part.strip()]
    if function is not None:
        paragraphs = _part_on(paragraphs, function) or paragraphs
    if not asked.gives_code:
        paragraphs = _unfenced(paragraphs)
    if not paragraphs:
        return [nothing_found(asked)]
    parts = [
        "The task in its own words:" if function is None else f"What the task says about `{function}`:",
        *paragraphs,
    ]
    if asked.missing and function is None:
        parts.append(f"Not written yet: {', '.join(f'`{name}`' for name in asked.missing)}. Which part is unclear?")
    return parts


def _part_on(paragraphs: list[str], function: str) -> list[str]:
    """Return the paragraph that introduces a function, and the list that follows it."""
    at = next((n for n, part in enumerate(paragraphs) if f"**`{function}(" in part or f"`{function}(" in part), None)
    if at is None:
        return []
    found = [paragraphs[at]]
    for part in paragraphs[at + 1 :]:
        if part.startswith("**"):
            break
        found.append(part)
        if not part.startswith("-"):
            break
    return found


def _unfenced(paragraphs: list[str]) -> list[str]:
    kept = []
    inside = False
    for part in paragraphs:
        fences = part.count("```")
        if not inside and fences == 0:
            kept.append(part)
        inside = inside ^ (fences % 2 == 1)
    return kept


def reply_explained(asked: AnalysedRequest) -> list[str]:
    """Return the code that was given last, line by line; what was said last, where it held no code."""
    code = asked.last_code
    if not code:
        return _what_was_said(asked)
    only = _lines_meant(asked, code)
    lines = line_by_line(code, quoted=True, only=only)
    if not lines:
        return _what_was_said(asked)
    names = [note for note in asked.functions if f"def {note.title}(" in code]
    why = [f"**{note.title}**: {note.prose}" for note in names if note.prose]
    return ["The code I gave you, line by line:" if only is None else "In the code I gave you:", lines, *why]


def _lines_meant(asked: AnalysedRequest, code: str) -> set[int] | None:
    """Return the lines that the message singles out, by their place or by what stands in them; None: all of them."""
    numbers = [number + 1 for number, line in enumerate(code.splitlines()) if line.strip()]
    if place := _LINE_WORDS.search(asked.words):
        at = _ORDINALS[place.group(1)]
        return {numbers[at - 1 if at > 0 else -1]} if len(numbers) >= abs(at) else None
    if "line by line" in asked.words or "whole" in asked.words:
        return None
    tokens = {token for token in _TOKEN.findall(asked.words) if not topics.is_everyday(token)}
    held = {n: len(tokens & set(_TOKEN.findall(code.splitlines()[n - 1].lower()))) for n in numbers}
    most = max(held.values(), default=0)
    lines = {n for n in numbers if held[n] == most}
    return lines if most and len(lines) <= len(numbers) / 2 else None


def _what_was_said(asked: AnalysedRequest) -> list[str]:
    found = asked.concepts()
    if not found and asked.context:
        found = topics.find(asked.notebook, asked.context, limit=1)
    if found:
        return [titled(note, note.body if asked.gives_code else note.prose) for note in found]
    if asked.request.history:
        return [nothing_found(asked)]
    return program_explained(asked)


def program_explained(asked: AnalysedRequest) -> list[str]:
    """Return the participant's program line by line; only what is named, where a function is."""
    tree = parsed(asked.code)
    if isinstance(tree, SyntaxError):
        return [one.what for one in asked.problems] or ["Python cannot read the program as it is."]
    only = _lines_of(asked)
    lines = line_by_line(asked.code, quoted=asked.gives_code, only=only)
    if not lines:
        return ["The editor is empty: there is nothing to explain yet."]
    parts = ["Your program, line by line:", lines]
    return [*parts, *(one.what for one in asked.problems[:3])]


def _lines_of(asked: AnalysedRequest) -> set[int] | None:
    tree = parsed(asked.code)
    if isinstance(tree, SyntaxError) or not asked.named_exactly:
        return None
    names = {note.title for note in asked.named_exactly}
    spans = [(node.lineno, node.end_lineno or node.lineno) for node in tree.body if getattr(node, "name", "") in names]
    return {line for first, last in spans for line in range(first, last + 1)} or None
