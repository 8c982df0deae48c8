"""The local sandbox: what participants see, and that no run is lost when a fork server is."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.errors import SandboxUnavailable, UserError
from study_app.domain.tasks.programs import OutputLine, Program, RunLimits, RunResult
from study_app.sandbox import open_sandbox, packages, selftest
from study_app.sandbox.confinement import lockdown, seccomp, syscalls
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.output import Collector, clean
from study_app.sandbox.server import Options
from study_app.sandbox.watchdog import children

PATIENT = RunLimits(wall_seconds=60)
TRIO_ORDER = """
import trio

async def show(number):
    print(number, end="")

async def main():
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(show, number)

trio.run(main)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def run(sandbox, code, **rest):
    return sandbox.run(Program(code, **rest))


def test_the_seed_of_trios_scheduler_is_kept_and_gives_the_same_order_again(sandbox):
    first = run(sandbox, TRIO_ORDER, packages=("trio",))
    assert first.scheduler_seed is not None
    again = {run(sandbox, TRIO_ORDER, packages=("trio",), seed=first.scheduler_seed).stdout for _ in range(3)}
    assert again == {first.stdout}


def test_runs_without_a_seed_do_not_share_one(sandbox):
    """Trio draws its scheduler's seed at import: forks of one server would all take the same order."""
    orders = {run(sandbox, TRIO_ORDER, packages=("trio",)).stdout for _ in range(12)}
    assert len(orders) > 3


def test_the_names_in_trio_that_the_seeding_needs_are_there():
    import trio._core._run as run_module

    assert isinstance(run_module._r, random.Random)
    assert isinstance(run_module._ALLOW_DETERMINISTIC_SCHEDULING, bool)


def test_lines_are_stamped_when_they_are_printed(sandbox):
    code = (
        "import time\nbegan = time.monotonic()\n"
        "for n in range(4):\n    print(time.monotonic() - began)\n    time.sleep(0.2)\n"
    )
    lines = run(sandbox, code).lines
    assert len(lines) == 4
    for before, after in pairwise(lines):
        # The program's own clock says how long it slept; the stamps are as far apart.
        slept = float(after.text) - float(before.text)
        assert after.seconds - before.seconds == pytest.approx(slept, rel=0.75)


def test_lines_are_reported_while_the_program_runs(sandbox):
    heard = threading.Event()
    code = "import time\nprint('a')\nwhile True: time.sleep(0.05)"
    result = sandbox.run(Program(code, limits=PATIENT), lambda line: heard.set(), cancelled=heard.is_set)
    assert result.ended_by == "cancelled", "the line came before the program ended"


def test_a_nursery_error_is_named_by_what_went_wrong_inside(sandbox):
    code = (
        "import trio\nasync def bad():\n    return undefined\nasync def main():\n"
        "    async with trio.open_nursery() as nursery:\n        nursery.start_soon(bad)\ntrio.run(main)\n"
    )
    result = run(sandbox, code, packages=("trio",))
    assert (result.error_type, result.error_line) == ("NameError", 3)
    assert "Exception Group Traceback" in result.stderr


def test_a_coroutine_nobody_awaited_is_warned_about_even_at_the_very_end(sandbox):
    code = "async def f(): pass\nkept = f()\n"
    result = run(sandbox, code)
    assert result.warning_types == ("RuntimeWarning",)
    assert "coroutine 'f' was never awaited" in result.stderr
    assert (result.exit_status, result.error_type) == (0, None)


def test_no_path_of_the_server_is_shown(sandbox):
    code = "import trio, json, sys\nprint(trio.__file__, json.__file__, sys.prefix, __file__)\ntrio.run(None)"
    result = run(sandbox, code, packages=("trio",))
    shown = result.stdout + result.stderr + (result.error_message or "")
    for secret in (str(Path(__file__).resolve().parents[2]), "site-packages/", str(Path(os.__file__).parent) + "/"):
        assert secret not in shown
    assert 'File "main.py", line 3' in result.stderr


