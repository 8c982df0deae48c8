"""Working on one task: what is done in which order, and how the time is spent on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from study_app.domain.tasks.packs import TaskPack
from study_app.simulation.behaviour.assistant_use import Asking, PlannedQuery
from study_app.simulation.behaviour.profiles import SimulatedPerson
from study_app.simulation.behaviour.program_edits import (
    failing,
    functions_to_write,
    in_own_words,
    mistaken,
    source_of,
    stages_of,
)
from study_app.simulation.behaviour.typing import typed_characters

Deed = Literal["read", "think", "search", "write", "run", "ask", "import", "reload", "submit", "report"]
Ending = Literal["submit", "report", "hack"]
"""How a task ends: handed in, said to be impossible, or handed in as a program that only satisfies the examples."""

READING_SPEED = 18.0
"""Characters of a brief a second."""
LONGEST_HURRY = 0.75
"""Share of the time that typing, asking and running may take at most; beyond it, people type faster."""
_ERRORS = {"own": 1.9, "shared": 0.9, "delegated": 0.35}
"""Mean number of errors met on a task: by oneself, with explanations, with code from an assistant."""
_RELOADS = 0.05


@dataclass(frozen=True)
class Act:
    """One thing done, and how long it takes."""

    deed: Deed
    seconds: float = 0.0
    weight: float = 0.0
    """Share of the time that is left over."""
    text: str = ""
    """write: the program afterwards. import: what is pasted from outside."""
    query: PlannedQuery | None = None


@dataclass
class Recipe:
    """Everything that decides how a task goes."""

    person: SimulatedPerson
    pack: TaskPack
    asking: Asking | None
    """None: no assistant, or it is left alone."""
    outside_help: bool
    """Copies the task into another AI and pastes its answer."""
    gives_up: bool
    rng: Random
    ending: Ending = "submit"
    _document: str = field(default="", init=False)

    def acts(self, seconds: float) -> list[Act]:
        """Return the acts that fill so many seconds; the last is the submission."""
        return timed(self._acts(), seconds)

    def _acts(self) -> list[Act]:
        self._document = self.pack.starter
        final = self.pack.solution if self._delegates else in_own_words(self.pack.solution, self.rng)
        if self.gives_up:
            final = failing(self.pack.starter, self.pack.solution, self.rng)
        if self.ending == "hack":
            final = self.pack.hack
        acts = [Act("read", len(self.pack.brief) / READING_SPEED * 0.3, weight=2.0)]
        acts += self._questions(self.asking.before if self.asking else ())
        if self.outside_help:
            acts += self._from_outside()
        if self.rng.random() < 0.4:
            acts.append(Act("search", self.rng.uniform(8, 40), weight=0.6))
        acts += self._writing(final)
        acts += self._questions(self.asking.after if self.asking else ())
        if self.rng.random() < _RELOADS:
            acts.append(Act("reload", 3.0))
        acts += [*self._write(final), Act("run", 3.0), Act("think", 4.0, weight=0.8)]
        acts.append(Act("report" if self.ending == "report" else "submit"))
        return acts

    @property
    def _delegates(self) -> bool:
        """Whether another person's code comes in before the person's own."""
        return self.outside_help or (self.asking is not None and any(query.adopt for query in self.asking.before))

    def _questions(self, queries: tuple[PlannedQuery, ...]) -> list[Act]:
        found = []
        for query in queries:
            found += [Act("ask", self.rng.uniform(18, 60), weight=0.5, query=query), Act("think", 2.0, weight=0.6)]
        return found

    def _from_outside(self) -> list[Act]:
        names = functions_to_write(self.pack.starter, self.pack.solution)
        code = source_of(self.pack.solution, names) or self.pack.solution
        return [Act("search", self.rng.uniform(40, 120), weight=0.5), Act("import", 3.0, text=code), Act("run", 3.0)]

    def _writing(self, final: str) -> list[Act]:
        """Part by part, with mistakes that a run shows and that are then fixed."""
        parts = stages_of(self.pack.starter, final)
        kind = "delegated" if self._delegates else "shared" if self.asking else "own"
        slips = self._slips(_ERRORS[kind], len(parts))
        if self._delegates:
            parts, slips = parts[-1:], [sum(slips)]
        acts: list[Act] = []
        for part, count in zip(parts, slips, strict=True):
            acts.append(Act("think", 2.0, weight=1.0))
            for _ in range(count):
                acts += self._slip(part)
            acts += [*self._write(part), Act("run", 3.0)]
        return acts

    def _slips(self, mean: float, parts: int) -> list[int]:
        rate = mean * (1.6 if self.person.skill < -0.5 else 0.7 if self.person.skill > 0.7 else 1.0)
        found = [0] * parts
        while rate > 0 and sum(found) < 8 and self.rng.expovariate(1 / rate) > 1.0:
            found[self.rng.randrange(parts)] += 1
            rate *= 0.8
        return found

    def _slip(self, part: str) -> list[Act]:
        wrong = mistaken(part, self.rng)
        if wrong is None:
            return []
        acts = [*self._write(wrong), Act("run", 3.0), Act("think", 4.0, weight=0.7)]
        if self.asking is not None and self.rng.random() < self.asking.on_error:
            acts += self._questions((PlannedQuery("debugging"),))
        return acts

    def _write(self, text: str) -> list[Act]:
        if text == self._document:
            return []
        keys = typed_characters(self._document, text)
        self._document = text
        return [Act("write", keys / self.person.keys_a_second + 0.5, text=text)]


def timed(acts: list[Act], seconds: float) -> list[Act]:
    """Return the acts with times that add up; what takes long anyway is shortened where there is not enough time."""
    fixed = sum(act.seconds for act in acts)
    if fixed > LONGEST_HURRY * seconds:
        factor = LONGEST_HURRY * seconds / fixed
        acts = [replace(act, seconds=act.seconds * factor) for act in acts]
        fixed *= factor
    weights = sum(act.weight for act in acts)
    left = seconds - fixed
    return [replace(act, seconds=act.seconds + left * act.weight / weights) for act in acts]
