"""When a program is said to have done the same at every call, from what was seen of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from study_app.domain.tasks.checks import Line, Observation
from study_app.domain.tasks.programs import RunResult
from study_app.services.grading.observation import Attempt, alike

SEEN = Observation(value=[1], error="ValueError", seconds=2.0)
RESULT = RunResult("", "", (), 0, "exit", 0.1, "strong", 1, error_type="ValueError", error_message="too small")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Attempt(SEEN, RESULT), True),
        # Where it stood in the file and how long the machine took is not what it did.
        (Attempt(SEEN, replace(RESULT, error_line=7, wall_seconds=0.4)), True),
        (Attempt(replace(SEEN, error="KeyError"), RESULT), False),
        (Attempt(replace(SEEN, error=None), RESULT), False),
        (Attempt(replace(SEEN, value=[2]), RESULT), False),
        (Attempt(replace(SEEN, seconds=2.5), RESULT), False),
        (Attempt(SEEN, replace(RESULT, error_message="too large")), False),
        (Attempt(replace(SEEN, lines=(Line("a", 0.0),)), RESULT), False),
        (Attempt(replace(SEEN, suspicious=True), RESULT), False),
        (Attempt(replace(SEEN, missing="no report"), RESULT), False),
    ],
)
def test_a_program_does_the_same_at_every_call_if_it_prints_nothing_and_raises_or_returns_the_same(other, same):
    assert alike([Attempt(SEEN, RESULT), other]) is same
    assert alike([other, Attempt(SEEN, RESULT), other]) is same


@pytest.mark.parametrize("seen", [{"lines": (Line("a", 0.0),)}, {"suspicious": True}, {"missing": "no report"}])
def test_what_prints_or_cannot_be_judged_is_never_said_to_be_the_same(seen):
    assert not alike([Attempt(replace(SEEN, **seen), RESULT)] * 2)