def test_what_a_program_does_at_its_end_is_done(sandbox):
    code = "import atexit, threading, time\natexit.register(print, 'handler')\n"
    code += "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()\nprint('end')"
    assert run(sandbox, code).stdout == "end\nthread\nhandler\n"


def test_input_meets_an_end_of_file_and_says_so(sandbox):
    assert run(sandbox, "input()").error_type == "EOFError"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain", "plain"),
        (b"\x1b[31mred", "␛[31mred"),
        (b"a\x00b\x07", "a␀b␇"),
        (b"\xff\xfe", "��"),
        ("\u202eabc".encode(), "<U+202E>abc"),
        (b"tab\tstays", "tab\tstays"),
        (b"dos\r", "dos"),
        (b"over\rwritten", "over␍written"),
        ("žluťoučký 🐎".encode(), "žluťoučký 🐎"),
    ],
)
def test_what_cannot_be_shown_is_made_visible(data, shown):
    assert clean(data) == shown


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(0, 200))
def test_no_output_gets_past_the_cap_or_the_cleaning(chunks, cap):
    collector = Collector(cap, None)
    for chunk in chunks:
        collector.feed("stdout", chunk, 0.0)
    collector.finish(1.0)
    assert collector.full == (sum(map(len, chunks)) > cap) or len(collector.lines) >= 100
    text = collector.text("stdout")
    assert len(text) <= 8 * cap
    assert not any(ord(character) < 32 and character not in "\t\n" for character in text)


def test_a_flood_of_empty_lines_is_stopped_before_it_drowns_the_reader(sandbox):
    result = run(sandbox, "print('\\n' * 90_000)", limits=RunLimits(output_bytes=100_000))
    assert result.ended_by in ("output", "exit")
    assert len(result.lines) <= 10_001


def test_a_fork_server_killed_amid_runs_loses_none(sandbox):
    """Every program comes back whole, whatever moment the server is killed at; shown lines are not shown twice."""
    heard: list[list[OutputLine]] = [[] for _ in range(6)]

    def start(number):
        code = f"import time\nprint('start {number}')\ntime.sleep(0.6)\nprint('end {number}')"
        return sandbox.run(Program(code), heard[number].append)

    with ThreadPoolExecutor(6) as pool:
        runs = [pool.submit(start, number) for number in range(6)]
        time.sleep(0.3)
        os.kill(sandbox.server(()).pid, signal.SIGKILL)
        results = [one.result() for one in runs]
    for number, result in enumerate(results):
        assert result.stdout == f"start {number}\nend {number}\n"
        assert result.ended_by == "exit"
        assert [line.text for line in heard[number]] == [f"start {number}", f"end {number}"]


def test_a_program_that_is_killed_from_outside_is_run_again_and_shown_once(sandbox):
    """As by a kernel without memory: neither a learner nor a grading may take it for what the program does."""
    heard: list[OutputLine] = []
    killed: list[int] = []

    def listen(line):
        heard.append(line)
        if not killed:
            killed.extend(children(sandbox.server(()).pid))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    result = sandbox.run(Program("import time\nprint('start')\ntime.sleep(0.6)\nprint('end')"), listen)
    assert killed
    assert (result.stdout, result.ended_by, result.exit_status) == ("start\nend\n", "exit", 0)
    assert [line.text for line in heard] == ["start", "end"]


def test_a_program_that_kills_itself_ends_so(sandbox):
    heard: list[OutputLine] = []
    result = sandbox.run(Program("import os\nprint('on', flush=True)\nos.kill(os.getpid(), 9)"), heard.append)
    assert (result.stdout, result.ended_by, result.exit_status) == ("on\n", "exit", -signal.SIGKILL)
    assert [line.text for line in heard if line.stream == "stdout"] == ["on"]
    assert len(heard) == 2


@pytest.mark.slow
def test_a_recycled_fork_server_lets_its_runs_finish():
    sandbox = LocalSandbox(Options(bubblewrap=False, recycle_after=20))
    try:
        first = sandbox.server(()).pid
        with ThreadPoolExecutor(8) as pool:
            numbers = list(
                pool.map(lambda n: sandbox.run(Program(f"import time\ntime.sleep(0.05)\nprint({n})")), range(60))
            )
        assert [result.stdout for result in numbers] == [f"{number}\n" for number in range(60)]
        assert sandbox.server(()).pid != first
    finally:
        sandbox.close()


