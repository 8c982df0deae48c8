"""The embedded assistant in languages other than English: what the notes say, found by words, in its own sentences.

Its English counterpart also reads the intent of a message; here a message that says that something is wrong gets what
can be seen in the program, and any other is a search in the notes of its language, with the sentences of the texts'
table `embedded` around what is found.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from math import log

from study_app.assistant.embedded.acting import in_words
from study_app.assistant.embedded.diagnosing import note_on
from study_app.assistant.embedded.message import RequestText, ShownError
from study_app.assistant.embedded.programs import unfinished
from study_app.assistant.inspection import CodeFinding, inspected
from study_app.assistant.notebook import Kind, Note, Notebook
from study_app.domain.assistants.treatments import AssistantRequest, Manner

Texts = Mapping[str, str]
"""The texts' table `embedded` of a language."""
_WORD = re.compile(r"[^\W\d_]\w*")
_STEM = 5
"""Letters by which two words are taken as forms of one."""
_MOST = 3
"""Faults named at once."""
_SHORT = 3
"""Words up to which a message can be a mere greeting or thanks."""
_KINDS: Mapping[Manner, tuple[Kind, ...]] = {
    "answers": ("concepts", "errors"),
    "hints": ("concepts", "errors"),
    "questions": ("concepts",),
}


def answer_from(
    request: AssistantRequest,
    notebook: Notebook,
    texts: Texts,
    *,
    manner: Manner,
    gives_code: bool,
    small_talk: str = "",
) -> str:
    """Return the reply, Markdown; the same for the same request, notes and texts."""
    said = stems(request.message)
    small = _small_talk(request.message, texts, manner)
    if small:
        return f"{small_talk}\n\n{small}" if small_talk else small
    named = _named(notebook, request)
    if wrong := _what_is_wrong(request, notebook, texts, manner=manner, gives_code=gives_code):
        return wrong
    if manner == "hints" and named:
        return _next_point(request, notebook, texts, named[0], "hints")
    if manner == "questions" and named:
        return _next_point(request, notebook, texts, named[0], "questions")
    if manner == "answers" and gives_code and named:
        return f"**{named[0].title}**\n\n{named[0].body}"
    found = _found(notebook, said, _KINDS[manner])
    if not found:
        return texts["nothing"]
    return "\n\n".join(f"**{note.title}**\n\n{note.body if gives_code else note.prose}" for note in found)


def _what_is_wrong(
    request: AssistantRequest, notebook: Notebook, texts: Texts, *, manner: Manner, gives_code: bool
) -> str:
    """Return what is wrong in the program or with the error that was sent; empty where nothing is asked of the kind."""
    read = RequestText(request.message)
    if read.error is None and not _says_that_something_is_wrong(request.message, texts):
        return ""
    problems = inspected(read.code or request.code, notebook)[:_MOST]
    if manner == "questions" and problems:
        return _filled(texts["look_again"], line=problems[0].line)
    parts = [_described(one, texts) for one in problems]
    if gives_code:
        broken = dict.fromkeys(one.function for one in problems)
        right = [note for name in broken if (note := notebook.named("code", name))]
        parts += [f"{_filled(texts['corrected'], name=note.title)}\n\n{note.code}" for note in right]
    if read.error is not None:
        parts.append(_on_error(read.error, notebook, texts))
    return "\n\n".join(dict.fromkeys(parts)) or _no_fault(request, notebook, texts)


def _says_that_something_is_wrong(message: str, texts: Texts) -> bool:
    """Whether a word for a fault is in the message, or all words of one such as `not+works`."""
    said = set(_WORD.findall(message.casefold()))
    return any(set(words.split("+")) <= said for words in texts["words_wrong"].split())


def _described(finding: CodeFinding, texts: Texts) -> str:
    what = in_words(finding.what, texts)
    return what if finding.note is None else f"{what} **{finding.note.title}**\n\n{finding.note.prose}"


def _on_error(error: ShownError, notebook: Notebook, texts: Texts) -> str:
    note = note_on(notebook, error)
    if note is not None:
        return f"**{note.title}**\n\n{note.prose}"
    return _filled(texts["error_unknown"], error=f"{error.kind}: {error.text}" if error.text else error.kind)


def _no_fault(request: AssistantRequest, notebook: Notebook, texts: Texts) -> str:
    """Return a note that the message is about, else that nothing is seen to be wrong."""
    found = _found(notebook, stems(request.message), ("errors", "concepts"), limit=1)
    if found:
        return f"**{found[0].title}**\n\n{found[0].prose}"
    missing = unfinished(request.code, [note.title for note in notebook.of_kind("code")])
    names = ", ".join(f"`{name}`" for name in missing)
    return _filled(texts["not_written"], names=names) if missing else texts["no_fault"]


def _filled(text: str, **values: object) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def stems(text: str) -> list[str]:
    """Words without accents, cut to their beginnings."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return [word[:_STEM] for word in _WORD.findall(bare)]


def _small_talk(message: str, texts: Texts, manner: Manner) -> str:
    said = set(_WORD.findall(message.casefold()))
    greets, thanks = (said & set(texts[key].split()) for key in ("words_greeting", "words_thanks"))
    short = len(said) <= _SHORT
    able = f"{texts[manner]} {texts['scope']}"
    if short and thanks:
        return texts["thanks"]
    if short and greets:
        return f"{texts['hello']} {able}"
    return able if short and said & set(texts["words_able"].split()) else ""


def _named(notebook: Notebook, request: AssistantRequest) -> list[Note]:
    """Return the task's functions that the message names."""
    functions = notebook.of_kind("code")
    said = set(re.findall(r"\w+", request.message))
    return [note for note in functions if note.title in said]


def _next_point(request: AssistantRequest, notebook: Notebook, texts: Texts, function: Note, kind: Kind) -> str:
    """Return the next hint for, or question about, a function."""
    note = notebook.named(kind, function.title)
    if note is None or not note.points:
        return texts["nothing"]
    before = sum(f"**{function.title}**" in reply for _, reply in request.history)
    at = min(before, len(note.points) - 1) if kind == "hints" else before % len(note.points)
    key = "hint" if kind == "hints" else "question"
    head = _filled(texts[key], name=function.title, n=at + 1, m=len(note.points))
    return f"{head}\n\n{note.points[at]}"


def _found(notebook: Notebook, said: Iterable[str], kinds: Iterable[Kind], limit: int = 2) -> list[Note]:
    """Return the notes that share words with the message, rare words first."""
    notes = [note for kind in kinds for note in notebook.of_kind(kind)]
    words = {note: Counter(stems(f"{note.title} {note.title} {note.also} {note.body}")) for note in notes}
    spread = Counter(word for counted in words.values() for word in counted)
    asked = {word for word in said if 0 < spread[word] <= max(1, len(notes) // 2)}

    def score(note: Note) -> float:
        titled = set(stems(f"{note.title} {note.also}"))
        return sum(
            log(1 + len(notes) / spread[word]) * (3 if word in titled else 1) for word in asked & set(words[note])
        )

    ranked = sorted(((score(note), -place, note) for place, note in enumerate(notes)), key=lambda one: one[:2])
    best = ranked[::-1]
    top = best[0][0] if best else 0.0
    return [note for value, _, note in best if value > 0 and value >= top / 2][:limit]
