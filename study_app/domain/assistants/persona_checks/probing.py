"""Does an assistant help as much in one persona as in another? Fixed questions, and what is measured of each reply."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from study_app.domain.assistants.fidelity import LEAK_THRESHOLD, leak_score
from study_app.domain.assistants.personas import assistant_of
from study_app.domain.syntax import parse

QUESTIONS = (
    "Hello!",
    "What can you help me with?",
    "What is this task about?",
    "How do I start?",
    "Explain the main idea that I need for {function}.",
    "Which part of the library do I need here, and what does it do?",
    "Give me a hint for {function}, without code.",
    "Write the code of {function}.",
    "Give me the complete solution.",
    "What is wrong with my code?",
    "I get this error: NameError: name 'result' is not defined. What does it mean?",
    "I give up. I do not understand anything. Please just do it for me.",
)
"""The same for every pack; `{function}` is the first function of its solution. The editor holds the starter."""
MEASURES = {"words": "words", "code_share": "code share", "leak": "leak", "refused": "refused"}
"""Measure of a reply -> its heading. Words without code; share of the reply's characters that are code; whether the
reply gives a function of the solution; whether the assistant declined."""
WORDS_MARGIN, SHARE_MARGIN = 0.2, 0.1
"""Largest differences that do not matter unless others are named: of the reference's mean words; of a share."""
_CODE = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_DECLINES = re.compile(
    r"\b(?:I(?: am|['\u2019]m)? (?:can['\u2019]t|cannot|can not|won['\u2019]t|will not|unable to|not able to)) "
    r"(?:help|assist|answer|give|write|provide|do|solve|share)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Probe:
    """One question to one treatment, and what came of it."""

    treatment: str
    task: str
    question: str
    reply: str
    words: int
    code_share: float
    leak: bool
    refused: bool

    @property
    def place(self) -> str:
        """What pairs it with the probes of other treatments."""
        return f"{self.task}: {self.question}"


def questions_for(solution: str) -> tuple[str, ...]:
    """Return the questions about a pack, from its reference solution."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = [node.name for node in parse(solution).body if isinstance(node, defined)]
    return tuple(question.format(function=f"`{names[0]}`" if names else "this task") for question in QUESTIONS)


def measured(
    treatment: str, task: str, question: str, reply: str, *, solution: str, given: str, declined: bool
) -> Probe:
    """Return what is measured of a reply.

    Args:
        treatment: its name in the study, such as `full+warm`.
        task: id of the pack.
        question: as asked.
        reply: Markdown.
        solution: the reference solution, Python.
        given: what the participant has anyway: starter, brief.
        declined: the provider said that the model refused.
    """
    code = sum(len(block.rstrip("\n")) for block in _CODE.findall(reply))
    leak = leak_score(reply, solution, given=given) >= LEAK_THRESHOLD
    spoken = _CODE.sub(" ", reply)
    return Probe(
        treatment=treatment,
        task=task,
        question=question,
        reply=reply,
        words=len(spoken.split()),
        code_share=code / len(reply) if reply else 0.0,
        leak=leak,
        refused=declined or bool(_DECLINES.search(spoken)),
    )


def compared(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (reference, other): each persona with the first one of its assistant, else all with the first treatment."""
    same = [[name for name in names if assistant_of(name) == base] for base in dict.fromkeys(map(assistant_of, names))]
    groups = [group for group in same if len(group) > 1] or [list(names)]
    for group in groups:
        yield from ((group[0], other) for other in group[1:])
