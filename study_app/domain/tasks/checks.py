"""What a check of a task is: a call, drawn or fixed, and how what was seen is compared with what was expected.

A pack's `checks.py` is written with `call`, `Check`, `Same` and `uses`. Nothing of it enters the sandbox but the call.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, zip_longest
from random import Random
from typing import Any

from study_app.domain.tasks.sentences import sentence
from study_app.domain.tasks.values import Opaque, decode, same_value, shown

_LINES_AFTER = 5
_LONGEST_LINE = 200


@dataclass(frozen=True)
class Case:
    """One call to make in the participant's program."""

    function: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    prelude: str = ""
    """Source run after the participant's program, in the same names: stand-ins for what the starter provides."""
    beside: tuple[Case, ...] = ()
    """Calls that run at the same time in one nursery; the result is the list of all results."""

    def __str__(self) -> str:
        parts = [*(_literal(value) for value in self.args), *(f"{k}={_literal(v)}" for k, v in self.kwargs.items())]
        return " and ".join([f"{self.function}({', '.join(parts)})", *map(str, self.beside)])

    def as_call(self, nonce: str, runner: str) -> dict[str, Any]:
        """Return the call as a `Program` takes it."""
        return {
            "nonce": nonce,
            "function": self.function,
            "args": list(self.args),
            "kwargs": dict(self.kwargs),
            "prelude": self.prelude,
            "runner": "" if runner == "none" else runner,
        } | self._beside()

    def _beside(self) -> dict[str, Any]:
        others = [{"function": c.function, "args": list(c.args), "kwargs": dict(c.kwargs)} for c in self.beside]
        return {"beside": others} if others else {}


@dataclass(frozen=True)
class Line:
    """A line that was printed during the call."""

    text: str
    seconds: float
    """Since the call started."""


@dataclass(frozen=True)
class Observation:
    """What one call did, unjudged."""

    value: Any = None
    lines: tuple[Line, ...] = ()
    error: str | None = None
    """Class name of the exception that the call let out; of a group: its first leaf."""
    seconds: float | None = None
    """How long the call took; None where it never returned."""
    missing: str | None = None
    """Why there is nothing to judge (stopped by a limit, ended early); None where there is."""
    suspicious: bool = False
    """It blocked the loop, started threads or read a real clock, which a virtual clock cannot time."""
    stalled: float = 0.0
    """Seconds that the event loop of the call stood still at most, in real time."""


class Mismatch(str):
    """What is wrong, beside the two texts to lay side by side: a rule may return it in place of words alone.

    Args:
        words: the sentence.
        expected: lines that were expected.
        seen: lines that came, in the same form.
    """

    expected: str
    seen: str

    def __new__(cls, words: str, expected: str = "", seen: str = "") -> Mismatch:
        """Make the sentence with its two texts."""
        made = super().__new__(cls, words)
        made.expected, made.seen = expected, seen
        return made


Draw = Callable[[Random], Case]
Rule = Callable[[Observation, Observation], str | None]
"""(expected, seen) -> what is wrong, None where nothing is."""


@dataclass(frozen=True)
class Same:
    """Compares each named part of what was seen with what was expected.

    Lines that were expected at the same moment may come in any order where `simultaneous` is "any": Trio wakes tasks
    of equal deadlines in random order by design.
    """

    value: bool = True
    lines: bool = True
    times: bool = True
    error: bool = True
    duration: bool = True
    tolerance: float = 0.15
    """Seconds by which a moment may differ; measured jitter is below 0.03."""
    simultaneous: str = "any"

    def __call__(self, expected: Observation, seen: Observation) -> str | None:
        """Return what is wrong, None where nothing is."""
        if self.error and expected.error != seen.error:
            words = sentence("raised", expected=_raised(expected.error), seen=_raised(seen.error))
            return Mismatch(words, _raised(expected.error), _raised(seen.error))
        if self.lines and (wrong := self._wrong_lines(expected.lines, seen.lines)):
            return Mismatch(wrong, *self._side_by_side(expected.lines, seen.lines))
        if self.value and not same_value(expected.value, seen.value):
            wanted, got = _shown(expected.value), _shown(seen.value)
            return Mismatch(sentence("result", expected=wanted, seen=got), wanted, got)
        if self.duration and self._late(expected.seconds, seen.seconds):
            words = sentence("duration", expected=f"{expected.seconds:.1f}", seen=_seconds(seen.seconds))
            return Mismatch(words, _seconds(expected.seconds), _seconds(seen.seconds))
        return None

    def _side_by_side(self, expected: Sequence[Line], seen: Sequence[Line]) -> tuple[str, str]:
        """Both lists of lines as text, up to the first difference and a few lines more; moments that agree alike."""
        wanted = expected if self.simultaneous != "any" else _in_order_of(expected, seen)
        pairs = list(zip_longest(wanted, seen))
        first = next((at for at, pair in enumerate(pairs) if self._differ(*pair)), 0)
        rows = [
            (self._row(line), self._row(line) if line and got and not self._differ(line, got) else self._row(got))
            for line, got in pairs[: first + _LINES_AFTER]
        ]
        wanted_rows, got_rows = zip(*rows, strict=True) if rows else ((), ())
        return _joined(wanted_rows), _joined(got_rows)

    def _differ(self, line: Line | None, got: Line | None) -> bool:
        if line is None or got is None or line.text != got.text:
            return True
        return self.times and self._late(line.seconds, got.seconds)

    def _row(self, line: Line | None) -> str | None:
        if line is None:
            return None
        return f"{line.seconds:4.1f} s  {line.text[:_LONGEST_LINE]}" if self.times else line.text[:_LONGEST_LINE]

    def _late(self, expected: float | None, seen: float | None) -> bool:
        return expected is not None and (seen is None or abs(expected - seen) > self.tolerance)

    def _wrong_lines(self, expected: Sequence[Line], seen: Sequence[Line]) -> str | None:
        wanted = expected if self.simultaneous != "any" else _in_order_of(expected, seen)
        for index, line in enumerate(wanted):
            if index >= len(seen):
                return self._sentence("no_more_lines", line)
            got = seen[index]
            if got.text != line.text:
                return self._sentence("line", line, seen=repr(got.text))
            if self.times and self._late(line.seconds, got.seconds):
                moments = {"at": f"{line.seconds:.1f}", "seen": f"{got.seconds:.1f}"}
                return sentence("moment", line=repr(line.text), **moments)
        if len(seen) > len(wanted):
            return sentence("extra_line", seen=repr(seen[len(wanted)].text))
        return None

    def _sentence(self, key: str, line: Line, **values: str) -> str:
        """Return a sentence about a line, with its moment where moments count."""
        if not self.times:
            return sentence(key, line=repr(line.text), **values)
        return sentence(f"{key}_at", line=repr(line.text), at=f"{line.seconds:.1f}", **values)


