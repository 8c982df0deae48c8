"""What is said of one check: the cause of a failure once, and of two orders of tasks the worse."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study_app.domain.errors import InfrastructureError
from study_app.services.grading.check_verdicts import CheckVerdict, ran_over, result_of, worse


def check(*, visible: bool = True) -> Any:
    return SimpleNamespace(name="adds", visible=visible, source=None)


def run(ended_by: str = "exit", error: str | None = None, line: int | None = None, message: str = "bad") -> Any:
    return SimpleNamespace(ended_by=ended_by, error_type=error, error_line=line, error_message=message)


def shown(verdict: CheckVerdict | None, *, visible: bool = True) -> tuple[bool | None, str, str]:
    found = result_of(check(visible=visible), verdict, "code", frozenset())
    return found.passed, found.message, found.cause


@pytest.mark.parametrize(
    ("result", "message", "cause"),
    [
        (None, "add(1): wrong", ""),
        (run(), "add(1): wrong", ""),
        # A limit is the whole message, and not repeated behind it.
        (run("cpu"), "add(1): wrong", "wrong"),
        (run(error="ValueError"), "add(1): wrong (ValueError: bad)", "ValueError: bad"),
        (run("cpu", error="ValueError"), "add(1): wrong (ValueError: bad)", "ValueError: bad"),
    ],
)
def test_a_failed_example_names_its_call_what_was_wrong_and_the_cause(result, message, cause):
    verdict = CheckVerdict("wrong", case="add(1)", result=result)  # type: ignore[arg-type]
    assert shown(verdict) == (False, message, cause)


def test_an_exception_is_shown_with_its_line():
    verdict = CheckVerdict("wrong", case="add(1)", result=run(error="ValueError", line=7))  # type: ignore[arg-type]
    _, message, cause = shown(verdict)
    assert "ValueError" in cause
    assert "7" in cause
    assert cause in message


def test_of_a_hidden_check_nothing_but_the_result_is_shown():
    failed = CheckVerdict("wrong", case="add(1)", result=run(error="ValueError"))  # type: ignore[arg-type]
    assert shown(failed, visible=False) == (False, "", "")
    assert shown(CheckVerdict(), visible=False) == (True, "", "")
    assert shown(CheckVerdict(open="too busy"), visible=False) == (None, "", "")


def test_a_check_that_could_not_be_judged_says_why_and_one_without_a_verdict_is_our_fault():
    assert shown(CheckVerdict(open="too busy")) == (None, "too busy", "")
    assert shown(CheckVerdict()) == (True, "", "")
    with pytest.raises(InfrastructureError, match="adds"):
        shown(None)


RIGHT, OPEN = CheckVerdict(repeats=1), CheckVerdict(open="busy", repeats=2)
WRONG, UNSURE = CheckVerdict("wrong", repeats=4), CheckVerdict("wrong", open="busy", repeats=8)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (RIGHT, OPEN, OPEN), (OPEN, RIGHT, OPEN), (OPEN, WRONG, WRONG), (WRONG, OPEN, WRONG), (RIGHT, WRONG, WRONG),
        (RIGHT, UNSURE, UNSURE), (UNSURE, WRONG, WRONG), (RIGHT, RIGHT, RIGHT),
    ],
)  # fmt: skip
def test_certainly_wrong_comes_before_not_judged_and_that_before_right(one, other, expected):
    found = worse(one, other)
    assert (found.wrong, found.open) == (expected.wrong, expected.open)
    assert found.repeats == one.repeats + other.repeats
    assert worse(None, other) is other


def test_a_limit_ends_a_call_and_an_exception_does_not():
    assert ran_over(CheckVerdict(result=run("time")))
    assert not ran_over(CheckVerdict(result=run("exit", error="ValueError")))
    assert not ran_over(CheckVerdict())
