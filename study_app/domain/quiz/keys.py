"""The secret half of an item bank: what is right, what it is worth, and the programs that prove it."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from study_app.domain.errors import Problem
from study_app.domain.quiz import short_text
from study_app.domain.quiz.items import CHOICE_KINDS, ContentSection, Identifier, Item, Points, Text
from study_app.domain.quiz.patterns import takes_long

RULES_VERSION = 1
"""Counted up whenever the same key would score the same answer differently."""
ANSWER = "{answer}"
"""Stands in a check's program for the participant's answer."""
CODE = "{code}"
"""Stands in a `run` program for the program that the item shows."""
PROMPT = "{prompt}"
"""Stands in a `run` program for the item's question."""


class Criterion(ContentSection):
    """One line of a rubric for human graders."""

    id: Identifier
    text: Text
    points: Points


class Accept(ContentSection):
    """One kind of short answer that earns points: exactly one of text, number, sequence, regex."""

    text: str | None = None
    """Equal after normalisation."""
    number: float | None = None
    """Equal within `tolerance`."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    units: tuple[str, ...] = ()
    """Words that may follow the number."""
    sequence: tuple[str, ...] | None = None
    """The same tokens in the same order."""
    unordered: bool = False
    """The tokens of `sequence` may come in any order."""
    regex: str | None = None
    """Matches the whole normalised answer."""
    example: str | None = None
    """An answer that matches; needed beside a regex, so that the pattern can be tried."""
    points: Points | None = None
    """What it earns; the item's points where left out."""
    case_sensitive: bool = False

    def matches(self, answer: str) -> bool:
        """Return whether the answer is of this kind."""
        # Before any pattern is tried: the time that a regular expression takes grows with the text.
        if len(answer) > short_text.MAX_ANSWER_CHARS:
            return False
        if self.number is not None:
            found = short_text.number(answer, self.units)
            # With room for rounding: 2.1 - 2.0 is a little more than 0.1 in floating point, and must be within a
            # tolerance of 0.1.
            return found is not None and abs(found - self.number) <= self.tolerance + 1e-9
        if self.sequence is not None:
            wanted = short_text.tokens(" ".join(self.sequence), case_sensitive=self.case_sensitive)
            found_tokens = short_text.tokens(answer, case_sensitive=self.case_sensitive)
            return Counter(wanted) == Counter(found_tokens) if self.unordered else wanted == found_tokens
        plain = short_text.normalise(answer, case_sensitive=self.case_sensitive)
        if self.regex is not None:
            return re.fullmatch(self.regex, plain, 0 if self.case_sensitive else re.IGNORECASE) is not None
        return self.text is not None and plain == short_text.normalise(self.text, case_sensitive=self.case_sensitive)

    def sample(self) -> str:
        """Return an answer of this kind."""
        if self.example is not None:
            return self.example
        if self.number is not None:
            return f"{self.number:g}"
        return self.text if self.text is not None else " ".join(self.sequence or ())


class OutputCheck(ContentSection):
    """A program around the participant's answer, and the output that earns the points."""

    name: Text
    program: Text
    """Holds `{answer}`. On a separate line it takes a block of code, indented as far as the mark is."""
    expected: str
    """Standard output; never part of the program that runs."""
    points: Points
    unordered: bool = False
    """Lines may come in any order."""


class ItemKey(ContentSection):
    """What every key has."""

    run: str | None = None
    """A program whose real output, taken as a response, must earn the item's points.

    `{code}` is the item's program, `{prompt}` its question, `{option.a}` an option's text.
    """
    why: str = ""
    """Why this is right: shown to graders with the answers that they rate, otherwise a note for authors."""


class ChoiceKey(ItemKey):
    """The key of a single choice or a multiple selection."""

    correct: tuple[Identifier, ...]
    wrong_pick_penalty: Points = 0.5
    """Points off for each wrong pick of a multiple selection."""


class TextKey(ItemKey):
    """The key of a short text: patterns scored at once, or a rubric for human graders."""

    accept: tuple[Accept, ...] = ()
    rubric: tuple[Criterion, ...] = ()


class CodeKey(ItemKey):
    """The key of a code answer: programs that try it, or a rubric for human graders."""

    checks: tuple[OutputCheck, ...] = ()
    rubric: tuple[Criterion, ...] = ()
    solution: str = ""
    """An answer that passes every check."""
    wrong: tuple[str, ...] = ()
    """Tempting answers that must not earn all points."""


AnyKey = ChoiceKey | TextKey | CodeKey
KEY_TYPES: dict[str, type[ChoiceKey] | type[TextKey] | type[CodeKey]] = {
    "single_choice": ChoiceKey,
    "multiple_select": ChoiceKey,
    "short_text": TextKey,
    "code": CodeKey,
}


@dataclass(frozen=True)
class Keys:
    """The keys of a bank. Never leaves the server; printing it does not print them."""

    bank: str
    by_item: Mapping[str, AnyKey]
    versions: Mapping[str, str]
    """Item id -> 12 hexadecimal digits that change with anything that changes the score of an answer."""

    def __getitem__(self, item_id: str) -> AnyKey:
        return self.by_item[item_id]

    def __repr__(self) -> str:
        return f"Keys(bank={self.bank!r}, items={len(self.by_item)})"

    @property
    def version(self) -> str:
        """Hash of the whole set."""
        return _digest(dict(sorted(self.versions.items())))


