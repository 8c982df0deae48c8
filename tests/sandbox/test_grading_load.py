"""Verdicts do not depend on how busy the machine is, and what only pretends to be concurrent does not pass."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox.busy_machine import busy

from study_app.content.task_packs import load_pack
from study_app.domain.checks import Check, Line, Observation, Same, call, side_by_side, uses
from study_app.domain.tasks.programs import RunResult
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading import evidence
from study_app.services.grading.grading import grade
from study_app.services.grading.observation import Attempt
from study_app.services.grading.verdicts import judge_in_real_time, judge_made_twice

HERE = Path(__file__).parent
TASKS = HERE.parents[1] / "tasks"
TIMER, USERS = load_pack(TASKS / "trio_timer"), load_pack(TASKS / "trio_users")
PRETENDERS = sorted((HERE / "pretenders").glob("*.py"))
WRONG = {
    "never stops at the limit": (TIMER, "with trio.move_on_after(limit)", "with trio.move_on_after(limit + 9)"),
    "waits too long": (TIMER, "await trio.sleep(delay)", "await trio.sleep(delay + 0.2)"),
    "one after the other": (USERS, "nursery.start_soon(fetch_one, user_id)", "await fetch_one(user_id)"),
    "blocks": (TIMER, "await trio.sleep(interval)", "__import__('time').sleep(interval)"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def part_of(pack, *names: str):
    return replace(pack, checks=tuple(check for check in pack.checks if check.name in names))


SHORT_TIMER = part_of(
    TIMER, "together ends when both have ended", "a nursery is used", "any greeting", "the limit stops the greeting"
)
SHORT_USERS = part_of(USERS, "three users of the starter", "some users are missing")


def wrong_program(name: str):
    pack, old, new = WRONG[name]
    assert old in pack.solution
    return pack, pack.solution.replace(old, new)


# -- the machine's load


def test_correct_programs_pass_on_a_busy_machine(sandbox):
    with busy(4):
        for pack in (SHORT_TIMER, SHORT_USERS):
            graded = grade(sandbox, pack, pack.solution, run_seed=5)
            assert [check.name for check in graded.checks if check.passed is not True] == []


def test_a_wrong_program_fails_on_a_busy_machine(sandbox):
    _, code = wrong_program("waits too long")
    with busy(4):
        graded = grade(sandbox, SHORT_TIMER, code, run_seed=5)
    failed = {check.name for check in graded.checks if check.passed is False}
    assert failed >= {"any greeting", "together ends when both have ended"}
    assert graded.inconclusive is None


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_forty_gradings_of_correct_programs_under_eight_busy_processes_are_all_right(sandbox):
    with busy(8):
        for run_seed in range(20):
            for pack in (TIMER, USERS):
                graded = grade(sandbox, pack, pack.solution, run_seed=run_seed)
                assert [check.name for check in graded.checks if check.passed is not True] == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", WRONG)
def test_no_wrong_program_passes_under_eight_busy_processes(sandbox, name):
    pack, code = wrong_program(name)
    with busy(8):
        for run_seed in range(3):
            graded = grade(sandbox, pack, code, run_seed=run_seed)
            assert any(check.passed is False for check in graded.checks)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_gradings_at_the_same_time_are_all_right(sandbox):
    with ThreadPoolExecutor(4) as pool:
        graded = list(pool.map(lambda seed: grade(sandbox, TIMER, TIMER.solution, run_seed=seed), range(12)))
    assert all(one.complete for one in graded)


# -- what only pretends


BY_DEFAULT = {"computed_report"}
"""One pretender on the program's own clock and one on the real one; the others run with `make test-all`."""


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[] if path.stem in BY_DEFAULT else pytest.mark.slow) for path in PRETENDERS],
    ids=lambda path: path.stem,
)
def test_what_only_pretends_to_be_concurrent_does_not_pass(sandbox, path):
    graded = grade(sandbox, SHORT_TIMER, path.read_text(), run_seed=7, seeds=1)
    assert not graded.complete
    assert any(check.passed is False for check in graded.checks)
    assert graded.inconclusive is None


