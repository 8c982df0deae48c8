"""STUDY_RUNNER names an OCI runtime: programs run in its container, and only typed values come out of it."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from study_app.content.task_packs import load_pack
from study_app.domain.errors import UserError
from study_app.domain.tasks.programs import Isolation, Program, RunLimits
from study_app.sandbox import container, open_sandbox
from study_app.services.grading.grading import grade

TASKS = Path(__file__).parents[2] / "tasks"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="OCI runtimes are Linux's")


@pytest.fixture(scope="module", params=sorted(container.RUNTIMES))
def sandbox(request):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    sandbox = open_sandbox(request.param)
    isolation = sandbox.isolation()
    if isolation.level == "off":
        sandbox.close()
        pytest.skip(f"{request.param} runs no container on this machine: {isolation.message}")
    yield sandbox
    sandbox.close()


@pytest.mark.slow
def test_a_program_runs_and_sees_nothing_of_the_machine(sandbox, tmp_path):
    assert sandbox.isolation().level in ("medium", "strong", "strong+")
    (tmp_path / "secret").write_text("secret")
    paths = [str(tmp_path / "secret"), "/etc/passwd", str(TASKS / "trio_timer" / "solution.py"), "/root/.bashrc"]
    code = "import os, socket\n"
    code += f"for path in {paths!r}:\n    try: print('SEEN', open(path).read()[:9])\n    except OSError: pass\n"
    code += "try: socket.create_connection(('1.1.1.1', 53), 1); print('SEEN')\nexcept OSError: print('alone')\n"
    lines = []
    result = sandbox.run(Program(code, limits=RunLimits(wall_seconds=10)), lines.append)
    assert (result.stdout, result.ended_by) == ("alone\n", "exit")
    assert [line.text for line in lines] == ["alone"]


@pytest.mark.slow
def test_a_reference_solution_passes_and_a_wrong_program_does_not(sandbox):
    pack = load_pack(TASKS / "warmup")
    assert grade(sandbox, pack, pack.solution, run_seed=3).complete
    wrong = (TASKS / "warmup" / "wrong" / "fixed_width.py").read_text()
    assert not grade(sandbox, pack, wrong, run_seed=3).complete


@pytest.mark.slow
def test_a_run_can_be_cancelled_and_others_go_on(sandbox):
    began, stop = time.monotonic(), threading.Event()
    threading.Timer(1.0, stop.set).start()
    long = Program("import time\nwhile True: time.sleep(1)", limits=RunLimits(wall_seconds=60))
    assert sandbox.run(long, cancelled=stop.is_set).ended_by == "cancelled"
    assert time.monotonic() - began < 40
    assert sandbox.run(Program("print('on')")).stdout == "on\n"


@pytest.mark.slow
def test_a_lost_container_is_replaced(sandbox):
    sandbox._container._process.kill()
    assert sandbox.run(Program("print('again')")).stdout == "again\n"


@pytest.mark.parametrize(
    ("runner", "is_one"),
    [
        ("runsc", True),
        ("runsc --platform=kvm", True),
        ("/usr/local/bin/crun", True),
        ("oci:/opt/youki", True),
        ("local", False),
        ("tcp://host:8786", False),
        ("docker", False),
    ],
)
def test_which_settings_name_a_runtime(runner, is_one):
    assert container.names_container(runner) is is_one


@pytest.mark.parametrize("runner", ["oci:no-such-runtime", "nothing", "oci:"])
def test_a_runtime_that_is_not_there_is_named_in_a_line(runner):
    with pytest.raises(UserError, match="STUDY_RUNNER"):
        open_sandbox(runner)


def test_a_container_holds_no_folder_of_the_study_and_nothing_to_write_to(tmp_path):
    container.bundle(tmp_path / "bundle")
    config = json.loads((tmp_path / "bundle" / "config.json").read_text())
    assert config["root"]["readonly"]
    assert config["process"]["noNewPrivileges"]
    assert {"network", "pid", "mount"} <= {namespace["type"] for namespace in config["linux"]["namespaces"]}
    bound = [mount for mount in config["mounts"] if mount["type"] == "bind"]
    assert all("ro" in mount["options"] for mount in bound)
    root = Path(__file__).parents[2]
    shown = [Path(mount["source"]) for mount in bound]
    for secret in (root / "tasks", root / "var", root / "quizzes", root / "study.toml", Path("/etc/passwd")):
        assert not any(secret == path or path in secret.parents for path in shown), secret


DEAF = """
import os, sys, time
line = sys.stdin.readline()
if "program" not in line:
    print('{"id": 1, "isolation": {"level": "medium", "message": "as seen"}}', flush=True)
    os.close(0)
    time.sleep(1)
"""


def test_a_container_that_no_longer_listens_is_a_fault_of_the_infrastructure(tmp_path):
    script, fake = tmp_path / "runtime.py", tmp_path / "fake"
    script.write_text(DEAF)
    fake.write_text(f'#!/bin/sh\ncase "$1" in run) exec {sys.executable} {script};; esac\n')
    fake.chmod(0o755)
    sandbox = open_sandbox(f"oci:{fake}")
    try:
        assert sandbox.isolation().level != "off"
        assert sandbox.run(Program("print(1)")).ended_by == "infrastructure"
    finally:
        sandbox.close()


MAIMED = """
import sys
for line in sys.stdin:
    print({answer!r}, flush=True)
"""


@pytest.mark.parametrize(
    "answer",
    [
        "not json",
        "[]",
        '{"id": 1}',
        '{"id": 1, "isolation": {"level": "strong+"}}',
        '{"id": 1, "isolation": 5}',
        "[" * 9999,
    ]
    + ['{"id": 1, "isolation": {"level": "best", "message": "x"}}', '{"id": [1], "isolation": {}}'],
)
def test_what_does_not_speak_as_the_worker_does_runs_nothing(tmp_path, answer):
    """A runtime whose container says anything else: isolation is off, in a sentence."""
    script = tmp_path / "runtime.py"
    script.write_text(MAIMED.format(answer=answer))
    fake = tmp_path / "fake"
    fake.write_text(f'#!/bin/sh\ncase "$1" in run) exec {sys.executable} {script};; esac\n')
    fake.chmod(0o755)
    sandbox = open_sandbox(f"oci:{fake}")
    try:
        isolation = sandbox.isolation()
        assert isinstance(isolation, Isolation)
        assert isolation.level == "off"
        assert "Code execution is disabled" in isolation.message
    finally:
        sandbox.close()
