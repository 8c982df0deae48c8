"""One suite of attacks in every setting that a server may be in: all are stopped in each."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from study_app.domain.tasks.programs import Program, RunLimits
from study_app.sandbox.container import RUNTIMES
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options, find_bubblewrap

HERE = Path(__file__).resolve().parent
ATTACKS = sorted((HERE / "attacks").glob("*.py"))
OTHER_USER = 61_000
SECRET = "hunter2-secret"
PATIENT = RunLimits(wall_seconds=120.0, cpu_seconds=60)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
needs_bubblewrap = pytest.mark.skipif(find_bubblewrap() is None, reason="bubblewrap is not installed")


def closed_folder() -> Path | None:
    """The first folder on the way to the interpreter that other users may not enter, None where all are open."""
    way = [Path(os.path.realpath(sys.base_prefix)), *Path(os.path.realpath(sys.base_prefix)).parents]
    closed = [folder for folder in way if not folder.stat().st_mode & stat.S_IXOTH]
    return closed[-1] if closed else None


def readable_interpreter() -> list[str]:
    """A command prefix under which everybody can read the interpreter, by a mount namespace where need be."""
    folder = closed_folder()
    if folder is None:
        return []
    inside = Path(os.path.realpath(sys.base_prefix))
    script = (
        'set -e; hold=$(mktemp -d); mount --bind "$1" "$hold"; mount -t tmpfs -o mode=755 none "$0"; mkdir -p "$1"; '
        'mount --bind "$hold" "$1"; shift; exec "$@"'
    )
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, str(folder), str(inside)]


def attack(
    settings: dict[str, object], prefix: list[str] | None = None, harmless: frozenset[str] = frozenset()
) -> dict[str, object]:
    command = [*(prefix or []), sys.executable, str(HERE / "attack_driver.py"), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd="/")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    if report["level"] == "off":
        pytest.skip(report["why"])
    reached = {name: text for name, text in report["found"].items() if name not in harmless}
    assert reached == {}
    assert SECRET not in json.dumps(report["found"])
    assert report["alive"], "the fork server did not survive"
    assert report["left"] == [], "a run was survived by a process"
    assert report["attacks"] + len([path for path in ATTACKS if path.stem.startswith("forge_")]) == len(ATTACKS)
    return report


def test_attacks_as_the_user_who_runs_the_suite():
    assert attack({})["level"] == "strong"


@pytest.mark.slow  # by default: the newest Landlock, above
def test_attacks_on_the_oldest_landlock():
    report = attack({"abi": 1})
    assert (report["level"], report["abi"]) == ("strong", 1)


@pytest.mark.slow
def test_attacks_where_user_namespaces_are_refused():
    assert attack({"no_namespaces": True, "bubblewrap": True})["level"] == "strong"


@needs_root
@pytest.mark.slow  # by default: as the user who runs the suite, above
def test_attacks_by_an_unprivileged_user():
    report = attack({"user": OTHER_USER}, readable_interpreter())
    assert (report["level"], report["user"], report["own_uid"]) == ("strong", OTHER_USER, False)


@needs_root
@pytest.mark.slow
def test_attacks_on_a_root_server_that_gives_each_run_a_user_of_its_own():
    report = attack({}, readable_interpreter())
    assert (report["level"], report["own_uid"]) == ("strong", True)


@needs_bubblewrap
def test_attacks_inside_bubblewrap():
    assert attack({"bubblewrap": True})["level"] == "strong+"


OWN_SYSTEM = frozenset({"huge_pages", "list_folders"})
"""gVisor has no Landlock: a run sees the folders of its root, and the emulated system takes a flag for huge pages."""


@pytest.mark.slow
@pytest.mark.parametrize("runner", sorted(RUNTIMES))
def test_attacks_inside_a_container(runner):
    if shutil.which(runner) is None:
        pytest.skip(f"{runner} is not installed")
    report = attack({"runner": runner}, harmless=OWN_SYSTEM if runner == "runsc" else frozenset())
    assert report["level"] in ("strong", "strong+")


def test_every_attack_says_in_its_first_line_what_it_tries():
    assert len(ATTACKS) >= 60
    for path in ATTACKS:
        first = path.read_text().splitlines()[0]
        assert first.startswith("# Tries to "), path.name
        assert first.endswith("."), path.name


@pytest.mark.parametrize("name", ["search_heap", "search_raw_memory"])
def test_the_memory_searches_find_what_is_there(name):
    """Without this, searching in the wrong place would look like safety."""
    code = (HERE / "attacks" / f"{name}.py").read_text()
    sandbox = LocalSandbox(Options(bubblewrap=False))
    try:
        planted = "kept = '" + "MARKER-OF-" + "AN-EARLIER-RUN'\n"
        results = [sandbox.run(Program(text, limits=PATIENT)) for text in (planted + code, code)]
        # A search that was ended before its end, as on a busy machine, has found nothing and proves nothing.
        assert [result.ended_by for result in results] == ["exit", "exit"]
        assert ["ESCAPED" in result.stdout for result in results] == [True, False]
    finally:
        sandbox.close()


def test_the_attacks_succeed_without_the_walls():
    """The suite can fail: where neither Landlock nor a filter stand, canaries and attacks get through."""
    sandbox = LocalSandbox(Options(bubblewrap=False, max_landlock_abi=0, seccomp=False))
    try:
        isolation = sandbox.isolation()
        assert isolation.level == "weak"
        assert not all(isolation.canaries.values())
        assert "Development only" in isolation.message
        code = (HERE / "attacks" / "fork_bomb.py").read_text().replace("300", "3").replace("time.sleep(30)", "pass")
        assert "ESCAPED" in sandbox.run(Program(code)).stdout
    finally:
        sandbox.close()


def test_unshare_is_there_for_the_root_settings():
    assert os.geteuid() != 0 or closed_folder() is None or shutil.which("unshare")