def test_two_graded_functions_in_one_nursery_show_blocking(sandbox):
    both = side_by_side(call("timer", 3, 0.3), call("delayed_greeting", "Ada", 0.5))
    pack = replace(TIMER, checks=(Check("both at once", both, visible=True), Check("hidden", both)))
    assert grade(sandbox, pack, TIMER.solution, run_seed=1).complete
    _, blocking = wrong_program("blocks")
    assert grade(sandbox, pack, blocking, run_seed=1).passed == 0


USING = {
    "trio.open_nursery": False,
    "print(trio.open_nursery)": False,
    "if False:\n        trio.open_nursery()": False,
    "async with trio.open_nursery():\n        pass": False,
    "async with trio.open_nursery() as n:\n        n.start_soon(trio.sleep, 0)": True,
    "start = trio.open_nursery\n    async with start() as n:\n        n.start_soon(trio.sleep, 0)": True,
    "from trio import open_nursery as o\n    async with o() as n:\n        n.start_soon(trio.sleep, 0)": True,
}


@pytest.mark.parametrize("body", USING)
def test_a_name_is_used_where_it_is_called_and_not_where_it_is_mentioned(sandbox, body):
    checks = (Check("used", source=uses("open_nursery"), visible=True), Check("f", call("f")))
    pack = replace(TIMER, checks=checks, solution="async def f():\n    pass\n")
    graded = grade(sandbox, pack, f"import trio\n\nasync def f():\n    {body}\n", clock="virtual", run_seed=1)
    assert graded.checks[0].passed is USING[body]


CLASSES = {
    "SortedList([2, 1])": True,
    "list(map(SortedList, [[1]]))": True,
    "type('Mine', (SortedList,), {})()": True,
    "__import__('functools').partial(SortedList)()": True,
    "isinstance(3, SortedList)": False,
    "SortedList": False,
}


@pytest.mark.parametrize("expression", CLASSES)
def test_a_class_is_used_where_it_or_a_subclass_is_instantiated(sandbox, expression):
    scores = load_pack(TASKS / "sorted_scores")
    checks = (Check("used", source=uses("SortedList"), visible=True), Check("f", call("f"), compare=Same(False)))
    pack = replace(scores, checks=checks, solution="def f():\n    pass\n")
    code = f"from sortedcontainers import SortedList\n\ndef f():\n    {expression}\n"
    assert grade(sandbox, pack, code, run_seed=1).checks[0].passed is CLASSES[expression]


# -- the judgement itself


def attempt(*moments: float, lag: float | None = 0.0, stalled: float = 0.0, text: str = "x") -> Attempt:
    lines = tuple(Line(text, moment) for moment in moments)
    seen = Observation(None, lines, None, moments[-1], stalled=stalled)
    return Attempt(seen, RunResult("", "", (), 0, "exit", 1.0, "strong", 1, lag_seconds=lag))


EXPECTED = Observation(None, (Line("x", 0.5), Line("x", 1.0)), None, 1.0)
CHECK = Check("c", call("f"))


def judged(given: Attempt, *, proven: bool = True):
    judgement = judge_in_real_time(CHECK, EXPECTED, given, proven=proven)
    return "open" if judgement.open else "wrong" if judgement.wrong else "right"


@pytest.mark.parametrize(
    ("given", "proven", "verdict"),
    [
        (attempt(0.5, 1.1), False, "right"),
        (attempt(0.5, 1.3), False, "wrong"),
        (attempt(0.5, 1.3, lag=0.1), False, "open"),
        (attempt(0.5, 1.3, lag=0.2), True, "right"),  # no later than the control next to it
        (attempt(0.5, 2.9, lag=0.1), False, "wrong"),  # far later than the control next to it
        (attempt(0.5, 1.0, text="y"), False, "wrong"),
        (attempt(0.5, 1.0, text="y", lag=0.2), True, "open"),
        (attempt(0.5, 1.0, stalled=0.5), True, "wrong"),
        (attempt(0.0, 0.0, lag=0.04), True, "wrong"),  # a forged report: the lines came at once
    ],
)
def test_a_moment_is_judged_against_the_control_that_ran_beside_it(given, proven, verdict):
    assert judged(given, proven=proven) == verdict


def test_a_call_made_twice_is_judged_by_its_duration_alone():
    assert judge_made_twice(CHECK, EXPECTED, attempt(0.5, 1.1, text="y")).passed
    assert judge_made_twice(CHECK, EXPECTED, attempt(0.5, 2.0)).wrong is not None
    assert judge_made_twice(CHECK, EXPECTED, attempt(0.5, 1.3, lag=0.1)).open is not None