@dataclass(frozen=True)
class Check:
    """One thing that a solution must do.

    Args:
        name: unique in the pack; shown to participants where `visible`.
        case: the call, or a function that draws it from a seeded generator (hidden checks should draw).
        visible: participants see it and its verdict.
        compare: (expected, seen) -> what is wrong or None.
        expect: what is expected, or a function of the case; None asks the reference solution.
        source: instead of a call: `uses(...)`, or a function of the program's syntax tree that says what is wrong or
            None.
        varies: hidden checks only: name of the visible check that shows the same behaviour with other values.
        wrong: hidden checks only: name of the program `wrong/<name>.py` that lacks this behaviour; it has to fail both.
    """

    name: str
    case: Case | Draw | None = None
    visible: bool = False
    compare: Rule = Same()
    expect: Observation | Callable[[Case], Observation] | None = None
    source: Callable[[ast.Module], str | None] | Uses | None = None
    varies: str = ""
    wrong: str = ""

    def drawn(self, run_seed: int) -> Case | None:
        """Return the case of one grading: the same seed gives the same case."""
        if self.case is None or isinstance(self.case, Case):
            return self.case
        # A separate generator for each check: one that is added or dropped changes no other's draw.
        return self.case(Random(f"{run_seed}:{self.name}"))

    @property
    def timed(self) -> bool:
        """Whether its verdict may rest on when something happened."""
        if not isinstance(self.compare, Same):
            return self.source is None
        return self.source is None and (self.compare.duration or (self.compare.lines and self.compare.times))

    @property
    def tolerance(self) -> float:
        """Seconds by which a moment may differ."""
        return self.compare.tolerance if isinstance(self.compare, Same) else Same.tolerance

    def stated(self, case: Case) -> Observation | None:
        """Return what the author says is expected, None where the reference solution says it."""
        return self.expect(case) if callable(self.expect) else self.expect


def call(function: str, *args: Any, prelude: str = "", **kwargs: Any) -> Case:
    """Short for a `Case`; arguments must be JSON. `name("x")` as an argument passes what the prelude calls x."""
    return Case(function, args, kwargs, prelude)


def side_by_side(first: Case, *others: Case) -> Case:
    """Calls that run at the same time in one nursery: one that blocks delays the others. Preludes are joined."""
    prelude = "\n".join(case.prelude for case in (first, *others) if case.prelude)
    return replace(first, prelude=prelude, beside=others)


def name(of: str) -> dict[str, str]:
    """Return an argument that stands for an object which the prelude (or the participant's program) defines."""
    return {"$name": of}


@dataclass(frozen=True)
class Uses:
    """A source check that is met by calls: while the graded calls ran, the program called each of the names.

    A class is called when it, or a class derived from it, is instantiated. `open_nursery` also asks that a task was
    started in a nursery: one that stays empty makes nothing concurrent.
    """

    names: tuple[str, ...]
    why: str = ""

    def judge(self, called: Collection[str]) -> str | None:
        """Return what is wrong, None where nothing is, given the names that were called."""
        absent = [name for name in self.names if name not in called]
        if not absent:
            return None
        names = ", ".join(absent)
        return sentence("not_used_why", names=names, why=self.why) if self.why else sentence("not_used", names=names)


def uses(*names: str, why: str = "") -> Uses:
    """Return a source check: the program calls each of the names while its graded calls run; a mention does not count."""
    return Uses(names, why)


def _in_order_of(expected: Sequence[Line], seen: Sequence[Line]) -> list[Line]:
    """Return the expected lines, those of one moment arranged as they were seen."""
    arranged: list[Line] = []
    for _, group in groupby(expected, key=lambda line: round(line.seconds, 3)):
        waiting = list(group)
        for got in seen[len(arranged) : len(arranged) + len(waiting)]:
            match = next((line for line in waiting if line.text == got.text), None)
            if match is None:
                break
            waiting.remove(match)
            arranged.append(match)
        arranged += waiting
    return arranged


def _joined(rows: Sequence[str | None]) -> str:
    return "\n".join(row for row in rows if row is not None)


def _literal(value: Any) -> str:
    return value["$name"] if isinstance(value, dict) and set(value) == {"$name"} else repr(value)


def _shown(value: Any) -> str:
    return shown(value, 200)


def _raised(error: str | None) -> str:
    return error or sentence("no_exception")


def _seconds(value: float | None) -> str:
    return sentence("for_ever") if value is None else sentence("seconds", n=f"{value:.1f}")


__all__ = [
    "Case", "Check", "Line", "Observation", "Opaque", "Same", "Uses", "call", "decode", "name", "same_value",
    "side_by_side", "uses",
]  # fmt: skip
