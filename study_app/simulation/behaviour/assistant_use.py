"""Using an assistant: which questions a style of use leads to, and in which words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from study_app.simulation.behaviour.profiles import Style

Purpose = Literal["generation", "explanation", "both", "debugging", "capability", "appreciation", "idea"]

_WORDS: dict[Purpose, tuple[str, ...]] = {
    "generation": (
        "Write the code for {functions}.",
        "Please implement {functions} for this task",
        "can you write {functions} for me",
        "Complete {functions} in my file.",
        "give me the full solution for {functions}",
    ),
    "explanation": (
        "How do {concept} work in this library?",
        "What does {concept} mean here? I have never used it.",
        "Can you explain {concept} with a small example?",
        "What is the difference between {concept} and an ordinary call?",
        "when do I need {concept}?",
    ),
    "both": (
        "Write {functions} and explain how it works.",
        "Please implement {functions} and explain each line, so that I can learn it",
    ),
    "debugging": (
        "I get an error when I run this: {error}. What is wrong?",
        "My code does not work, can you find the mistake?",
        "why does it say {error}",
        "It still fails with {error}, please fix it",
    ),
    "capability": ("Can you see my code?", "What can you do?"),
    "appreciation": ("thanks", "Thank you, that works now"),
    "idea": (
        "{first} I would look at every {one} and keep what I need, {then} I go on to the {two} and put the parts "
        "together, {why} the {three} needs both of them.",
    ),
}
_CONNECTORS = {
    "en": ("First", "then", "because"),
    "de": ("Zuerst", "dann", "weil"),
    "es": ("Primero", "luego", "porque"),
    "fr": ("D'abord", "puis", "parce que"),
}
_LONG_WORD = re.compile(r"[^\W\d_]{6,}")
_RARELY = 0.08


@dataclass(frozen=True)
class PlannedQuery:
    """One message to come."""

    purpose: Purpose
    adopt: bool = False
    """Take code over from the reply."""


@dataclass(frozen=True)
class Asking:
    """What a participant asks on one task, by the moment."""

    before: tuple[PlannedQuery, ...] = ()
    """Before writing."""
    after: tuple[PlannedQuery, ...] = ()
    """Once code is there."""
    on_error: float = 0.0
    """Chance to ask about an error that a run shows."""


def plan(style: Style, task: int, rng: Random) -> Asking:
    """Return the queries of a style on a task.

    Args:
        style: how the person uses assistants.
        task: 0 for the first main task.
        rng: the person's.
    """
    write, ask = PlannedQuery("generation", adopt=True), PlannedQuery("explanation")
    extra = (PlannedQuery("capability"),) if task == 0 and rng.random() < _RARELY else ()
    thanks = (PlannedQuery("appreciation"),) if rng.random() < _RARELY else ()
    if style == "delegation":
        return Asking((*extra, write), thanks)
    if style == "progressive":
        return Asking((*extra, ask) if task == 0 and rng.random() < 0.6 else (*extra, ask, write), thanks, 0.3)
    if style == "iterative":
        return Asking((*extra, write), (PlannedQuery("debugging"),) * rng.randint(1, 5), 0.9)
    if style == "conceptual":
        return Asking((*extra, *(ask,) * rng.randint(1, 3)), (ask,) * rng.randint(0, 1) + thanks, 0.15)
    if style == "hybrid":
        return Asking((*extra, PlannedQuery("both", adopt=True)), thanks, 0.3)
    return Asking((*extra, write), (*(ask,) * rng.randint(1, 3), *thanks), 0.2)


def explaining_first(asking: Asking) -> Asking:
    """Return the queries to an assistant with an explain-first gate: the idea follows the first, which comes again."""
    if not asking.before:
        return asking
    return replace(asking, before=(asking.before[0], PlannedQuery("idea"), *asking.before))


def idea(brief: str, language: str, rng: Random) -> str:
    """Return a message that explains an idea of a task in terms of its brief."""
    terms = sorted({word.casefold() for word in _LONG_WORD.findall(brief)}) or ["program"]
    first, then, why = _CONNECTORS.get(language, _CONNECTORS["en"])
    one, two, three = (rng.sample(terms, 3) if len(terms) >= 3 else terms * 3)[:3]
    (text,) = _WORDS["idea"]
    return text.format(first=first, then=then, why=why, one=one, two=two, three=three)


def words(query: PlannedQuery, names: Sequence[str], concepts: Sequence[str], error: str | None, rng: Random) -> str:
    """Return a message.

    Args:
        query: what for.
        names: functions that the task asks for.
        concepts: what the task is about.
        error: what the last run showed.
        rng: the person's.
    """
    functions = ", ".join(f"`{name}`" for name in names) or "the task"
    concept = rng.choice(list(concepts) or ["this"]).replace("_", " ")
    text = rng.choice(_WORDS[query.purpose])
    return text.format(functions=functions, concept=concept, error=error or "nothing at all")
