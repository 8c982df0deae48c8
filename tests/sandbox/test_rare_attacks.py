"""Rarer attacks, by family: one of each family in every suite, all of them in every setting in the slow one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox.test_sandbox_attacks import OTHER_USER, SECRET, readable_interpreter

from study_app.sandbox.container import RUNTIMES
from study_app.sandbox.server import find_bubblewrap

HERE = Path(__file__).resolve().parent
PATHS = sorted((HERE / "rare_attacks").glob("*.py"))
FAMILIES: dict[str, list[str]] = {}
for _path in PATHS:
    FAMILIES.setdefault(_path.read_text().splitlines()[1].removeprefix("# Family: "), []).append(_path.stem)
READS_WHAT_ITS_USER_MAY = ("files", "proc", "timing", "at exit")
"""Families that read files: without Landlock or a container a run reads what its user may read."""

LOSES_ITSELF = {"pipes_of_its_own_read": "the run was lost"}
"""What may become of an attack on the program's own pipes: its output is lost, and the run is tried again alone."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def attack(settings: dict[str, object], prefix: list[str] | None = None) -> dict[str, object]:
    settings = {"folder": "rare_attacks"} | settings
    command = [*(prefix or []), sys.executable, str(HERE / "attack_driver.py"), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd="/")
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    if report["level"] == "off":
        pytest.skip(str(report["why"]))
    assert report["alive"], "the fork server did not survive"
    assert report["left"] == [], "a run was survived by a process"
    found = dict(report["found"])  # type: ignore[call-overload]
    report["found"] = {
        name: what for name, what in found.items() if not what.startswith(LOSES_ITSELF.get(name, "nothing is excused"))
    }
    return report


def test_there_are_attacks_of_each_family_and_each_says_what_it_tries():
    assert len(PATHS) >= 65
    assert len(FAMILIES) >= 20
    for path in PATHS:
        first, second = path.read_text().splitlines()[:2]
        assert first.startswith("# Tries to "), path.name
        assert first.endswith("."), path.name
        assert second.startswith("# Family: "), path.name


def test_one_attack_of_each_family_is_stopped():
    one_each = [names[0] for names in FAMILIES.values()]
    report = attack({"scripts": one_each})
    assert report["attacks"] == len(one_each)
    assert report["found"] == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [{}, {"bubblewrap": True}, {"abi": 1}, {"no_namespaces": True}],
    ids=["strong", "strong+", "abi1", "alone"],
)
def test_every_attack_is_stopped_as_the_user_who_runs_the_suite(settings):
    if settings.get("bubblewrap") and find_bubblewrap() is None:
        pytest.skip("bubblewrap is not installed")
    assert attack(settings)["found"] == {}


@needs_root
@pytest.mark.slow
def test_every_attack_is_stopped_for_an_unprivileged_user():
    report = attack({"user": OTHER_USER}, readable_interpreter())
    assert (report["user"], report["found"]) == (OTHER_USER, {})


@needs_root
@pytest.mark.slow
@pytest.mark.parametrize(("settings", "level"), [({"abi": 0}, "medium"), ({"abi": 0, "user": OTHER_USER}, "weak")])
def test_without_landlock_nothing_but_reading_gets_through_and_the_level_says_so(settings, level):
    report = attack(settings, readable_interpreter())
    assert report["level"] == level
    open_to_readers = {name for family in READS_WHAT_ITS_USER_MAY for name in FAMILIES[family]}
    found = report["found"]
    assert isinstance(found, dict)
    assert set(found) <= open_to_readers
    # A separate user for each run reads what every user of the machine may, which the study's files are not.
    assert level == "weak" or SECRET not in json.dumps(found)


@pytest.mark.slow
@pytest.mark.parametrize("runner", sorted(RUNTIMES))
def test_every_attack_is_stopped_inside_a_container(runner):
    if shutil.which(runner) is None:
        pytest.skip(f"{runner} is not installed")
    assert attack({"runner": runner})["found"] == {}