def test_runs_die_with_their_fork_server(sandbox):
    """Nothing outlives it: the kernel kills the children of a killed server."""
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc")
    server = sandbox.server(())
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(sandbox.run, Program("import time\ntime.sleep(0.8)"))
        time.sleep(0.2)
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert len(children) == 1
        os.kill(server.pid, signal.SIGKILL)
        run.result()
    left = Path(f"/proc/{children[0]}/stat")
    assert not left.exists() or left.read_text().rpartition(")")[2].split()[0] in ("Z", "X")


def test_cancelling_ends_a_run_soon_and_another_starts(sandbox):
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    program = Program("import time\nprint('on', flush=True)\ntime.sleep(60)", limits=PATIENT)
    result = sandbox.run(program, cancelled=cancelled.is_set)
    assert result.ended_by == "cancelled"
    assert result.stdout == "on\n"


def test_a_listener_that_fails_ends_the_run(sandbox):
    def listen(line):
        raise RuntimeError("the browser is gone")

    with pytest.raises(RuntimeError, match="browser"):
        sandbox.run(Program("import time\nprint(1)\ntime.sleep(10)"), listen)
    assert run(sandbox, "print('next')").stdout == "next\n"


def test_one_sandbox_serves_packs_with_different_packages(sandbox):
    code = (
        "import sortedcontainers\ntry:\n    import trio\n    print('found')\nexcept ImportError:\n    print('absent')"
    )
    assert run(sandbox, code, packages=("sortedcontainers",)).stdout == "absent\n"
    assert "found" in run(sandbox, code, packages=("trio", "sortedcontainers")).stdout


def test_a_package_that_is_not_installed_is_named(sandbox):
    with pytest.raises(SandboxUnavailable, match="no_such_package"):
        run(sandbox, "pass", packages=("no_such_package",))


def test_a_closed_sandbox_says_so():
    sandbox = LocalSandbox(Options(bubblewrap=False))
    sandbox.isolation()
    sandbox.close()
    sandbox.close()
    with pytest.raises(SandboxUnavailable, match="closed"):
        run(sandbox, "pass")


def test_an_unknown_runner_is_the_users_mistake():
    with pytest.raises(UserError, match="STUDY_RUNNER"):
        open_sandbox("carrier-pigeon")


def test_a_package_brings_what_it_requires_and_no_more():
    found = packages.installation().modules(("trio",))
    assert {"trio", "attr", "attrs", "outcome", "sniffio", "sortedcontainers", "idna"} <= set(found)
    assert not {"streamlit", "numpy", "study_app", "cffi"} & set(found)
    readable = packages.readable_paths(["trio"])
    assert not any(path.endswith("site-packages") for path in readable)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_fits_every_machine(machine):
    program = seccomp.assemble(machine)
    assert len(program) < 4096
    assert len(seccomp.encode(program, 1234)) == 8 * len(program)
    for place, (code, if_true, if_false, _) in enumerate(program):
        if code & 0x07 == 0x05:
            assert place + 1 + max(if_true, if_false) < len(program), "a jump leads out of the filter"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_nothing_that_starts_a_process_or_reaches_out_is_allowed_outright(machine):
    for name in ("fork", "vfork", "execve", "clone", "clone3", "socket", "connect", "bind", "openat", "kill", "ptrace"):
        assert name not in syscalls.ALLOWED
    numbers = [syscalls.number(name, machine) for name in syscalls.ALLOWED]
    known = [number for number in numbers if number is not None]
    assert len(known) == len(set(known))