class Lagging:
    """A sandbox on a machine whose control is always late, and whose programs are."""

    def __init__(self, inner: LocalSandbox) -> None:
        self.inner = inner
        self.alone = 0

    def isolation(self):
        return self.inner.isolation()

    def run(self, program, on_line=None, cancelled=None):
        result = self.inner.run(program, on_line, cancelled)
        if not program.controlled:
            return result
        late = tuple(replace(line, seconds=line.seconds + 0.5) for line in result.lines)
        self.alone += (program.call or {}).get("attempt", 0) > 0
        return replace(result, lines=late, lag_seconds=0.3)


@pytest.mark.slow  # by default: the rule, above
def test_what_the_machine_disturbs_is_repeated_alone_and_at_last_left_without_a_verdict(sandbox):
    pack = part_of(TIMER, "any greeting")
    lagging = Lagging(sandbox)
    graded = grade(lagging, pack, TIMER.solution, run_seed=1)
    assert graded.checks[0].passed is None
    assert "0.30 s late" in (graded.inconclusive or "")
    assert graded.repeats == lagging.alone == evidence.REPEATS
    assert graded.passed == 0
    assert not graded.complete


def test_a_program_that_the_machine_disturbs_for_long_is_left_without_a_verdict(sandbox, monkeypatch):
    monkeypatch.setattr(evidence, "LONGEST_SECONDS", 0.0)
    lagging = Lagging(sandbox)
    graded = grade(lagging, part_of(TIMER, "any greeting"), TIMER.solution, run_seed=1)
    assert graded.inconclusive is not None
    assert lagging.alone == 0


# -- programs that keep the queue waiting


class Counting:
    """Counts the runs of one program, and those that a limit ended, a time limit of how many seconds."""

    def __init__(self, inner: LocalSandbox, code: str) -> None:
        self.inner, self.code = inner, code
        self.runs = 0
        self.limits: list[float] = []

    def isolation(self):
        return self.inner.isolation()

    def run(self, program, on_line=None, cancelled=None):
        result = self.inner.run(program, on_line, cancelled)
        if program.code == self.code:
            self.runs += 1
            if result.ended_by == "time":
                self.limits.append(program.limits.wall_seconds)
        return result


PATIENT = replace(
    TIMER,
    settings=TIMER.settings.model_copy(
        update={"limits": TIMER.settings.limits.model_copy(update={"wall_seconds": 120.0, "cpu_seconds": 1})}
    ),
)
"""A pack that lets a program run for two minutes."""
FRAME = "import os, struct, time\n"
NEVER_CALLED = {
    "waits": "import time\ntime.sleep(1000)\n",
    "computes": "while True: pass\n",
    "prints": "while True: print('x' * 1000)\n",
    "sends a frame that there is not, and waits": FRAME + "os.write(3, struct.pack('<BH', 9, 0))\ntime.sleep(1000)\n",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "computes" else pytest.mark.slow) for name in NEVER_CALLED]
)
@pytest.mark.slow  # by default: the same of the examples, in test_sandbox_grading.py
def test_a_program_that_never_comes_to_its_call_is_run_for_one_call_and_not_for_each(sandbox, name):
    code = NEVER_CALLED[name]
    counting = Counting(sandbox, code)
    graded = grade(counting, PATIENT, code, run_seed=1)
    assert graded.inconclusive is None
    assert not any(check.passed for check in graded.checks)
    assert counting.runs <= 3  # its text, by the virtual clock, in real time
    assert all(limit < 20 for limit in counting.limits)


HANGING = """
import time
import trio

def hang():
    {how}

async def timer(count, interval):
    hang()

async def delayed_greeting(name, delay):
    hang()

async def together(*given):
    async with trio.open_nursery() as nursery:
        hang()
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["time.sleep(1000)", "while True: pass"])
def test_calls_that_hang_are_not_waited_for_one_after_the_other(sandbox, how):
    code = HANGING.format(how=how)
    counting = Counting(sandbox, code)
    graded = grade(counting, PATIENT, code, run_seed=1)
    assert graded.inconclusive is None
    assert not any(check.passed for check in graded.checks)
    assert graded.repeats <= evidence.REPEATS
    assert all(limit < 20 for limit in counting.limits)