def key_version(item: Item, key: AnyKey) -> str:
    """SHA-256 over scoring rules, key and worth of an item, shortened to 12 digits; reasons and proofs left out."""
    scoring = key.model_dump(mode="json", exclude={"why", "run", "solution", "wrong"})
    options = [option.id for option in item.options]
    return _digest({"rules": RULES_VERSION, "kind": item.kind, "points": item.points, "options": options, **scoring})


def key_problems(item: Item, key: AnyKey, file: str) -> Iterator[Problem]:
    """Yield what is wrong with a key, by itself and against its item."""
    if item.type == "code_reading" and not (key.run or "").strip():
        yield Problem(file, "run", "no program verifies this code_reading item", "add `run`, such as run = '{code}'")
    if isinstance(key, ChoiceKey):
        yield from _choice_problems(item, key, file)
    elif isinstance(key, TextKey):
        yield from _text_problems(item, key, file)
    else:
        yield from _code_problems(item, key, file)


def _choice_problems(item: Item, key: ChoiceKey, file: str) -> Iterator[Problem]:
    known = [option.id for option in item.options]
    for option_id in key.correct:
        if option_id not in known:
            yield Problem(file, "correct", f"there is no option '{option_id}'", f"use one of {', '.join(known)}")
    if len(set(key.correct)) < len(key.correct):
        yield Problem(file, "correct", "an option is there twice", "name it once")
    if item.kind == "single_choice" and len(key.correct) != 1:
        yield Problem(file, "correct", f"found {len(key.correct)} options", "a single choice has exactly one")
    if item.kind == "multiple_select" and not 0 < len(set(key.correct)) < len(known):
        remedy = "a multiple selection needs at least one right and one wrong option"
        yield Problem(file, "correct", f"{len(key.correct)} of {len(known)} options are right", remedy)


def _text_problems(item: Item, key: TextKey, file: str) -> Iterator[Problem]:
    if bool(key.accept) == bool(key.rubric):
        yield _no_single_scorer("accept", bool(key.rubric), file)
    for number, accept in enumerate(key.accept, start=1):
        yield from _accept_problems(item, accept, file, f"accept.{number}")
    if key.accept and max(_worth(item, accept) for accept in key.accept) < item.points:
        yield Problem(file, "accept", "no accepted answer earns all points", "leave `points` out of the best one")
    yield from _rubric_problems(item, key.rubric, file)


def _accept_problems(item: Item, accept: Accept, file: str, where: str) -> Iterator[Problem]:
    given = [name for name in ("text", "number", "sequence", "regex") if getattr(accept, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield Problem(file, where, f"needs exactly one of text, number, sequence, regex, found {found}", "keep one")
        return
    if _worth(item, accept) > item.points:
        yield Problem(file, f"{where}.points", f"is over the item's {item.points:g}", "give at most that")
    if accept.regex is not None:
        try:
            compiled = re.compile(accept.regex)
        except re.error as error:
            yield Problem(file, f"{where}.regex", f"is not a valid regular expression ({error})", "correct the pattern")
            return
        if takes_long(compiled, short_text.MAX_ANSWER_CHARS, whole=True):
            remedy = "write its repetitions so that no two can match the same text"
            yield Problem(file, f"{where}.regex", "can take very long over some answers", remedy)
            return
        if accept.example is None:
            yield Problem(file, f"{where}.example", "is missing", "add an answer that the pattern accepts")
            return
    if not accept.matches(accept.sample()):
        yield Problem(file, f"{where}.example", f"'{accept.sample()}' is not accepted", "correct the one or the other")


def _code_problems(item: Item, key: CodeKey, file: str) -> Iterator[Problem]:
    if bool(key.checks) == bool(key.rubric):
        yield _no_single_scorer("checks", bool(key.rubric), file)
    for number, check in enumerate(key.checks, start=1):
        if ANSWER not in check.program:
            yield Problem(file, f"checks.{number}.program", f"does not hold {ANSWER}", "say where the answer goes")
    if key.checks and not key.solution.strip():
        yield Problem(file, "solution", "is missing", "add an answer that passes every check")
    total = sum(check.points for check in key.checks)
    if key.checks and abs(total - item.points) > 1e-9:
        remedy = "make the checks' points add up"
        yield Problem(file, "checks", f"are worth {total:g} points, the item {item.points:g}", remedy)
    yield from _rubric_problems(item, key.rubric, file)


def _rubric_problems(item: Item, rubric: tuple[Criterion, ...], file: str) -> Iterator[Problem]:
    total = sum(criterion.points for criterion in rubric)
    if rubric and abs(total - item.points) > 1e-9:
        remedy = "make the criteria's points add up"
        yield Problem(file, "rubric", f"is worth {total:g} points, the item {item.points:g}", remedy)
    if len({criterion.id for criterion in rubric}) < len(rubric):
        yield Problem(file, "rubric", "a criterion's id is there twice", "give each a different id")


def _no_single_scorer(key: str, both: bool, file: str) -> Problem:
    what = "is there beside a rubric" if both else "is missing: nothing scores this item"
    return Problem(file, key, what, f"give either `[[{key}]]` or, for human graders, `[[rubric]]`")


def _worth(item: Item, accept: Accept) -> float:
    return item.points if accept.points is None else accept.points


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_choice(item: Item) -> bool:
    """Return whether the item is answered by picking options."""
    return item.kind in CHOICE_KINDS
