"""What becomes of hostile input: a value, or one of the errors that may be raised, which has a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def outcome(call: Callable[[], Value], *errors: type[Exception]) -> tuple[Value | None, str]:
    """The value and no words, or no value and the words of the error; any other error is the test's failure."""
    try:
        return call(), ""
    except errors as error:
        said = str(error)
    assert said
    return None, said
