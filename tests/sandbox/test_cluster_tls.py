"""The scheduler and worker of deploy/, with the certificates that docs/how-to/deploy.md makes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.server import free_port

from study_app.cli.checks.doctor import _runner
from study_app.dask_cluster import dask_client, leaves_this_machine_in_the_clear
from study_app.domain.errors import SandboxUnavailable, UserError
from study_app.domain.tasks.programs import Program, RunLimits
from study_app.sandbox import open_sandbox

ROOT = Path(__file__).parents[2]
DASK = Path(sys.executable).with_name("dask")
PAGE = (ROOT / "docs" / "how-to" / "deploy.md").read_text()
HELLO = Program(code='print("hello")', limits=RunLimits(wall_seconds=20))


def certificates(folder: Path) -> Path:
    """Make what the page makes, by its commands."""
    folder.mkdir()
    commands = [line for line in PAGE.splitlines() if line.startswith("openssl ")]
    assert len(commands) == 3
    for command in commands:
        subprocess.run(shlex.split(command), cwd=folder, check=True, capture_output=True)
    return folder


def environment(folder: Path, port: int) -> dict[str, str]:
    """Return the variables of deploy/dask.env, with this machine's paths and address."""
    lines = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / "deploy" / "dask.env").read_text(), re.M)
    named = {name: value.replace("/etc/study/dask", str(folder)) for name, value in lines}
    assert named["DASK_SCHEDULER_ADDRESS"].startswith("tls://")
    return named | {"DASK_SCHEDULER_ADDRESS": f"tls://127.0.0.1:{port}"}


def command_of(unit: str, variables: dict[str, str], port: int) -> list[str]:
    """Return what a unit starts, at a free port of this machine."""
    line = re.search(r"^ExecStart=(.*)$", (ROOT / "deploy" / "systemd" / unit).read_text(), re.M)
    assert line is not None
    text = line[1].replace("/srv/study/study-app/.venv/bin/dask", str(DASK))
    for name, value in variables.items():
        text = text.replace("${" + name + "}", value)
    return shlex.split(text.replace("--port 8786", f"--host 127.0.0.1 --port {port}"))


def wait_for(log: Path, words: str) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        if words in log.read_text():
            return
        time.sleep(0.2)
    raise AssertionError(f"no '{words}' in:\n{log.read_text()}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[dict[str, str]]:
    """Start scheduler and worker as the units do; what a client needs in its environment."""
    folder = tmp_path_factory.mktemp("cluster")
    port = free_port()
    variables = environment(certificates(folder / "dask"), port)
    started = []
    try:
        for unit, words in (("study-scheduler.service", "Scheduler at"), ("study-worker.service", "Registered to")):
            log = folder / f"{unit}.log"
            with log.open("w") as file:
                command = command_of(unit, variables, port)
                started.append(subprocess.Popen(command, stderr=file, stdout=file, env={**os.environ, **variables}))
            wait_for(log, words)
        yield variables
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(60)


def as_client(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> str:
    """Give this process the client's certificates, as a server's environment does; the address."""
    import dask

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # Dask reads its variables when it is imported; a server has them by then.
    dask.config.refresh()
    return variables["DASK_SCHEDULER_ADDRESS"]


@pytest.fixture(autouse=True)
def dask_as_it_was() -> Iterator[None]:
    yield
    import dask

    for name in [name for name in os.environ if name.startswith("DASK_DISTRIBUTED__COMM")]:
        del os.environ[name]
    dask.config.refresh()


def test_a_program_runs_on_a_worker_over_tls(cluster, monkeypatch):
    sandbox = open_sandbox(as_client(monkeypatch, cluster))
    try:
        assert sandbox.run(HELLO).stdout == "hello\n"
        assert sandbox.isolation().level in ("weak", "medium", "strong", "strong+")
    finally:
        sandbox.close()


def test_who_has_no_certificate_of_the_authority_is_not_let_in(cluster, monkeypatch, tmp_path):
    other = certificates(tmp_path / "other")
    foreign = {
        name: value.replace(str(Path(value).parent), str(other)) if value.startswith("/") else value
        for name, value in cluster.items()
    }
    with pytest.raises(SandboxUnavailable, match="no cluster answers at tls://"):
        open_sandbox(as_client(monkeypatch, foreign))
    with pytest.raises(UserError, match="is without TLS, which DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION asks for"):
        open_sandbox(as_client(monkeypatch, cluster).replace("tls://", "tcp://"))


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": None}, "CA_FILE is not set"),
        pytest.param(
            {"DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": None}, "CLIENT__KEY is not set", marks=pytest.mark.slow
        ),
        ({"DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": "/nowhere/node.pem"}, "cannot be read (No such file"),
        ({"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": "{key}"}, "holds no certificate"),
        pytest.param(
            {"DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": "{ca}"}, "do not belong together", marks=pytest.mark.slow
        ),
    ],
    ids=["no authority", "no key", "no such file", "a key as the authority", "another certificate"],
)
def test_a_certificate_that_cannot_be_used_is_named_by_its_variable(changed, words, monkeypatch, tmp_path):
    folder = certificates(tmp_path / "dask")
    places = {"{key}": str(folder / "node.key"), "{ca}": str(folder / "ca.pem")}
    variables = environment(folder, 1) | {name: places.get(value or "", value or "") for name, value in changed.items()}
    address = as_client(monkeypatch, {name: value for name, value in variables.items() if value})
    with pytest.raises(UserError, match=re.escape(words)) as refused:
        dask_client(address, "STUDY_RUNNER")
    assert str(refused.value).startswith("STUDY_RUNNER: DASK_DISTRIBUTED__COMM__TLS__")


@pytest.mark.parametrize(
    ("address", "clear"),
    [
        ("local", False), ("runsc", False), ("tls://10.0.0.5:8786", False), ("tcp://127.0.0.1:8786", False),
        ("tcp://[::1]:8786", False), ("tcp://localhost:8786", False), ("tcp://10.0.0.5:8786", True),
        ("tcp://workers.example.org:8786", True),
    ],
)  # fmt: skip
def test_doctor_warns_of_a_scheduler_elsewhere_without_tls(address, clear):
    assert leaves_this_machine_in_the_clear(address) is clear
    ok, finding = _runner(address)
    assert ok is not clear
    assert ("give tls://" in finding) is clear
