"""What every sandbox guarantees: this machine, a cluster, a recording."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.programs import OutputLine, Program, RunLimits
from study_app.ports import Sandbox
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.recorded import RecordedSandbox, RecordingSandbox, record
from study_app.sandbox.server import Options

HELLO = Program("import trio\nasync def main():\n    print('hello')\ntrio.run(main)", ("trio",), seed=1)
BROKEN = Program("x = 1\nprint('before')\nundefined\n", seed=1)
LEAVES = Program("import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)", seed=1)
ENDLESS = Program("while True: pass", limits=RunLimits(cpu_seconds=1), seed=1)
SLEEPS = Program("import time\ntime.sleep(30)", limits=RunLimits(wall_seconds=0.3), seed=1)
GREEDY = Program("x = 'a' * 10**9", seed=1)
FLOOD = Program("while True: print('x' * 1000)", limits=RunLimits(output_bytes=5000), seed=1)
CALLED = Program(
    "def double(x):\n    print(x)\n    return x * 2",
    call={"nonce": "abc123", "function": "double", "args": [21]},
    seed=1,
)
PROGRAMS = [HELLO, BROKEN, LEAVES, ENDLESS, SLEEPS, GREEDY, FLOOD, CALLED]


@pytest.fixture(scope="module")
def local() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    from study_app.sandbox.cluster import ClusterSandbox

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=8, processes=True, dashboard_address=None, silence_logs=50
    ) as dask:
        sandbox = ClusterSandbox(dask.scheduler_address)
        yield sandbox
        sandbox.close()


@pytest.fixture(params=["local", "recorded", "cluster"], scope="module")
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    local = request.getfixturevalue("local")
    if request.param == "recorded":
        return record(local, PROGRAMS)
    return request.getfixturevalue(request.param)


def test_output_status_and_seed_come_back(sandbox):
    result = sandbox.run(HELLO)
    assert (result.stdout, result.stderr, result.exit_status) == ("hello\n", "", 0)
    assert (result.ended_by, result.scheduler_seed, result.error_type) == ("exit", 1, None)
    assert result.isolation in ("strong", "strong+")
    assert sandbox.isolation().level != "off"


def test_both_streams_and_the_exit_status_are_kept_apart(sandbox):
    result = sandbox.run(LEAVES)
    assert (result.stdout, result.stderr, result.exit_status) == ("out\n", "err\n", 3)
    assert [line.stream for line in result.lines] == ["stdout", "stderr"]


def test_an_exception_is_named_with_the_programs_own_line(sandbox):
    result = sandbox.run(BROKEN)
    assert (result.error_type, result.error_line, result.exit_status) == ("NameError", 3, 1)
    assert 'File "main.py", line 3' in result.stderr
    assert "study_app" not in result.stderr


@pytest.mark.parametrize(
    ("program", "ended_by", "words"),
    [
        (ENDLESS, "cpu", "computing time"),
        (SLEEPS, "time", "0.3 seconds"),
        (GREEDY, "memory", "256 MB"),
        (FLOOD, "output", "5,000 bytes"),
    ],
)
def test_each_limit_ends_a_run_and_says_so_in_words(sandbox, program, ended_by, words):
    result = sandbox.run(program)
    assert result.ended_by == ended_by
    assert words in result.stderr.splitlines()[-1]


def test_lines_are_told_in_order_with_growing_stamps(sandbox):
    heard: list[OutputLine] = []
    result = sandbox.run(HELLO, heard.append)
    assert tuple(heard) == result.lines
    assert [line.text for line in heard] == ["hello"]


def test_a_graded_call_reports_its_value_and_its_number(sandbox):
    seen = sandbox.run(CALLED).observation
    assert seen["reported"]["value"] == 42
    assert seen["reported"]["nonce"] == "abc123"
    assert 0 <= seen["started"] <= seen["ended"]


def test_a_cancelled_run_ends(sandbox):
    cancelled = threading.Event()
    cancelled.set()
    assert sandbox.run(SLEEPS, cancelled=cancelled.is_set).ended_by == "cancelled"


def test_a_recording_survives_a_file_and_refuses_strangers(local, tmp_path):
    recorder = RecordingSandbox(local)
    first = recorder.run(CALLED)
    recorder.save(tmp_path / "runs.json")
    again = RecordedSandbox.load(tmp_path / "runs.json")
    assert again.run(CALLED) == first
    with pytest.raises(SandboxUnavailable, match="not in the recording"):
        again.run(HELLO)


@pytest.mark.flaky(reruns=2, reruns_delay=1)
def test_a_worker_killed_amid_a_run_does_not_lose_it(cluster):
    """SIGKILL to the process that holds the run: another one runs it again, and the caller sees only the result."""
    slow = Program("import time\nprint('start')\ntime.sleep(1.5)\nprint('end')", seed=1)
    workers = cluster._client.run(os.getpid)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(cluster.run, slow)
        holder = None
        while holder is None:
            holder = next((address for address, tasks in cluster._client.processing().items() if tasks), None)
        time.sleep(0.3)
        os.kill(workers[holder], signal.SIGKILL)
        assert run.result(timeout=60).stdout == "start\nend\n"


@pytest.mark.flaky(reruns=2, reruns_delay=1)
@pytest.mark.slow
def test_a_lost_worker_costs_one_repetition_then_is_nobodys_fault(cluster):
    """Where the cluster gives up once the run is repeated; twice, and the result says infrastructure."""
    calls = []
    real = cluster._executor.submit

    def lose(times):
        def submit(function, *arguments):
            calls.append(1)
            return real(_fall_over if len(calls) <= times else function, *arguments)

        return submit

    cluster._executor.submit = lose(1)
    assert cluster.run(HELLO).stdout == "hello\n"
    calls.clear()
    cluster._executor.submit = lose(2)
    result = cluster.run(HELLO)
    cluster._executor.submit = real
    assert (result.ended_by, result.exit_status) == ("infrastructure", None)
    assert "not its fault" in result.stderr


def _fall_over(program: Program) -> None:
    raise ConnectionError("the worker is gone")
