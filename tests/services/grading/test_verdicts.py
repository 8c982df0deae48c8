"""Verdicts in real time: a program is blamed for a moment only where a control was on time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from study_app.domain.tasks.checks import Check, Line, Observation, Same
from study_app.domain.tasks.programs import Program, RunLimits, RunResult
from study_app.services.grading import output
from study_app.services.grading.evidence import REPEATS
from study_app.services.grading.observation import Attempt
from study_app.services.grading.output import LONGER, output_of
from study_app.services.grading.verdicts import Judgement, judge_in_real_time, judge_made_twice, with_times_of

CHECK = Check("moments", compare=Same(tolerance=0.25))
"""A quarter, so that sums of the moments below are exact."""
EXPECTED = Observation(value=1, lines=(Line("a", 0.5), Line("b", 1.0)), seconds=1.0)
RAN = RunResult("", "", (), 0, "exit", 1.0, "strong", 1)


def attempt(seen: Observation, lag: float | None = 0.0, **ran: Any) -> Attempt:
    return Attempt(seen, replace(RAN, lag_seconds=lag, **ran))


def late_by(seconds: float) -> Observation:
    """The second line, and the end, so much later than expected."""
    return replace(EXPECTED, lines=(Line("a", 0.5), Line("b", 1.0 + seconds)), seconds=1.0 + seconds)


def judged(seen: Observation, lag: float | None = 0.0, *, proven: bool = False, **ran: Any) -> Judgement:
    return judge_in_real_time(CHECK, EXPECTED, attempt(seen, lag, **ran), proven=proven)


def test_a_moment_within_the_tolerance_is_right_however_late_the_machine_was():
    assert judged(late_by(0.25)).passed
    assert judged(late_by(0.25), lag=9.0).passed


def test_a_moment_beyond_it_is_wrong_on_a_quiet_machine_and_once_more_is_needed_to_be_sure():
    found = judged(late_by(0.5))
    assert (found.wrong is not None, found.open, found.firm) == (True, None, False)
    # A control up to 0.05 s late is a quiet machine.
    assert judged(late_by(0.375), lag=0.05).open is None
    assert judged(late_by(0.375), lag=0.0625).open is not None


def test_a_deviation_of_more_than_four_times_the_controls_lateness_is_the_programs():
    # Half a second beyond the tolerance.
    assert judged(late_by(0.75), lag=0.125).open is not None
    assert judged(late_by(0.75 + 1 / 64), lag=0.125).open is None


def test_what_the_virtual_clock_found_right_may_be_as_late_as_the_machine():
    assert judged(late_by(0.375), lag=0.125, proven=True).passed
    assert not judged(late_by(0.375 + 1 / 64), lag=0.125, proven=True).passed
    assert not judged(late_by(0.375), lag=0.125).passed


def test_words_and_results_are_wrong_whatever_the_moments():
    other = replace(EXPECTED, value=2)
    assert judged(other) == Judgement(judged(other).wrong, firm=True)
    # On a machine that was late nothing is said: what the program read may have depended on it.
    assert judged(other, lag=0.5).open is not None
    assert not judged(other, proven=True).firm


def test_limits_of_computing_are_the_programs_alone_and_the_wall_limit_is_not():
    nothing = Observation(missing="it was stopped")
    for limit in ("cpu", "memory", "output"):
        assert judged(nothing, lag=9.0, ended_by=limit) == Judgement("it was stopped", firm=True)
    # A second and a half beyond the tolerance.
    waited = {"ended_by": "time", "wall_seconds": 2.75}
    assert judged(nothing, **waited) == Judgement("it was stopped", firm=True)
    assert judged(nothing, lag=0.375, **waited).open is not None
    assert judged(nothing, lag=0.25, **waited).open is None


def test_a_check_that_times_nothing_is_certain_at_once():
    untimed = Check("values", compare=Same(times=False, duration=False))
    found = judge_in_real_time(untimed, EXPECTED, attempt(replace(EXPECTED, value=2), lag=9.0), proven=False)
    assert (found.wrong is not None, found.firm) == (True, True)
    assert judge_in_real_time(untimed, EXPECTED, attempt(late_by(5.0)), proven=False).passed


@pytest.mark.parametrize(
    ("stalled", "may_block", "passed"), [(0.25, False, True), (0.5, False, False), (0.5, True, True)]
)
def test_a_loop_that_stood_still_is_wrong_unless_the_reference_blocks_too(stalled, may_block, passed):
    found = attempt(replace(EXPECTED, stalled=stalled))
    assert judge_in_real_time(CHECK, EXPECTED, found, proven=False, may_block=may_block).passed == passed


def test_two_calls_at_once_are_wrong_where_together_they_take_longer_than_one():
    def twice(seconds: float | None, lag: float = 0.0, **ran: Any) -> Judgement:
        seen = replace(EXPECTED, seconds=seconds, value=None, lines=())
        return judge_made_twice(CHECK, EXPECTED, attempt(seen, lag, **ran))

    assert twice(1.25).passed
    assert twice(None).passed
    assert (twice(2.0).wrong is not None, twice(2.0).firm) == (True, False)
    # As late as the control, or up to four times as late on a machine that was not quiet.
    assert twice(1.75, lag=0.5).passed
    assert twice(1.75, lag=0.125).open is not None
    assert twice(1.75 + 1 / 64, lag=0.125).open is None
    assert twice(None, ended_by="time", wall_seconds=12.0).firm
    assert not twice(None, ended_by="time", wall_seconds=12.0, lag=5.0).firm
    assert judge_made_twice(CHECK, replace(EXPECTED, seconds=None), attempt(EXPECTED)).passed


def test_lines_beyond_the_expected_ones_keep_their_moments():
    seen = replace(late_by(1.0), lines=(Line("a", 9.0), Line("b", 9.5), Line("c", 9.75)), seconds=None)
    again = with_times_of(EXPECTED, seen)
    assert [line.seconds for line in again.lines] == [0.5, 1.0, 9.75]
    assert (again.seconds, [line.text for line in again.lines]) == (1.0, ["a", "b", "c"])


class Runs:
    """Gives these results in turn, and keeps what it was asked to run."""

    def __init__(self, *results: RunResult) -> None:
        self.results, self.asked = list(results), []

    def run(self, program: Program) -> RunResult:
        self.asked.append(program)
        return self.results.pop(0)


PRINTED = replace(RAN, stdout="42\n")
STOPPED = replace(RAN, ended_by="time", wall_seconds=60.0)
PROGRAM = Program("print(42)", limits=RunLimits(wall_seconds=10.0))


def test_a_run_that_ends_by_itself_is_made_once():
    runs = Runs(PRINTED)
    assert output_of(runs, PROGRAM) == output.Output("42\n", 0)
    assert runs.asked == [PROGRAM]


def test_a_run_that_its_wall_limit_ended_is_made_again_with_a_longer_limit_and_a_control():
    runs = Runs(STOPPED, PRINTED)
    assert output_of(runs, PROGRAM) == output.Output("42\n", 1)
    assert (runs.asked[1].limits.wall_seconds, runs.asked[1].controlled) == (10.0 * LONGER, True)


@pytest.mark.parametrize(("lag", "decides"), [(0.05, True), (14.9, True), (15.0, False), (20.0, False), (None, False)])
def test_the_wall_limit_decides_where_the_control_was_on_time_or_late_by_far_less(lag, decides):
    runs = Runs(STOPPED, *[replace(STOPPED, lag_seconds=lag)] * REPEATS)
    found = output_of(runs, PROGRAM)
    assert (found.open is None, found.repeats) == (decides, 1 if decides else REPEATS)
    assert len(runs.asked) == 1 + found.repeats
