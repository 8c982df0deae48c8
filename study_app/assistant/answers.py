"""Puts an answer together: in full, as hints, or as questions. Nothing in it is made up."""

from __future__ import annotations

import re
from collections.abc import Callable

from study_app.assistant.embedded import diagnosing, explaining, writing
from study_app.assistant.embedded.asked import AnalysedRequest, nothing_found, titled
from study_app.assistant.intents import Intent, intents, must_do
from study_app.assistant.notebook import Note, Notebook
from study_app.domain.assistants.treatments import AssistantRequest, Manner

_Wanted = frozenset[Intent]
_SMALL_TALK: _Wanted = frozenset({"greeting", "capability", "appreciation"})
"""What is said without help in it, and so the only place where a persona of the embedded assistant is heard."""


def answer(
    request: AssistantRequest, notebook: Notebook, *, manner: Manner, gives_code: bool, small_talk: str = ""
) -> str:
    """Return the reply, Markdown; the same for the same request, notes and treatment.

    Args:
        request: what is asked.
        notebook: the pack's notes.
        manner: how it helps.
        gives_code: whether it may give code.
        small_talk: a persona's words before replies that help with nothing.
    """
    asked = AnalysedRequest(request, notebook, gives_code)
    wanted = intents(asked.read, request.brief)
    parts = _of_any_manner(asked, wanted, manner) or _MANNERS[manner](asked, wanted)
    if wanted & _SMALL_TALK:
        parts = [small_talk, *parts]
    return "\n\n".join(dict.fromkeys(part for part in parts if part)) or nothing_found(asked)


def _of_any_manner(asked: AnalysedRequest, wanted: _Wanted, manner: Manner) -> list[str]:
    """Return what every treatment answers alike."""
    if "greeting" in wanted:
        return [f"Hello! {_capability(asked, manner)}"]
    if "capability" in wanted:
        return [_capability(asked, manner)]
    if "appreciation" in wanted:
        return ["Good. Run your code to be sure, and ask on whenever something is unclear."]
    if "run" in wanted:
        return [_running(asked)]
    if function := _function_whose_task_is_asked(asked):
        return explaining.task(asked, function)
    if "task" in wanted:
        return explaining.task(asked, asked.named_exactly[0].title if asked.named_exactly else None)
    if "compare" in wanted:
        return explaining.compared(asked)
    if "explain_program" in wanted:
        return explaining.program_explained(asked)
    return []


def _function_whose_task_is_asked(asked: AnalysedRequest) -> str | None:
    name = must_do(asked.read)
    return next((note.title for note in asked.functions if note.title.lower() == name), None) if name else None


def _answers(asked: AnalysedRequest, wanted: _Wanted) -> list[str]:
    """Return the reply of the treatment that answers in full: code when asked for, never a hint in its place."""
    if "fix" in wanted and asked.gives_code:
        return writing.fixed(asked)
    if "continue" in wanted:
        return _continued(asked)
    if "explain_reply" in wanted:
        return explaining.reply_explained(asked)
    parts: list[str] = []
    if wanted & {"debugging", "fix"} or _asks_why_of_a_faulty_program(asked):
        parts += diagnosing.diagnosis(asked)
        parts += diagnosing.corrected(asked) if asked.gives_code else []
    if "start" in wanted:
        parts += _started(asked)
    if "generation" in wanted:
        parts += writing.solutions(asked) if asked.gives_code else _hints_for(asked)
    if "explanation" in wanted and (not parts or asked.concepts()):
        parts += explaining.ideas(asked) if asked.concepts() or asked.unknown() else _of_the_task(asked)
    return parts


def _of_the_task(asked: AnalysedRequest) -> list[str]:
    """Return what a message is about that has no word for itself: the program's fault, a function, the next step."""
    if asked.problems:
        return [*diagnosing.diagnosis(asked), *(diagnosing.corrected(asked) if asked.gives_code else [])]
    if asked.named_exactly and re.match(r"what|which|when|where|does|is|how", asked.words):
        return explaining.task(asked, asked.named_exactly[0].title)
    if asked.named_exactly and asked.gives_code:
        return writing.solutions(asked)
    if not asked.words or "?" in asked.request.message or len(asked.words.split()) > 3:
        return _started(asked) if asked.functions else explaining.ideas(asked)
    return explaining.ideas(asked)


def _asks_why_of_a_faulty_program(asked: AnalysedRequest) -> bool:
    """Return whether a `why` is asked while something in the program is visibly wrong: that comes first."""
    said = asked.words
    own = re.search(r"\bmy\b|\b(?:ignored|not accepted|off by)\b", said) and not re.match(r"how (?:do|can|to)\b", said)
    return bool((re.search(r"\bwhy\b|\bhow come\b", said) or own) and asked.problems)


def _started(asked: AnalysedRequest) -> list[str]:
    if asked.problems:
        return [*diagnosing.diagnosis(asked), *(diagnosing.corrected(asked) if asked.gives_code else [])]
    if _only_an_idea(asked):
        return explaining.ideas(asked)
    return writing.start(asked) if asked.gives_code else _hints_for(asked)


