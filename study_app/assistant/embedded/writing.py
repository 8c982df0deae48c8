"""Answers that hold code: the function asked for, one whole file, the participant's program repaired."""

from __future__ import annotations

import re

from study_app.assistant.embedded.asked import AnalysedRequest, nothing_found, titled
from study_app.assistant.embedded.diagnosing import described
from study_app.assistant.embedded.lines import MOST, explained
from study_app.assistant.embedded.programs import unfenced, with_functions
from study_app.assistant.embedded.repair import repaired
from study_app.assistant.intents import pasted, wants_whole
from study_app.assistant.notebook import Note

_ABOUT_TASK = re.compile(
    r"\b(?:it|this|that|task|exercise|assignment|problem|rest|everything|all|next|missing|unfinished|todo|main|file|them"
    r"|instructions?|bits|body|remaining|one|scaffolding|for me|functions|task ?[0-9]|solution|answer|homework"
    r"|code|program)\b"
)
"""Words that mean the task, whatever else is said."""
_A_NEW_THING = re.compile(
    r"\b(?:code|function|program|script|something) (?:that|to|which|for) (?!this\b|the\b|it\b|me\b|my\b)"
    r"|\b(?:an?|some) (?!code\b|solution\b|function\b|program\b|hint\b|bit\b|working\b|full\b)[a-z]"
)
_HOW = re.compile(r"^(?:so |and |but |ok |now )*(?:how|what)\b")
_EXAMPLE = re.compile(r"\bexamples?\b")


def fenced(code: str) -> str:
    """Return a Python block."""
    return f"```python\n{code.strip(chr(10))}\n```"


def solutions(asked: AnalysedRequest) -> list[str]:
    """Return the code that was asked for."""
    if not asked.functions:
        return [nothing_found(asked)] if not asked.concepts() else _concepts_with_code(asked)
    if _about_an_idea(asked):
        return _concepts_with_code(asked)
    if not _about_the_task(asked):
        return [nothing_found(asked)]
    if asked.named and not (wants_whole(asked.read) and not asked.named_exactly):
        return _of_functions(asked.named)
    return _unnamed(asked)


def _about_an_idea(asked: AnalysedRequest) -> bool:
    """`how do I make a nursery`, `an example of a nursery`: an idea of the library, not a part of the task."""
    if asked.named_exactly or pasted(asked.read.text, asked.request.brief):
        return False
    as_question = _HOW.search(asked.words) or _EXAMPLE.search(asked.words)
    return bool(as_question and asked.concepts())


def _about_the_task(asked: AnalysedRequest) -> bool:
    """Return whether code of the task can be meant, and not another program (`write a quicksort`)."""
    if asked.named or pasted(asked.read.text, asked.request.brief) or asked.read.code:
        return True
    if not asked.unknown():
        return True
    return not _A_NEW_THING.search(asked.words) and bool(_ABOUT_TASK.search(asked.words))


def _concepts_with_code(asked: AnalysedRequest) -> list[str]:
    return [titled(note, note.body) for note in asked.concepts()]


def _unnamed(asked: AnalysedRequest) -> list[str]:
    missing = [note for note in asked.functions if note.title in asked.missing]
    if len(missing) == 1 and not wants_whole(asked.read):
        return _of_functions(missing)
    if re.search(r"\bnext (?:one|function|part|task|step)?\b", asked.words) and missing:
        return _of_functions(missing[:1])
    return whole(asked)


def _of_functions(notes: list[Note]) -> list[str]:
    """Those functions and nothing else, in one block."""
    if len(notes) == 1:
        return [f"**{notes[0].title}**\n\n{notes[0].code}\n\n{notes[0].prose}".strip()]
    block = fenced("\n\n\n".join(unfenced(note.code) for note in notes))
    return [block, *(titled(note, note.prose) for note in notes if note.prose)]


def whole(asked: AnalysedRequest) -> list[str]:
    """Return one file that runs: the participant's, with every function of the task written."""
    versions = {note.title: unfenced(note.code) for note in asked.functions}
    program = with_functions(asked.request.code, versions, asked.request.starter)
    names = ", ".join(f"`{name}`" for name in versions)
    return [
        f"This is the whole file, with {names} written:\n\n{fenced(program)}",
        *(f"**{note.title}**: {note.prose}" for note in asked.functions if note.prose),
    ]


def fixed(asked: AnalysedRequest) -> list[str]:
    """Return the participant's program repaired once, after what was wrong with it."""
    if not asked.functions and not asked.problems:
        return ["I see no mistake that my notes know of. Run the code and send me the message it ends with."]
    program, found, taken = repaired(asked.code, asked.notebook, asked.request.starter)
    parts = [described(one) for one in found]
    names = ", ".join(f"`{name}`" for name in taken)
    if not found:
        written = [name for name in taken if name in asked.missing]
        parts = [
            f"Not written yet: {names}; I have written it." if written else "I see no mistake that my notes know of."
        ]
    if not found and not taken:
        return ["I see no mistake that my notes know of, and every function is written as in my notes."]
    with_names = f", with {names} as in my notes" if taken else ""
    parts.append(f"Your program, corrected{with_names}:\n\n{fenced(program)}")
    left = [name for name in asked.missing if name not in taken and name in program]
    if left and found:
        parts.append(f"Not written yet: {', '.join(f'`{name}`' for name in left)}.")
    return parts


def start(asked: AnalysedRequest) -> list[str]:
    """Return a first step with its code, and what comes after it."""
    left = [note for note in asked.functions if note.title in asked.missing]
    chosen = [note for note in asked.named if note in left or note.title in asked.words] or left
    if not chosen:
        if asked.functions:
            return ["Every function is written. Press **Run**, and compare with the visible examples; then submit."]
        return []
    first, later = chosen[0], [note.title for note in left if note is not chosen[0]]
    begin = f"{'Start' if len(left) == len(asked.functions) else 'Go on'} with `{first.title}`."
    parts = [begin, titled(first, f"{first.code}\n\n{first.prose}".strip())]
    if later:
        parts.append(
            f"After that: {', '.join(f'`{name}`' for name in later)}. Press **Run** in between to see what you have."
        )
    return parts


def line_by_line(code: str, *, quoted: bool, only: set[int] | None = None) -> str:
    """Describe each line.

    Args:
        code: Python.
        quoted: Whether the lines are shown beside their words.
        only: These lines; None: all.
    """
    lines = [one for one in explained(code) if only is None or one.line in only]
    if quoted:
        points = [f"- `{one.source}` {one.what}" for one in lines[:MOST]]
    else:
        points = [f"- Line {one.line} {one.what}" for one in lines[:MOST]]
    if len(lines) > MOST:
        points.append(f"- The other {len(lines) - MOST} lines: ask about them by their number.")
    return "\n".join(points)
