"""The embedded assistant in languages other than English: what the notes say, in sentences of the texts.

What a message asks for is read from lists of words (`wanted`); anything else is a search in the notes of its language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from study_app.assistant.embedded.acting import in_words
from study_app.assistant.embedded.diagnosing import note_on
from study_app.assistant.embedded.languages.searching import notes_on, stems
from study_app.assistant.embedded.languages.wanted import WORD, Wanted, says, wanted
from study_app.assistant.embedded.message import RequestText, ShownError
from study_app.assistant.embedded.programs import unfenced, unfinished, with_functions
from study_app.assistant.inspection import CodeFinding, inspected
from study_app.assistant.notebook import Kind, Note, Notebook
from study_app.domain.assistants.treatments import AssistantRequest, Manner

Texts = Mapping[str, str]
"""The texts' table `embedded` of a language."""
_BOLD = re.compile(r"\*\*([^*\n]{1,100})\*\*")
_FENCE = re.compile(r"```.*?```\n?", re.DOTALL)
_HEADING = re.compile(r"^#{2,6} ", re.MULTILINE)
_TITLE = re.compile(r"\A\s{0,20}# [^\n]{0,200}\n")
_LOOKED_AT = 4000
"""Characters of an earlier reply that are read."""
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
    asked = RequestInLanguage(request, notebook, texts, manner, gives_code)
    reply = _REPLIES[asked.wanted](asked) if asked.wanted else ""
    if reply:
        return reply
    if small := _small_talk(asked):
        return f"{small_talk}\n\n{small}" if small_talk else small
    if says(asked.read.words, texts["words_more"]) and len(WORD.findall(asked.read.words)) <= _SHORT:
        return _next_step(asked)
    if asked.named:
        return _next_step(asked)
    return _searched(asked)


@dataclass(frozen=True)
class RequestInLanguage:
    """A request, with what it is answered from."""

    request: AssistantRequest
    notebook: Notebook
    texts: Texts
    manner: Manner
    gives_code: bool

    @cached_property
    def read(self) -> RequestText:
        """The message, taken apart."""
        return RequestText(self.request.message)

    @cached_property
    def wanted(self) -> Wanted:
        """What is asked for."""
        return wanted(self.read, self.request.brief, self.texts)

    @cached_property
    def named(self) -> list[Note]:
        """The task's functions that the message names."""
        said = set(re.findall(r"\w+", self.request.message))
        return [note for note in self.notebook.of_kind("code") if note.title in said]

    @cached_property
    def missing(self) -> list[Note]:
        """The task's functions that are not written yet."""
        functions = self.notebook.of_kind("code")
        names = unfinished(self.request.code, [note.title for note in functions])
        return [note for note in functions if note.title in names]

    @cached_property
    def problems(self) -> list[CodeFinding]:
        """What is wrong in the program: the one in the message, else the editor's."""
        return inspected(self.read.code or self.request.code, self.notebook)[:_MOST]


def _searched(asked: RequestInLanguage) -> str:
    """Return what the notes have on the message's words."""
    found = notes_on(asked.notebook, stems(asked.request.message), _KINDS[asked.manner])
    if not found:
        return asked.texts["nothing"]
    return _ideas(asked, found)


def _ideas(asked: RequestInLanguage, found: list[Note]) -> str:
    return "\n\n".join(f"**{note.title}**\n\n{note.body if asked.gives_code else note.prose}" for note in found)


def _wrong(asked: RequestInLanguage) -> str:
    """Return what is wrong in the program or with the error that was sent."""
    if asked.manner == "questions" and asked.problems:
        return _filled(asked.texts["look_again"], line=asked.problems[0].line)
    parts = [_described(one, asked.texts) for one in asked.problems]
    if asked.gives_code:
        broken = dict.fromkeys(one.function for one in asked.problems)
        right = [note for name in broken if (note := asked.notebook.named("code", name))]
        parts += [f"{_filled(asked.texts['corrected'], name=note.title)}\n\n{note.code}" for note in right]
    if asked.read.error is not None:
        parts.append(_on_error(asked.read.error, asked.notebook, asked.texts))
    return "\n\n".join(dict.fromkeys(parts)) or _no_fault(asked)


def _run(asked: RequestInLanguage) -> str:
    return asked.texts["running"]


def _start(asked: RequestInLanguage) -> str:
    """Return what is wrong in what was begun, an idea that the message names, else the next step."""
    if asked.problems:
        return _wrong(asked)
    if not asked.named and (ideas := _named_ideas(asked)):
        return _ideas(asked, ideas)
    return _next_step(asked)


def _task(asked: RequestInLanguage) -> str:
    """Return the brief up to its first heading, and what is not written yet."""
    text = _TITLE.sub("", asked.request.brief)
    cut = _HEADING.search(text)
    words = (text[: cut.start()] if cut else text).strip()
    if not asked.gives_code:
        words = _FENCE.sub("", words).strip()
    if not words:
        return ""
    left = f"\n\n{_filled(asked.texts['unwritten'], names=_listed(asked.missing))}" if asked.missing else ""
    return f"{asked.texts['the_task']}\n\n{words}{left}"