@pytest.mark.skipif(not Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").exists(), reason="no kernel headers")
def test_the_numbers_are_the_kernels():
    text = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text()
    kernel = dict(line.split()[1:3] for line in text.splitlines() if line.startswith("#define __NR_"))
    for name in syscalls.NUMBERS:
        assert kernel[f"__NR_{name}"] == str(syscalls.number(name, "x86_64"))


MECHANISMS = {"landlock_abi": 7, "seccomp": True, "own_uid": False, "root": False}
HELD = dict.fromkeys([*selftest._FORMS, *selftest._RESOURCES], True)
OPEN = {**HELD, "read_file": False, "read_process": False, "list_files": False}
NO_LANDLOCK = {**MECHANISMS, "landlock_abi": 0}


@pytest.mark.parametrize(
    ("stopped", "mechanisms", "bubblewrap", "level", "words"),
    [
        (HELD, MECHANISMS, True, "strong+", "namespaces"),
        (HELD, MECHANISMS, False, "strong", "Landlock ABI 7"),
        (HELD, NO_LANDLOCK, True, "medium", "rests on bubblewrap"),
        (HELD, NO_LANDLOCK, False, "medium", "Unix permissions"),
        (OPEN, NO_LANDLOCK, False, "weak", "Invite only people you trust"),
        (OPEN, {**NO_LANDLOCK, "seccomp": False}, False, "weak", "Development only"),
        (OPEN, MECHANISMS, False, "off", "read_file"),
        ({**HELD, "fork": False}, MECHANISMS, False, "off", "fork"),
    ],
)
def test_the_level_is_what_was_observed(stopped, mechanisms, bubblewrap, level, words):
    found, message = selftest._judge(stopped, mechanisms, bubblewrap=bubblewrap)
    assert found == level
    assert words in message


def test_a_launcher_that_cannot_run_a_trivial_program_is_off():
    broken = RunResult("", "kaput", (), 1, "exit", 0.0, "off", 0)
    found = selftest.observe(lambda program: broken, MECHANISMS, bubblewrap=False, planted="x")
    assert found.level == "off"
    assert "kaput" in found.message


@pytest.mark.sampled(4)
@pytest.mark.parametrize("first", ["LANG", "HOME", "PATH", "USER", "ANYTHING"])
def test_no_variable_that_the_server_was_started_with_switches_programs_off(first):
    script = (
        "from study_app.sandbox.local import LocalSandbox\ns = LocalSandbox()\nprint(s.isolation().level)\ns.close()"
    )
    environment = {first: "/x", "STUDY_OTHER": "y"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() not in ("", "off"), done.stderr


def test_the_canary_finds_a_launcher_that_hands_its_environment_on():
    ran = RunResult("alive\n", "", (), 0, "exit", 0.0, "off", 0)

    def leak(program):
        return replace(ran, stdout="canary escaped\n") if "planted-secret" in program.code else ran

    found = selftest.observe(leak, MECHANISMS, bubblewrap=False, planted="planted-secret")
    assert found.level == "off"
    assert "environment" in found.message


def test_threads_beyond_the_limit_do_not_switch_programs_off():
    found, _ = selftest._judge({**HELD, "threads": False}, MECHANISMS, bubblewrap=False)
    assert found == "strong"


@pytest.mark.parametrize("name", [name for name in selftest._RESOURCES if name != "threads"])
def test_a_resource_that_a_program_can_take_from_everybody_switches_programs_off(name):
    found, message = selftest._judge({**HELD, name: False}, MECHANISMS, bubblewrap=False)
    assert found == "off"
    assert name in message


def test_a_run_has_at_most_its_number_of_threads(sandbox):
    code = "import threading, time\nthreading.stack_size(65536)\nn = 0\n"
    code += "try:\n    for n in range(300): threading.Thread(target=time.sleep, args=(20,), daemon=True).start()\n"
    code += "except RuntimeError: pass\nprint(n)"
    result = run(sandbox, code)
    assert result.exit_status == -9 or int(result.stdout) <= lockdown.MAX_TASKS


def test_packages_are_found_behind_a_linked_environment(tmp_path):
    linked = tmp_path / "env"
    linked.symlink_to(sys.prefix)
    script = (
        "from study_app.domain.tasks.programs import Program\nfrom study_app.sandbox.local import LocalSandbox\n"
        "s = LocalSandbox()\nprint(s.run(Program('import trio; print(1)', ('trio',))).stdout)\ns.close()"
    )
    python = linked / "bin" / Path(sys.executable).name
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "1", done.stderr


def test_same_uid_without_landlock_is_weak_and_runs_all_the_same():
    if os.geteuid() == 0:
        pytest.skip("root drops to another user there")
    sandbox = LocalSandbox(Options(bubblewrap=False, max_landlock_abi=0))
    assert sandbox.isolation().level == "weak"
    sandbox.close()


FUZZ = settings(max_examples=60, deadline=None)


@FUZZ
@given(st.binary(max_size=400))
def test_random_bytes_never_break_the_runner(sandbox, data):
    result = run(sandbox, data.decode("utf-8", "surrogateescape"), limits=RunLimits(wall_seconds=3, cpu_seconds=1))
    assert result.ended_by in ("exit", "cpu", "time", "memory")
    assert result.exit_status is not None


@FUZZ
@given(st.text(max_size=300))
def test_random_text_never_breaks_the_runner(sandbox, text):
    result = run(sandbox, text, limits=RunLimits(wall_seconds=3, cpu_seconds=1))
    assert result.exit_status is not None
    assert result.exit_status == 0 or result.error_type or result.ended_by != "exit" or "exit" in text


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("print('a'\x00)", {"SyntaxError", "ValueError"}),
        ("x = '\ud800'", {"UnicodeEncodeError"}),
        ("(" * 1000, {"SyntaxError", "MemoryError"}),
        ("def f(:\n  pass", {"SyntaxError"}),
        ("if True:\nprint(1)", {"IndentationError"}),
        ("if 1:\n        x\n\ty", {"TabError", "IndentationError"}),
        ("x = 08", {"SyntaxError"}),
        ("'''never closed", {"SyntaxError"}),
        ("return 1", {"SyntaxError"}),
        ("await x", {"SyntaxError"}),
        ("# coding: nonsense\nx", {"NameError"}),
        ("\ufeffundefined", {"NameError"}),
    ],
)
def test_what_is_not_python_gets_a_clear_message(sandbox, code, error):
    result = run(sandbox, code)
    assert result.exit_status == 1
    assert result.error_type in error
    assert result.stderr.strip()
    assert "study_app" not in result.stderr