def _only_an_idea(asked: AnalysedRequest) -> bool:
    """`I need help with nurseries`: an idea is named, and no function of the task."""
    return bool(asked.concepts(limit=1)) and not asked.named


def _continued(asked: AnalysedRequest) -> list[str]:
    """`yes please`, `go on`: the next function after one was given, else more on what was said."""
    given = " ".join(reply for _, reply in asked.request.history)
    left = [note for note in asked.functions if note.title in asked.missing and f"def {note.title}(" not in given]
    if left and (asked.last_code or not asked.recent):
        note = left[0]
        return [titled(note, f"{note.code}\n\n{note.prose}".strip())] if asked.gives_code else _hints_for(asked)
    if asked.context and (found := asked.concepts(asked.context, limit=1)):
        return [titled(note, note.body if asked.gives_code else note.prose) for note in found]
    return writing.start(asked) if asked.gives_code else _hints_for(asked)


def _hints(asked: AnalysedRequest, wanted: _Wanted) -> list[str]:
    if wanted & {"debugging", "fix"} and (asked.problems or asked.read.error or "fix" not in wanted):
        return diagnosing.diagnosis(asked)
    if "generation" in wanted and not _asks_about_idea(asked):
        return [*_hints_for(asked), "I give hints, no finished code; ask again for the next one."]
    if wanted & {"start", "continue", "fix"}:
        return diagnosing.diagnosis(asked) if asked.problems else _hints_for(asked)
    if "explain_reply" in wanted:
        return explaining.reply_explained(asked)
    if asked.named_exactly and not asked.concepts():
        return _hints_for(asked)
    return explaining.ideas(asked)


def _asks_about_idea(asked: AnalysedRequest) -> bool:
    return bool(not asked.named_exactly and asked.words.startswith("how") and asked.concepts())


def _questions(asked: AnalysedRequest, wanted: _Wanted) -> list[str]:
    parts: list[str] = []
    if wanted & {"debugging", "fix", "start"}:
        parts += [diagnosing.question_about(one) for one in asked.problems[:1]]
        if not parts and (note := diagnosing.reported(asked)):
            parts += [titled(note, note.prose), "Where in your code could that come from?"]
        if parts:
            return parts
    if wanted & {"explanation", "explain_reply"} and not (asked.named_exactly and not asked.concepts()):
        parts += explaining.ideas(asked)[:1]
    question = _next_question(asked)
    return [*parts, question] if question else parts


_MANNERS: dict[Manner, Callable[[AnalysedRequest, _Wanted], list[str]]] = {
    "answers": _answers,
    "hints": _hints,
    "questions": _questions,
}


def _capability(asked: AnalysedRequest, manner: Manner) -> str:
    how = {
        "answers": "I explain, look for mistakes in your code, and write code for the task when you ask.",
        "hints": "I explain, look for mistakes in your code, and give hints step by step. I do not write the solution.",
        "questions": "I explain ideas and ask questions that lead you on. I do not write the solution.",
    }[manner]
    if manner == "answers" and not asked.gives_code:
        how = "I explain and look for mistakes in your code. I do not write the solution."
    return (
        f"{how} I see the task and the code in your editor at the moment you ask. "
        "I answer from notes written for this task, so I know little beyond it, and I cannot run your code."
    )


def _running(asked: AnalysedRequest) -> str:
    missing = f" Not written yet: {', '.join(f'`{name}`' for name in asked.missing)}." if asked.missing else ""
    return (
        "Press **Run**: it runs your file and shows what it prints and any error. The visible examples are tried at "
        "the same time and say what was expected and what came out. To try another call, change the file's last lines. "
        f"When everything is as the task asks, press **Submit task**.{missing}"
    )


def _unwritten(asked: AnalysedRequest) -> list[Note]:
    """Return the functions asked for: those named, else what is unfinished, else all that the notes hold."""
    return asked.named or [note for note in asked.functions if note.title in asked.missing] or asked.functions


def _hints_for(asked: AnalysedRequest) -> list[str]:
    """Return the next hint for the first function asked for; once all are given, the last one again."""
    for note in _unwritten(asked):
        hints = asked.notebook.named("hints", note.title)
        if hints and hints.points:
            at = min(asked.times_asked(note.title), len(hints.points) - 1)
            return [f"**{note.title}** (hint {at + 1} of {len(hints.points)})\n\n{hints.points[at]}"]
    return [titled(note, note.prose) for note in asked.concepts()] or [nothing_found(asked)]


def _next_question(asked: AnalysedRequest) -> str:
    named = [asked.notebook.named("questions", note.title) for note in _unwritten(asked)]
    topics = [note for note in named if note and note.title in asked.words]
    topics += [one.note for one in asked.notebook.search("questions", f"{asked.words} {asked.context}", limit=1)]
    topics += [note for note in named if note]
    for note in topics[:1]:
        if note.points:
            return f"**{note.title}**: {note.points[asked.times_asked(note.title) % len(note.points)]}"
    return ""
