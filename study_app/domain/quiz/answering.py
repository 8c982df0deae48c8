"""From what stands in a form's field to the answer that is kept. Pure; messages are codes, put into words by the page.

What stands in a field is a text for text, number and code, an option's value for a choice, a number for a scale, and a
list of values for a multiple choice; None, blank text and an empty list are not answers.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from study_app.domain.quiz.items import Item
from study_app.domain.quiz.scoring import MAX_RESPONSE_CHARS, response_problem
from study_app.domain.study.sections import Question

LONGEST_TEXT = 10_000
"""Characters of an answer to an open question."""
LARGEST = sys.float_info.max
"""Of a number; beyond it lies none that a column could hold."""
_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+")
"""`1,000` is a thousand to some and one to others: it is asked again."""
_POINTED = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
"""So is `1.000` where a whole number is asked: a thousand in German. Handed in at a deadline it counts as 1."""


@dataclass(frozen=True)
class AnswerFault:
    """Why what stands in a field cannot be handed in."""

    code: str
    """A key of the texts' table `form`, without its beginning `fault_`."""
    values: Mapping[str, Any] = field(default_factory=dict)


class Unanswerable(Exception):
    """What stands in a field is not an answer to its question."""

    def __init__(self, code: str, **values: Any) -> None:
        self.fault = AnswerFault(code, values)
        super().__init__(f"{code} {values}" if values else code)


def is_blank(shown: Any) -> bool:
    """Return whether a field holds no answer."""
    return shown is None or shown in ([], {}) or (isinstance(shown, str) and not shown.strip())


def answer_to(question: Question, shown: Any) -> Any:
    """Return the answer that a field of a survey holds; None where it holds none.

    Raises:
        Unanswerable: it holds something else.
    """
    if is_blank(shown):
        return None
    if question.kind == "multiple":
        return _picks([option.value for option in question.options], shown)
    if question.kind == "matrix":
        return _rows(question, shown)
    if question.kind == "ranking":
        return _places([option.value for option in question.options], shown)
    if question.kind == "choice":
        if not any(same_value(shown, option.value) for option in question.options):
            raise Unanswerable("no_option")
        return shown
    if question.kind in ("scale", "slider"):
        return _in_range(question, shown if _is_number(shown) and shown == int(shown) else _none("no_option"))
    if question.kind == "number":
        return _in_range(question, _whole_where_asked(question, number_in(shown, question.unit)))
    if not isinstance(shown, str) or len(shown) > LONGEST_TEXT:
        raise Unanswerable("too_long", limit=LONGEST_TEXT)
    return shown.strip()


def fault_of(question: Question, shown: Any) -> AnswerFault | None:
    """Return why a survey cannot be handed in with this, or None where it can."""
    if question.whole and isinstance(shown, str) and _POINTED.fullmatch(_plain(shown, question.unit)):
        return AnswerFault("two_readings")
    try:
        answer = answer_to(question, shown)
    except Unanswerable as problem:
        return problem.fault
    return AnswerFault("required") if answer is None and question.required else None


def response_to(item: Item, shown: Any) -> Any:
    """Return the response that a field of a quiz holds; None where it holds none.

    Raises:
        Unanswerable: it holds something else.
    """
    if is_blank(shown):
        return None
    problem = response_problem(item, shown)
    if problem is not None:
        long = isinstance(shown, str) and len(shown) > MAX_RESPONSE_CHARS
        raise Unanswerable("too_long", limit=MAX_RESPONSE_CHARS) if long else Unanswerable("no_option")
    if item.kind == "multiple_select":
        return [option.id for option in item.options if option.id in shown]
    return shown


def number_in(shown: Any, unit: str = "") -> float | int:
    """Return the number that a text shows; a decimal comma and the unit after it are understood.

    Raises:
        Unanswerable: it shows none, or one that could be read in two ways.
    """
    if _is_number(shown):
        return shown  # type: ignore[no-any-return]
    if not isinstance(shown, str):
        raise Unanswerable("no_number")
    plain = _plain(shown, unit)
    if _GROUPED.fullmatch(plain):
        raise Unanswerable("two_readings")
    if not _NUMBER.fullmatch(plain):
        raise Unanswerable("no_number")
    value = float(plain.replace(",", "."))
    if not math.isfinite(value):
        raise Unanswerable("no_number")
    return int(value) if value == int(value) else value


def _plain(shown: str, unit: str) -> str:
    """Return what a text shows of a number, without its unit."""
    # Compatibility forms, such as full-width digits, become plain ones; the minus sign of typesetting is not among
    # them.
    plain = unicodedata.normalize("NFKC", shown).replace("\u2212", "-").strip()
    return plain[: -len(unit)].rstrip() if unit and plain.casefold().endswith(unit.casefold()) else plain


def same_value(a: Any, b: Any) -> bool:
    """Equality that tells `1` from `True` and from "1"."""
    return type(a) is type(b) and a == b


def _picks(options: list[Any], shown: Any) -> list[Any]:
    picks = shown if isinstance(shown, list) else _none("no_option")
    if not all(any(same_value(pick, option) for option in options) for pick in picks):
        raise Unanswerable("no_option")
    return [option for option in options if any(same_value(pick, option) for pick in picks)]


def _rows(question: Question, shown: Any) -> dict[str, Any]:
    """Row -> option, in the question's order; each row has one where the question is required."""
    given = shown if isinstance(shown, dict) else _none("no_option")
    known = {row.id for row in question.rows}
    options = [option.value for option in question.options]
    if not given.keys() <= known or not all(any(same_value(v, o) for o in options) for v in given.values()):
        raise Unanswerable("no_option")
    if question.required and given.keys() != known:
        raise Unanswerable("rows")
    return {name: given[name] for name in sorted(known) if name in given}


def _places(options: list[Any], shown: Any) -> list[Any]:
    """Return every option once, in the order given."""
    order = shown if isinstance(shown, list) else _none("no_option")
    if not all(any(same_value(pick, option) for option in options) for pick in order):
        raise Unanswerable("no_option")
    if len(order) != len(options) or len({repr(pick) for pick in order}) != len(options):
        raise Unanswerable("places")
    return order


def _whole_where_asked(question: Question, value: float | int) -> float | int:
    if question.whole and value != int(value):
        raise Unanswerable("whole")
    return value


def _in_range(question: Question, value: Any) -> Any:
    low, high = question.low, question.high
    if low is not None and high is not None and not low <= value <= high:
        raise Unanswerable("range", low=low, high=high)
    if low is not None and value < low:
        raise Unanswerable("low", low=low)
    if high is not None and value > high:
        raise Unanswerable("high", high=high)
    return value


def _is_number(value: Any) -> bool:
    # By comparing: a whole number may be beyond every float.
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def _none(code: str) -> Any:
    raise Unanswerable(code)
