"""Grading is honest: the shipped packs, what cheats get, and what a virtual clock cannot see."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.content.task_packs import load_pack
from study_app.domain.checks import Case, Check, Line, Observation, Opaque, Same, call, decode, same_value
from study_app.domain.errors import ProblemsFound, SandboxUnavailable
from study_app.domain.tasks.programs import Program
from study_app.sandbox.inside.harness import encode
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.recorded import RecordedSandbox, RecordingSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.authoring import check_pack, try_program
from study_app.services.grading.grading import Grade, grade, run_visible
from study_app.services.grading.observation import How, observe, observe_series

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {folder.name: load_pack(folder) for folder in sorted((ROOT / "tasks").iterdir()) if folder.is_dir()}
PACKS = {name: pack for name, pack in SHIPPED.items() if pack.twin is None}
TIMER = PACKS["trio_timer"]
SHORT_LIMITS = TIMER.settings.limits.model_copy(update={"wall_seconds": 4.0})
SHORT_TIMER = replace(TIMER, settings=TIMER.settings.model_copy(update={"limits": SHORT_LIMITS}))
"""The same task for programs that only wait: they are stopped sooner."""
FORGERIES = sorted((Path(__file__).parent / "attacks").glob("forge_*.py"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def timer_solution(old: str, new: str) -> str:
    assert old in TIMER.solution
    return TIMER.solution.replace(old, new)


# `study check study.toml` proves the packs of the shipped study in test_trial_commands.py.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "warmup" else [pytest.mark.slow]) for name in SHIPPED]
)
def test_each_shipped_pack_is_fit_for_use(sandbox, name):
    assert check_pack(sandbox, ROOT / "tasks" / name, load_pack) == []


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("run_seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
def test_the_reference_solution_passes_whatever_is_drawn(sandbox, name, run_seed):
    graded = grade(sandbox, PACKS[name], PACKS[name].solution, clock="virtual", run_seed=run_seed)
    assert [check.name for check in graded.checks if not check.passed] == []
    assert graded.complete
    assert not graded.visible_only_pass
    assert not graded.regraded_on_real_clock


@pytest.mark.parametrize("name", PACKS)
def test_the_starter_completes_nothing(sandbox, name):
    graded = grade(sandbox, PACKS[name], PACKS[name].starter, clock="virtual", run_seed=1)
    assert graded.passed < graded.total / 2
    assert not graded.visible_only_pass


@pytest.fixture(scope="module")
def graded_forgeries(request, sandbox) -> dict[str, Grade]:
    """The grade of each forgery that is asked for, on the real clock, four at a time: most of a grading is waiting."""
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    paths = [path for path in FORGERIES if path.stem in asked]
    with ThreadPoolExecutor(4) as pool:
        grades = pool.map(lambda path: grade(sandbox, SHORT_TIMER, path.read_text(), run_seed=7, seeds=1), paths)
        return {path.stem: found for path, found in zip(paths, grades, strict=True)}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", [path.stem for path in FORGERIES])
def test_no_forgery_passes(graded_forgeries, name):
    graded = graded_forgeries[name]
    assert not graded.complete
    assert not any(check.passed for check in graded.checks if not check.visible and "never" not in check.name)


def test_answers_by_heart_pass_what_they_see_and_are_flagged(sandbox):
    code = (Path(__file__).parent / "attacks" / "forge_special_cases.py").read_text()
    graded = grade(sandbox, TIMER, code, run_seed=3)
    assert all(check.passed for check in graded.checks if check.visible)
    assert graded.visible_only_pass


def test_a_stolen_report_fools_the_instant_answer_and_not_the_counted_one(sandbox):
    """The one forgery that a virtual clock cannot see: times that the program wrote itself."""
    code = (Path(__file__).parent / "attacks" / "forge_steal_nonce.py").read_text()
    counted = grade(sandbox, TIMER, code, run_seed=3)
    assert not any(check.passed for check in counted.checks if not check.visible and "never" not in check.name)


def test_hidden_inputs_differ_between_gradings_and_repeat_with_the_seed():
    hidden = [check for check in TIMER.checks if check.case is not None and not isinstance(check.case, Case)]
    assert len(hidden) >= 5
    for check in hidden:
        assert check.drawn(1) == check.drawn(1)
    assert [check.drawn(1) for check in hidden] != [check.drawn(2) for check in hidden]


def test_nothing_expected_enters_the_sandbox(sandbox):
    """Whatever is sent to a child, the reference solution and the checks are not in it."""
    sent: list[Program] = []

    class Watched:
        def isolation(self):
            return sandbox.isolation()

        def run(self, program, on_line=None, cancelled=None):
            sent.append(program)
            return sandbox.run(program, on_line, cancelled)

    code = timer_solution("tick", "tock")
    grade(Watched(), TIMER, code, clock="virtual", run_seed=11)
    mine = [program for program in sent if program.code == code and "inspect" not in program.call]
    assert len(mine) > 10
    for program in mine:
        for one in program.call.get("series", [program.call]):
            asked = {"function", "args", "kwargs", "prelude", "runner"}
            assert set(one) - {"uses", "seed", "nonce"} == asked
        assert "tick" not in repr(program.call)


@pytest.mark.slow
def test_blocking_sleep_is_noticed_and_graded_in_real_time(sandbox):
    """time.sleep takes no virtual time: only the real clock shows that the two tasks do not overlap."""
    code = timer_solution("import trio", "import time\nimport trio").replace(
        "await trio.sleep(interval)", "time.sleep(interval)"
    )
    graded = grade(sandbox, SHORT_TIMER, code, clock="virtual", run_seed=5)
    assert graded.regraded_on_real_clock
    assert not graded.complete


@pytest.mark.slow  # by default: a blocking sleep, above
def test_a_thread_is_noticed_and_graded_in_real_time(sandbox):
    code = timer_solution("import trio", "import time\nimport trio").replace(
        "await trio.sleep(delay)", "await trio.to_thread.run_sync(time.sleep, delay, abandon_on_cancel=True)"
    )
    graded = grade(sandbox, TIMER, code, clock="virtual", run_seed=5)
    assert graded.regraded_on_real_clock
    assert graded.complete


def test_one_after_the_other_is_not_at_the_same_time(sandbox):
    users = PACKS["trio_users"]
    code = users.solution.replace("nursery.start_soon(fetch_one, user_id)", "await fetch_one(user_id)")
    graded = grade(sandbox, users, code, clock="virtual", run_seed=5)
    failed = {check.name for check in graded.checks if not check.passed}
    assert "many users take no longer than the slowest" in failed
    assert "three users take no longer than the slowest" in failed


def test_an_uncaught_failure_costs_the_checks_with_failures_only_and_shows_in_the_examples(sandbox):
    users = PACKS["trio_users"]
    code = users.solution.replace("(UserNotFound, ConnectionError)", "UserNotFound")
    graded = grade(sandbox, users, code, clock="virtual", run_seed=5)
    failed = {check.name for check in graded.checks if not check.passed}
    hidden = {"the connection is lost for some", "missing and lost together", "every user fails"}
    assert failed == {"the connection is lost", "nothing but failures"} | hidden
    assert graded.error_type == "ConnectionError"
    assert not graded.visible_only_pass
    assert 0 < graded.passed < graded.total


def test_both_clocks_agree_on_an_honest_program(sandbox):
    code = timer_solution("all done", "all finished")
    verdicts = [
        [check.passed for check in grade(sandbox, TIMER, code, clock=clock, seeds=2, run_seed=9).checks]
        for clock in ("virtual", "real")
    ]
    assert verdicts[0] == verdicts[1]


def test_visible_examples_answer_with_expected_against_found(sandbox):
    graded = run_visible(sandbox, TIMER, timer_solution("tick {number}", "tack {number}"))
    assert all(check.visible for check in graded.checks)
    message = graded.checks[0].message
    assert "'tick 1'" in message
    assert "'tack 1'" in message
    assert run_visible(sandbox, TIMER, TIMER.solution).complete


class Counting:
    """A sandbox that counts the programs it runs."""

    def __init__(self, inner):
        self.inner, self.runs = inner, 0

    def isolation(self):
        return self.inner.isolation()

    def run(self, program, on_line=None, cancelled=None):
        self.runs += 1
        return self.inner.run(program, on_line, cancelled)


@pytest.mark.parametrize("code", [TIMER.solution, "import trio\n", TIMER.starter])
def test_an_instant_answer_takes_two_processes_whatever_the_number_of_examples(sandbox, code):
    run_visible(sandbox, TIMER, TIMER.solution)  # What the reference does is known from now on.
    counting = Counting(sandbox)
    run_visible(counting, TIMER, code)
    assert counting.runs == 2


def test_an_example_that_fails_only_after_another_one_passes(sandbox):
    spoilt = "ran = []\n" + TIMER.solution + "\nkept = timer\nasync def timer(*a, **k):\n"
    spoilt += "    ran.append(1)\n    assert len(ran) == 1\n    return await kept(*a, **k)\n"
    grade = run_visible(sandbox, TIMER, spoilt)
    alone = [
        check
        for check in grade.checks
        if check.name in {c.name for c in TIMER.examples if c.case and c.case.function == "timer"}
    ]
    assert alone
    assert all(check.passed for check in alone)


def test_a_call_leaves_the_names_of_the_program_to_the_next_as_they_were(sandbox):
    code = "import trio\nword = 'a'\nasync def say():\n    global word\n    print(word, end='')\n    word = 'b'\n"
    first = call("say", prelude="extra = 1")
    seen = [one.seen for one in observe_series(sandbox, TIMER, code, [(first, 1), (call("say"), 2)]).made]
    assert [[line.text for line in one.lines] for one in seen] == [["a"], ["a"]]


def test_a_line_that_a_call_leaves_open_is_a_line_of_that_call(sandbox):
    code = "import trio\nasync def say():\n    print('one')\n    print('two', end='')\n"
    for clock in ("virtual", "real"):
        seen = observe(sandbox, TIMER, code, call("say"), How(1, clock)).seen
        assert [line.text for line in seen.lines] == ["one", "two"], clock
        assert seen.seconds is not None


def test_a_series_ends_where_the_virtual_clock_cannot_time_a_call(sandbox):
    code = "import time, trio\nasync def nap():\n    time.sleep(0.01)\n"
    assert len(observe_series(sandbox, TIMER, code, [(call("nap"), 1)] * 3).made) == 1


@pytest.mark.parametrize(
    "code", ["import os\nasync def f():\n    os._exit(0)\n", "async def f():\n    raise SystemExit\n"]
)
def test_calls_after_one_that_leaves_the_program_are_not_made_up(sandbox, code):
    assert observe_series(sandbox, TIMER, code, [(call("f"), 1)] * 3).made == []


BRIEF_LIMITS = TIMER.settings.limits.model_copy(update={"cpu_seconds": 1})
BRIEF_TIMER = replace(TIMER, settings=TIMER.settings.model_copy(update={"limits": BRIEF_LIMITS}))
"""The same task for programs that never end: they are stopped sooner."""


def test_a_program_that_never_comes_to_its_calls_is_not_run_again_for_each_example(sandbox):
    run_visible(sandbox, BRIEF_TIMER, TIMER.solution)
    counting = Counting(sandbox)
    graded = run_visible(counting, BRIEF_TIMER, f"{TIMER.solution}\nwhile True:\n    pass\n")
    assert not any(check.passed for check in graded.checks)
    assert all("computing time" in check.message for check in graded.checks if check.call)
    assert counting.runs == 2


@pytest.mark.slow
def test_a_call_that_never_ends_is_found_out_once_and_the_others_are_judged_without_it(sandbox):
    endless = timer_solution("await trio.sleep(interval)", "while True: pass")
    run_visible(sandbox, BRIEF_TIMER, TIMER.solution)
    counting = Counting(sandbox)
    graded = run_visible(counting, BRIEF_TIMER, endless)
    judged = [check for check in graded.checks if check.call or check.passed]
    stuck = [check for check in judged if not check.passed]
    assert {check.passed for check in judged} == {True, False}
    assert all("computing time" in check.message for check in stuck)
    assert counting.runs <= len(stuck) + 4


def test_a_check_that_fails_under_one_scheduler_seed_is_not_run_under_the_others(sandbox):
    run_visible(sandbox, TIMER, TIMER.solution)  # What the reference does is known from now on.
    counting = Counting(sandbox)
    graded = run_visible(counting, TIMER, timer_solution("tick {number}", "tack {number}"))
    failed = sum(not check.passed for check in graded.checks)
    assert failed >= 3
    assert counting.runs == 2 + failed


def test_hidden_checks_say_nothing(sandbox):
    graded = grade(sandbox, TIMER, TIMER.starter, clock="virtual", run_seed=1)
    assert all(check.message == "" for check in graded.checks if not check.visible)


def test_a_syntax_error_fails_every_call_and_is_named(sandbox):
    graded = grade(sandbox, TIMER, "async def timer(:", clock="virtual", run_seed=1)
    assert graded.passed == 0
    assert (graded.error_type, graded.error_line) == ("SyntaxError", 1)


@pytest.mark.parametrize("code", ["", "\x00", "\ud800", "(" * 500, "import os; os.abort()"])
def test_no_submission_breaks_the_grader(sandbox, code):
    graded = grade(sandbox, TIMER, code, clock="virtual", run_seed=1)
    assert graded.total == len(TIMER.checks)
    assert not graded.complete


def test_a_grading_without_a_sandbox_decides_nothing(sandbox):
    class Down:
        def isolation(self):
            return sandbox.isolation()

        def run(self, program, on_line=None, cancelled=None):
            return replace(sandbox.run(Program("pass")), ended_by="infrastructure")

    with pytest.raises(SandboxUnavailable, match="grade again"):
        grade(Down(), TIMER, TIMER.starter, run_seed=1)


def test_a_grading_can_be_replayed_from_a_recording(sandbox):
    recorder = RecordingSandbox(sandbox)
    warmup = PACKS["warmup"]
    first = grade(recorder, warmup, warmup.starter, run_seed=8)
    again = grade(RecordedSandbox(recorder.results), warmup, warmup.starter, run_seed=8)
    assert again.checks == first.checks


def test_trying_a_file_reports_what_the_command_promises(sandbox):
    shown = try_program(sandbox, PACKS["warmup"], PACKS["warmup"].solution, seed=4)
    assert {"stdout", "stderr", "exit_status", "ended_by", "wall_seconds", "isolation"} <= set(shown)
    assert shown["stdout"].startswith("+-------+\n")
    assert shown["visible_only_pass"] is False
    assert all(set(check) >= {"name", "visible", "passed"} for check in shown["checks"])
    only = try_program(sandbox, PACKS["warmup"], "1/0", run_only=True)
    assert "checks" not in only
    assert (only["exit_status"], only["error_type"]) == (1, "ZeroDivisionError")


def test_imports_that_honest_solutions_do_not_need_are_listed(sandbox):
    code = "import os, trio\nfrom ctypes import CDLL\n__import__('gc')"
    found = [grade(sandbox, PACKS["warmup"], text, run_seed=1).review for text in (code, "import trio", "import (")]
    assert found == [("ctypes", "importlib", "os"), (), ()]


# --- packs


def broken_copy(tmp_path: Path, **files: str | None) -> Path:
    folder = tmp_path / "warmup"
    shutil.copytree(ROOT / "tasks" / "warmup", folder)
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
    return folder


def test_all_problems_of_a_pack_are_told_at_once(tmp_path):
    toml = 'id = "Wrong id"\ntitle = ""\npakages = ["x"]\nclock = "sundial"\n[limits]\nwall_seconds = -1\nfoo = 2\n'
    folder = broken_copy(
        tmp_path, task__toml=toml, brief__md=None, starter__py="", checks__py="CHECKS = 3", extra__txt="x"
    )
    with pytest.raises(ProblemsFound) as caught:
        load_pack(folder)
    found = {(Path(problem.file).name, problem.key) for problem in caught.value.problems}
    assert found >= {
        *{("task.toml", key) for key in ("id", "title", "pakages", "clock", "limits.wall_seconds", "limits.foo")},
        *{("brief.md", ""), ("starter.py", ""), ("checks.py", "CHECKS"), ("extra.txt", "")},
    }
    assert all(problem.remedy for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("checks", "what"),
    [
        ("import nothing_such\n", "ModuleNotFoundError"),
        ("x = (\n", "SyntaxError"),
        ("CHECKS = []\n", "no check is visible"),
        ("from study_app.domain.checks import *\nCHECKS = [Check('a', call('f'), visible=True)]", "no check is hidden"),
        (
            "from study_app.domain.checks import *\nCHECKS = [Check('a', call('f')), Check('a', call('g'))]",
            "two checks",
        ),
        ("from study_app.domain.checks import *\nCHECKS = [Check('a')]", "exactly one of case and source"),
        ("from study_app.domain.checks import *\nCHECKS = [Check('a', lambda rng: 1 / 0)]", "its draw fails"),
        (
            "import random\nfrom study_app.domain.checks import *\n"
            "CHECKS = [Check('a', lambda rng: call('f', random.random()))]",
            "two cases for one seed",
        ),
    ],
)
def test_what_is_wrong_with_checks_is_said(tmp_path, checks, what):
    with pytest.raises(ProblemsFound, match=what):
        load_pack(broken_copy(tmp_path, checks__py=checks))


def test_a_pack_whose_programs_are_wrong_is_found_out(sandbox, tmp_path):
    solution = (ROOT / "tasks" / "warmup" / "solution.py").read_text()
    found = check_pack(sandbox, broken_copy(tmp_path, solution__py="def sign(words):\n    return 1/0\n"), load_pack)
    assert {problem.what for problem in found} == {"raises ZeroDivisionError"}
    shutil.rmtree(tmp_path / "warmup")
    found = check_pack(sandbox, broken_copy(tmp_path, starter__py=solution), load_pack)
    assert [Path(problem.file).name for problem in found] == ["starter.py"]
    assert check_pack(sandbox, tmp_path / "nowhere", load_pack)[0].what == "there is no such task pack"


# --- comparisons

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers() | st.text(max_size=4), inner, max_size=4)
        | st.frozensets(st.integers(), max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_values_come_through_the_pipe_as_they_were(value):
    import json

    assert same_value(decode(json.loads(json.dumps(encode(value)))), value)


def test_types_that_merely_look_alike_differ():
    pairs = [(True, 1), ([1], (1,)), ({1: 2}, {"1": 2}), ("1", 1), (None, False), (set(), frozenset())]
    assert not any(same_value(one, other) for one, other in pairs)
    assert same_value(1, 1.0)
    assert same_value(0.1 + 0.2, 0.3)
    assert not same_value(Opaque("X"), Opaque("X"))


class Liar(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


def test_a_value_with_an_equality_of_its_own_is_equal_to_nothing():
    assert encode(Liar(3)) == {"$other": "Liar"}
    assert not same_value(decode(encode(Liar(3))), 3)


def seen(*lines, value=None, seconds=1.0, error=None):
    return Observation(value, tuple(Line(text, at) for text, at in lines), error, seconds)


def test_lines_of_one_moment_may_come_in_any_order():
    expected = seen(("a", 0.5), ("b", 0.5), ("c", 1.0))
    assert Same()(expected, seen(("b", 0.5), ("a", 0.5), ("c", 1.0))) is None
    assert Same(simultaneous="ordered")(expected, seen(("b", 0.5), ("a", 0.5), ("c", 1.0)))
    assert Same()(expected, seen(("c", 1.0), ("a", 0.5), ("b", 0.5)))


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (seen(("a", 0.9)), "after 0.5 s, but it came after 0.9 s"),
        (seen(("x", 0.5)), "but got 'x'"),
        (seen(), "no more lines came"),
        (seen(("a", 0.5), ("b", 0.6)), "expected no more lines"),
        (seen(("a", 0.5), value=3), "expected the result None, but got 3"),
        (seen(("a", 0.5), seconds=2.0), "about 1.0 s, but it took 2.0 s"),
        (seen(("a", 0.5), seconds=None), "for ever"),
        (seen(("a", 0.5), error="ValueError"), "no exception, but ValueError"),
    ],
)
def test_what_differs_is_said(got, words):
    assert words in Same()(seen(("a", 0.5)), got)


@given(st.permutations(["a", "b", "c", "d"]), st.integers(0, 2**32))
def test_the_same_lines_at_the_same_moments_are_the_same(order, seed):
    rng = Random(seed)
    moments = sorted(rng.choice([0.1, 0.5, 0.9]) for _ in order)
    lines = list(zip(order, moments, strict=True))
    mixed = sorted(lines, key=lambda line: (line[1], rng.random()))
    assert Same()(seen(*lines), seen(*mixed)) is None


def test_a_stated_expectation_needs_no_reference_solution():
    check = Check("x", call("f", 3), expect=lambda case: Observation(value=case.args[0] * 2))
    assert check.stated(check.drawn(1)).value == 6
