"""Puts an answer together from a pack's notes: in full, as hints, or as questions. Nothing in it is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from study_app.assistant.inspection import Finding, findings, unfinished
from study_app.assistant.intents import asks_for_next_step, intents, names_an_error
from study_app.assistant.notebook import Note, Notebook, words
from study_app.domain.assistants import AssistantRequest, Manner

_SHARE_OF_BEST = 0.6
"""A second concept is explained too where it answers at least so well, relative to the first."""


@dataclass(frozen=True)
class _Asked:
    """A request, and what the notes and the code say about it."""

    request: AssistantRequest
    notebook: Notebook
    gives_code: bool

    @property
    def message(self) -> str:
        return self.request.message

    @property
    def query(self) -> str:
        """The message, with the one before it where it says too little by itself (`why?`, `and the second?`)."""
        if len(words(self.message)) <= 2 and self.request.history:
            return f"{self.message} {self.request.history[-1][0]}"
        return self.message

    def concepts(self) -> list[Note]:
        """The concept that answers best, and the second where it is nearly as good."""
        found = self.notebook.search("concepts", self.query, limit=2)
        return [one.note for one in found if one.score >= _SHARE_OF_BEST * found[0].score]

    def functions(self) -> list[Note]:
        """The functions asked for: those named, else what is unfinished, else all that the notes hold."""
        notes = self.notebook.of_kind("code")
        named = [note for note in notes if note.title in self.query]
        missing = unfinished(self.request.code, [note.title for note in notes])
        return named or [note for note in notes if note.title in missing] or notes

    def problems(self) -> list[Finding]:
        return findings(self.request.code, self.notebook.of_kind("errors"))

    def reported(self) -> Note | None:
        """The error note for what the message quotes, where it quotes anything."""
        quoted = names_an_error(self.message) or not self.problems()
        found = self.notebook.search("errors", self.message, limit=1) if quoted else []
        return found[0].note if found else None

    def wants_next_step(self) -> bool:
        """Whether the question is how to go on: said so, or about nothing but a function of the task."""
        about_function = any(note.title in self.message for note in self.notebook.of_kind("code"))
        return asks_for_next_step(self.message) or (about_function and not self.concepts())

    def times_asked(self, topic: str) -> int:
        """How often the conversation has come to that topic before."""
        return sum(f"**{topic}**" in reply for _, reply in self.request.history)


def answer(request: AssistantRequest, notebook: Notebook, *, manner: Manner, gives_code: bool) -> str:
    """The reply, Markdown; the same for the same request, notes and treatment."""
    asked = _Asked(request, notebook, gives_code)
    wanted = intents(request.message, request.brief)
    if "capability" in wanted:
        return _capability(asked, manner)
    if "appreciation" in wanted:
        return "Good. Run your code to be sure, and ask on whenever something is unclear."
    return _MANNERS[manner](asked, wanted)


def _answers(asked: _Asked, wanted: frozenset[str]) -> str:
    parts = []
    if "debugging" in wanted and (asked.problems() or not asked.wants_next_step()):
        parts += _diagnosis(asked)
    if "generation" in wanted:
        parts += _solutions(asked) if asked.gives_code else _hints_for(asked)
    if not parts and asked.wants_next_step():
        parts += _hints_for(asked)
    elif "explanation" in wanted or not parts:
        parts += _explanations(asked, with_code=asked.gives_code)
    return "\n\n".join(dict.fromkeys(parts))


def _hints(asked: _Asked, wanted: frozenset[str]) -> str:
    if "debugging" in wanted and (asked.problems() or not asked.wants_next_step()):
        return "\n\n".join(_diagnosis(asked))
    if "generation" in wanted:
        return "\n\n".join([*_hints_for(asked), "I give hints, no finished code; ask again for the next one."])
    if asked.wants_next_step():
        return "\n\n".join(_hints_for(asked))
    return "\n\n".join(_explanations(asked, with_code=False))


def _questions(asked: _Asked, wanted: frozenset[str]) -> str:
    parts = []
    if "debugging" in wanted:
        parts += [_question_about(one) for one in asked.problems()[:1]]
        if not parts and (note := asked.reported()):
            parts += [f"**{note.title}**: {note.prose}", "Where in your code could that come from?"]
    if "explanation" in wanted and not asked.wants_next_step():
        parts += _explanations(asked, with_code=False)[:1]
    if question := _next_question(asked):
        parts.append(question)
    return "\n\n".join(parts) or _nothing_found(asked)


_MANNERS: dict[Manner, Callable[[_Asked, frozenset[str]], str]] = {
    "answers": _answers,
    "hints": _hints,
    "questions": _questions,
}


def _capability(asked: _Asked, manner: Manner) -> str:
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


def _explanations(asked: _Asked, *, with_code: bool) -> list[str]:
    concepts = asked.concepts()
    if not concepts:
        return [_nothing_found(asked)]
    return [f"**{note.title}**\n\n{note.body if with_code else note.prose}" for note in concepts]


def _solutions(asked: _Asked) -> list[str]:
    notes = asked.functions()
    if not notes:
        return [_nothing_found(asked)]
    return [f"**{note.title}**\n\n{note.code}\n\n{note.prose}".strip() for note in notes]


def _hints_for(asked: _Asked) -> list[str]:
    """The next hint for the first function asked for; once all are given, the last one again."""
    for note in asked.functions():
        hints = asked.notebook.named("hints", note.title)
        if hints and hints.points:
            at = min(asked.times_asked(note.title), len(hints.points) - 1)
            return [f"**{note.title}** (hint {at + 1} of {len(hints.points)})\n\n{hints.points[at]}"]
    return _explanations(asked, with_code=False)


def _next_question(asked: _Asked) -> str:
    named = [asked.notebook.named("questions", note.title) for note in asked.functions()]
    topics = [note for note in named if note and note.title in asked.query]
    topics += [one.note for one in asked.notebook.search("questions", asked.query, limit=1)]
    topics += [note for note in named if note]
    for note in topics[:1]:
        if note.points:
            return f"**{note.title}**: {note.points[asked.times_asked(note.title) % len(note.points)]}"
    return ""


def _diagnosis(asked: _Asked) -> list[str]:
    """What is wrong in the code, else what the quoted error means, else that the notes know of nothing."""
    problems = asked.problems()
    parts = [_told(problem) for problem in problems]
    reported = asked.reported()
    if reported and reported not in [problem.note for problem in problems]:
        parts.append(f"**{reported.title}**\n\n{reported.prose}")
    if asked.gives_code:
        parts += _corrected(asked, problems)
    return parts or [_no_fault(asked)]


def _told(problem: Finding) -> str:
    if problem.note is None:
        return problem.what
    return f"{problem.what} **{problem.note.title}**\n\n{problem.note.prose}"


def _corrected(asked: _Asked, problems: list[Finding]) -> list[str]:
    broken = dict.fromkeys(problem.function for problem in problems)
    notes = [note for name in broken if (note := asked.notebook.named("code", name))]
    return [f"`{note.title}` can be written like this:\n\n{note.code}" for note in notes]


def _question_about(problem: Finding) -> str:
    where = f"Look at line {problem.line} again."
    if problem.note is None:
        return f"{where} {problem.what} What would Python need there?"
    return (
        f"{where} It has to do with: {problem.note.title}. What does that line do when it runs, and what should it do?"
    )


def _no_fault(asked: _Asked) -> str:
    missing = unfinished(asked.request.code, [note.title for note in asked.notebook.of_kind("code")])
    if missing:
        return f"I see no mistake in what is there. Not written yet: {', '.join(f'`{name}`' for name in missing)}."
    return (
        "I see no mistake that my notes know of. Run the code and send me the message it ends with, "
        "or tell me what you expected and what came out."
    )


def _nothing_found(asked: _Asked) -> str:
    titles = ", ".join(note.title for note in asked.notebook.of_kind("concepts"))
    if not titles:
        return "My notes have nothing on that, and I answer from notes only."
    return f"My notes have nothing on that. They cover: {titles}."