def test_a_program_of_a_megabyte_is_run_or_told_what_it_lacks(sandbox):
    assert run(sandbox, "x = '''" + "abc\n" * 250_000 + "'''\nprint(len(x))").stdout == "1000000\n"
    many = run(sandbox, "x = 1\n" * 170_000 + "print(x)")
    assert many.stdout == "1\n" or "256 MB" in many.stderr
    assert run(sandbox, "x = '" + "a" * 1_000_000).error_type == "SyntaxError"


def test_a_program_beyond_every_use_is_refused_with_a_reason(sandbox):
    result = run(sandbox, "#" * 5_000_000)
    assert result.exit_status != 0
    assert "too long" in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_thousand_runs_leave_nothing_behind():
    """No growth of processes, descriptors or memory, over runs, restarts and every way of ending."""
    import psutil

    sandbox = LocalSandbox(Options(bubblewrap=False, recycle_after=1000))
    codes = ["print(1)", "1/0", "import os; os._exit(3)", "x = [0] * 10**9"]

    def some(count):
        with ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(lambda n: sandbox.run(Program(codes[n % 4])).exit_status, range(count)))
        assert statuses == [(0, 1, 3, 1)[n % 4] for n in range(count)]

    def sizes():
        me = psutil.Process()
        return me.num_fds(), me.num_threads(), len(me.children(recursive=True)), me.memory_info().rss

    some(500)
    before = sizes()
    for _ in range(20):
        some(500)
    time.sleep(0.5)
    after = sizes()
    sandbox.close()
    assert after[0] <= before[0] + 2
    assert after[1] <= before[1] + 1
    assert after[2] <= before[2] + 1
    assert after[3] <= before[3] + 10_000_000
