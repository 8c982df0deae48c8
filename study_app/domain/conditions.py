"""Conditions over earlier answers, such as `years >= 2 and role in ["dev", "sci"]`: read by a grammar, never run.

    condition  = conjunction { "or" conjunction }
    conjunction = part { "and" part }
    part       = "not" part | "(" condition ")" | "answered" "(" NAME ")" | test
    test       = NAME ("==" | "!=" | "<" | "<=" | ">" | ">=") value
               | NAME "in" "[" value { "," value } "]"
               | value "in" NAME                        (a question with several answers)
    value      = number | "text" | 'text'

A test of a question that has no answer is false, whatever it asks.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<text>"[^"\n]*"|'[^'\n]*')|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<sign>==|!=|<=|>=|<|>|\(|\)|\[|\]|,))"""
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDERED = ("<", "<=", ">", ">=")
_WORDS = frozenset({"and", "or", "not", "in", "answered"})
LONGEST = 500
DEEPEST = 20

Value = int | float | str
Test = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Named:
    """A question that a condition looks at, and a value that its answer is held against."""

    question: str
    value: Value | None = None
    """None where only whether it was answered counts."""
    ordered: bool = False
    """The comparison is by size."""
    holds: bool = False
    """The question is one with several answers."""


class StageCondition:
    """A condition that was read.

    Raises:
        ValueError: the text is not one; the message says where.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.named: list[Named] = []
        if len(text) > LONGEST:
            raise ValueError(f"it is longer than {LONGEST} characters")
        self._tokens = list(_tokens(text))
        self._at = 0
        self._test = self._condition(0)
        if self._at < len(self._tokens):
            raise ValueError(f"{self._tokens[self._at][1]!r} was not expected")

    def __call__(self, answers: Mapping[str, Any]) -> bool:
        """Return whether it holds for these answers, by question; a question without an answer is absent or None."""
        return self._test(answers)

    # -- the grammar ---------------------------------------------------------------------------------------------------

    def _condition(self, depth: int) -> Test:
        parts = [self._conjunction(depth)]
        while self._take("name", "or"):
            parts.append(self._conjunction(depth))
        return lambda answers: any(part(answers) for part in parts)

    def _conjunction(self, depth: int) -> Test:
        parts = [self._part(depth)]
        while self._take("name", "and"):
            parts.append(self._part(depth))
        return lambda answers: all(part(answers) for part in parts)

    def _part(self, depth: int) -> Test:
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        if self._take("name", "not"):
            inner = self._part(depth + 1)
            return lambda answers: not inner(answers)
        if self._take("sign", "("):
            within = self._condition(depth + 1)
            self._need("sign", ")")
            return within
        if self._take("name", "answered"):
            self._need("sign", "(")
            name = self._name()
            self._need("sign", ")")
            self.named.append(Named(name))
            return lambda answers: answers.get(name) is not None
        return self._comparison()

    def _comparison(self) -> Test:
        if self._peek() in ("number", "text"):
            value = self._value()
            self._need("name", "in")
            name = self._name()
            self.named.append(Named(name, value, holds=True))
            return lambda answers: _several(answers.get(name), value)
        name = self._name()
        if self._take("name", "in"):
            return self._among(name)
        sign = self._tokens[self._at][1] if self._at < len(self._tokens) else ""
        if sign not in _COMPARE:
            raise ValueError(f"after '{name}' a comparison was expected ({', '.join(_COMPARE)}, in)")
        self._at += 1
        value = self._value()
        self.named.append(Named(name, value, ordered=sign in _ORDERED))
        return lambda answers: _holds(_COMPARE[sign], answers.get(name), value)

    def _among(self, name: str) -> Test:
        self._need("sign", "[")
        values = [self._value()]
        while self._take("sign", ","):
            values.append(self._value())
        self._need("sign", "]")
        self.named += [Named(name, value) for value in values]
        return lambda answers: any(_holds(operator.eq, answers.get(name), value) for value in values)

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self, kind: str, text: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == (kind, text)
        self._at += found
        return found

    def _need(self, kind: str, text: str) -> None:
        if not self._take(kind, text):
            raise ValueError(f"'{text}' was expected {self._where()}")

    def _name(self) -> str:
        if self._peek() != "name" or self._tokens[self._at][1] in _WORDS:
            raise ValueError(f"a question's id was expected {self._where()}")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _value(self) -> Value:
        kind = self._peek()
        if kind not in ("number", "text"):
            raise ValueError(f"a number or a text in quotation marks was expected {self._where()}")
        text = self._tokens[self._at][1]
        self._at += 1
        if kind == "text":
            return text[1:-1]
        return float(text) if "." in text else int(text)

    def _where(self) -> str:
        return f"before '{self._tokens[self._at][1]}'" if self._at < len(self._tokens) else "at its end"


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    # Spaces are passed over here: a pattern that begins with them tries each run of them from each of its places.
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise ValueError(f"{text[at:].strip()[:20]!r} cannot be read")
        yield found.lastgroup, found.group(found.lastgroup)
        at = found.end()


def _holds(compare: Callable[[Any, Any], bool], answer: Any, value: Value) -> bool:
    numbers = isinstance(answer, int | float) and not isinstance(answer, bool) and isinstance(value, int | float)
    texts = isinstance(answer, str) and isinstance(value, str)
    return (numbers or texts) and compare(answer, value)


def _several(answer: Any, value: Value) -> bool:
    return isinstance(answer, list) and any(type(each) is type(value) and each == value for each in answer)