def _explain(asked: RequestInLanguage) -> str:
    """Return ideas that the message names; else, after a reply with functions in it, what they do."""
    if notes_on(asked.notebook, stems(asked.request.message), _KINDS[asked.manner]):
        return _searched(asked)
    if asked.request.history:
        titles = _BOLD.findall(asked.request.history[-1][1][:_LOOKED_AT])
        notes = [note for title in titles if (note := asked.notebook.named("code", title)) and note.prose]
        return "\n\n".join(f"**{note.title}**\n\n{note.prose}" for note in dict.fromkeys(notes))
    return ""


def _write(asked: RequestInLanguage) -> str:
    """Return the code that is asked for, where the treatment gives code; else its next hint or question."""
    functions = asked.notebook.of_kind("code")
    if not functions:
        return ""
    if not asked.named and not says(asked.read.words, asked.texts["words_whole"]) and (ideas := _named_ideas(asked)):
        return _ideas(asked, ideas)
    if not asked.gives_code:
        step = _next_step(asked)
        return f"{step}\n\n{asked.texts['only_hints']}" if asked.manner == "hints" else step
    few = asked.named or (asked.missing if len(asked.missing) == 1 else [])
    if few and not says(asked.read.words, asked.texts["words_whole"]):
        return "\n\n".join(_in_full(note) for note in few)
    code = {note.title: unfenced(note.code) for note in functions}
    program = with_functions(asked.request.code, code, asked.request.starter)
    head = _filled(asked.texts["whole_file"], names=_listed(functions))
    about = [f"**{note.title}**: {note.prose}" for note in functions if note.prose]
    return "\n\n".join([f"{head}\n\n```python\n{program.strip()}\n```", *about])


_REPLIES: Mapping[Wanted, Callable[[RequestInLanguage], str]] = {
    "run": _run,
    "wrong": _wrong,
    "start": _start,
    "task": _task,
    "explain": _explain,
    "write": _write,
}


def _in_full(note: Note) -> str:
    return f"**{note.title}**\n\n{note.body}"


def _next_step(asked: RequestInLanguage) -> str:
    """Return the next hint, question or function: for those that are named, else those that are not written."""
    given = " ".join(reply for _, reply in asked.request.history) if asked.gives_code else ""
    left = [note for note in asked.missing if f"def {note.title}(" not in given]
    functions = asked.named or left or asked.notebook.of_kind("code")
    if not functions:
        return _ideas(asked, asked.notebook.of_kind("concepts")[:1]) or asked.texts["nothing"]
    if asked.gives_code and asked.manner == "answers":
        if not asked.named and not asked.missing:
            return asked.texts["all_written"]
        return _in_full(functions[0])
    return _next_point(asked, functions, "questions" if asked.manner == "questions" else "hints")


def _named_ideas(asked: RequestInLanguage) -> list[Note]:
    """Return the notes on ideas whose titles share a word with the message."""
    said = set(stems(asked.read.words))
    shared = [note for note in asked.notebook.of_kind("concepts") if said & set(stems(note.title))]
    return shared[:1]


def _listed(notes: list[Note]) -> str:
    return ", ".join(f"`{note.title}`" for note in notes)


def _described(finding: CodeFinding, texts: Texts) -> str:
    what = in_words(finding.what, texts)
    return what if finding.note is None else f"{what} **{finding.note.title}**\n\n{finding.note.prose}"


def _on_error(error: ShownError, notebook: Notebook, texts: Texts) -> str:
    note = note_on(notebook, error)
    if note is not None:
        return f"**{note.title}**\n\n{note.prose}"
    return _filled(texts["error_unknown"], error=f"{error.kind}: {error.text}" if error.text else error.kind)


def _no_fault(asked: RequestInLanguage) -> str:
    """Return a note that the message is about, else that nothing is seen to be wrong."""
    found = notes_on(asked.notebook, stems(asked.request.message), ("errors", "concepts"), limit=1)
    if found:
        return f"**{found[0].title}**\n\n{found[0].prose}"
    if asked.missing:
        return _filled(asked.texts["not_written"], names=_listed(asked.missing))
    return asked.texts["no_fault"]


def _filled(text: str, **values: object) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def _small_talk(asked: RequestInLanguage) -> str:
    said, texts = asked.read.words, asked.texts
    if len(WORD.findall(said)) > _SHORT:
        return ""
    able = f"{texts[asked.manner]} {texts['scope']}"
    if says(said, texts["words_thanks"]):
        return texts["thanks"]
    if says(said, texts["words_greeting"]):
        return f"{texts['hello']} {able}"
    return able if says(said, texts["words_able"]) else ""


def _next_point(asked: RequestInLanguage, functions: list[Note], kind: Kind) -> str:
    """Return the next hint for, or question about, the first of the functions that has any."""
    notes = [note for one in functions if (note := asked.notebook.named(kind, one.title)) and note.points]
    if not notes:
        return _searched(asked)
    note = notes[0]
    before = sum(f"**{note.title}**" in reply for _, reply in asked.request.history)
    at = min(before, len(note.points) - 1) if kind == "hints" else before % len(note.points)
    key = "hint" if kind == "hints" else "question"
    head = _filled(asked.texts[key], name=note.title, n=at + 1, m=len(note.points))
    return f"{head}\n\n{note.points[at]}"
