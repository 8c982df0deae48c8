"""What is seen of the calls of a program, and when it is said to have done the same at each."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from study_app.domain.tasks.checks import Line, Observation
from study_app.domain.tasks.programs import RunLimits, RunResult
from study_app.services.grading.observation import Attempt, alike, observe_series

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


class Reporting:
    """A sandbox in which every series of calls is reported so."""

    def __init__(self, *calls, **result) -> None:
        self.result = replace(RESULT, error_type=None, error_message=None, **result)
        self.calls = [{"nonce": "", **each} for each in calls]

    def run(self, program):
        reported = {"nonce": program.call["nonce"], "series": self.calls}
        return replace(self.result, observation={"reported": reported} | (self.result.observation or {}))


def made(*calls, **result):
    """Return what is seen of two calls that a sandbox reports."""
    pack = SimpleNamespace(settings=SimpleNamespace(runner="plain"), limits=RunLimits(), packages=())
    case = SimpleNamespace(as_call=lambda nonce, runner: {"nonce": nonce})
    return observe_series(Reporting(*calls, **result), pack, "", [(case, 1), (case, 2)])


def test_each_call_of_a_series_has_its_own_error_or_none():
    raised = {"error": "ValueError", "raised": {"type": "ValueError", "message": "too small", "line": 3}}
    first, second = made(raised, {"value": None}).made
    assert (first.seen.error, first.result.error_type) == ("ValueError", "ValueError")
    assert (first.result.error_message, first.result.error_line) == ("too small", 3)
    assert (second.seen.error, second.result.error_type, second.result.error_line) == (None, None, None)


@pytest.mark.parametrize(
    ("call", "suspicious"),
    [
        ({}, False),
        ({"longest_step": 0.25}, False),
        ({"longest_step": 0.26}, True),
        ({"blocked_seconds": 0.01}, True),
        ({"threads": 1}, True),
        ({"clock_reads": 1}, True),
    ],
)
def test_what_a_virtual_clock_cannot_time_is_decided_in_real_time(call, suspicious):
    assert made(call).made[0].seen.suspicious is suspicious


@pytest.mark.parametrize(
    ("result", "count", "stuck"),
    [
        # Of four seconds the second call took three and a bit: it would have met the limit alone, too.
        ({"ended_by": "cpu", "wall_seconds": 4.0, "observation": {"begun": [0.1, 0.8]}}, 1, 1),
        ({"ended_by": "cpu", "wall_seconds": 4.0, "observation": {"begun": [0.1, 0.81]}}, 0, None),
        ({"ended_by": "time", "wall_seconds": 4.0, "observation": {"begun": [0.1, 0.8]}}, 0, None),
        ({"ended_by": "cpu", "wall_seconds": 4.0, "observation": {"begun": []}}, 2, None),
        ({"ended_by": "cpu", "wall_seconds": 4.0, "observation": {"begun": [0.1, 0.2, 0.3]}}, 0, None),
    ],
)
def test_a_limit_counts_for_the_call_that_took_most_of_the_time_or_for_all_where_none_had_begun(result, count, stuck):
    found = made({}, {}, **result)
    assert (len(found.made), found.stuck) == (count, stuck)
