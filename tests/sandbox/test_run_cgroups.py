"""A cgroup for each run where the server's own is delegated: on a model of the kernel's tree, and on a real one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.tasks.programs import Program, RunLimits
from study_app.sandbox.confinement import bounds, cgroups, lockdown
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cgroups are Linux's")
OWN = str(os.getpid())
FILES = {
    "memory": ("memory.max", "memory.swap.max", "memory.oom.group", "memory.events"),
    "pids": ("pids.max",),
    "cpu": ("cpu.max",),
}


class Kernel:
    """The rules of cgroup v2 that matter here, over plain files in a folder.

    Args:
        root: what stands for /sys/fs/cgroup.
        controllers: what the root has.
        lacks: files that this kernel does not know.
    """

    def __init__(self, root, controllers="memory pids cpu", lacks=()):
        self.root, self.lacks = root, lacks
        self.most, self.fails_at, self.acts = 1000, -1, 0
        self.stuck = False
        self.entered = []
        self.marked = set()
        root.mkdir()
        self.fill(root, controllers)

    def fill(self, group, controllers):
        plain = ("cgroup.procs", "cgroup.subtree_control", "cgroup.kill")
        texts = {"cgroup.type": "domain", "cgroup.controllers": controllers, "cpu.stat": "usage_usec 0\n"}
        limits = [name for controller in controllers.split() if group != self.root for name in FILES[controller]]
        for name in {*texts, *plain, *limits} - set(self.lacks):
            (group / name).write_text(texts.get(name, ""))

    def install(self, patch):
        for name in ("_make", "_remove", "_write"):
            patch.setattr(cgroups, name, getattr(self, name))
        patch.setattr(os, "getxattr", self.getxattr, raising=False)

    def getxattr(self, path, name):
        if path in self.marked and name == "user.delegate":
            return b"1"
        raise OSError(errno.ENODATA, "no such attribute")

    def act(self):
        self.acts += 1
        if self.acts == self.fails_at:
            raise OSError(errno.EIO, "it fails this once")

    def groups(self):
        return [Path(folder) for folder, _, _ in os.walk(self.root)]

    def _make(self, group):
        self.act()
        if len(self.groups()) >= self.most:
            raise OSError(errno.EAGAIN, "full")
        group.mkdir()
        self.fill(group, (group.parent / "cgroup.subtree_control").read_text())

    def _remove(self, group):
        self.act()
        if not group.is_dir():
            raise OSError(errno.ENOENT, "gone")
        alive = [pid for pid in (group / "cgroup.procs").read_text().split() if pid == "0" or running(pid)]
        if alive or any(path.is_dir() for path in group.iterdir()):
            raise OSError(errno.EBUSY, "busy")
        shutil.rmtree(group)

    def _write(self, file, text):
        self.act()
        if not file.exists():
            raise FileNotFoundError(errno.ENOENT, "absent", str(file))
        special = {"cgroup.procs": self.move, "cgroup.subtree_control": self.hand_on, "cgroup.kill": self.kill}
        if file.name in special:
            special[file.name](file.parent, text)
        else:
            file.write_text(text)

    def move(self, group, pid):
        if (group / "cgroup.subtree_control").read_text().split():
            raise OSError(errno.EBUSY, "it hands controllers on")
        for other in self.groups():
            left = [line for line in (other / "cgroup.procs").read_text().split() if line != pid]
            (other / "cgroup.procs").write_text("".join(f"{line}\n" for line in left))
        with (group / "cgroup.procs").open("a") as file:
            file.write(f"{pid}\n")

    def hand_on(self, group, text):
        name = text[1:]
        below = [path for path in group.iterdir() if path.is_dir()]
        had = (group / "cgroup.subtree_control").read_text().split()
        if text[0] == "+":
            if name not in (group / "cgroup.controllers").read_text().split():
                raise OSError(errno.ENOENT, "no such controller")
            if (group / "cgroup.procs").read_text().split():
                raise OSError(errno.EBUSY, "processes in it")
            had = sorted({*had, name})
        else:
            if any(name in (path / "cgroup.subtree_control").read_text().split() for path in below):
                raise OSError(errno.EBUSY, "handed on below")
            had = [other for other in had if other != name]
        (group / "cgroup.subtree_control").write_text(" ".join(had))
        for path in below:
            (path / "cgroup.controllers").write_text(" ".join(had))

    def kill(self, group, _):
        self.entered.append((group.name, (group / "cgroup.procs").read_text()))
        for folder, _, _ in os.walk(group) if not self.stuck else ():
            (Path(folder) / "cgroup.procs").write_text("")

    def tree(self):
        """What a server may change: groups, who is in them, what they hand on."""
        names = ("cgroup.procs", "cgroup.subtree_control")
        return {(group / name): (group / name).read_text().split() for group in self.groups() for name in names}


def running(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX"


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    kernel = Kernel(tmp_path / "cgroup")
    kernel.install(monkeypatch)
    return kernel


def member_of(kernel, path, *others):
    """Put this process into a group, in a container whose first group is the root; the file that says so."""
    group = kernel.root / path.lstrip("/")
    if path != "/":
        group.mkdir()
        kernel.fill(group, (kernel.root / "cgroup.controllers").read_text())
    (group / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in (OWN, *others)))
    process = kernel.root.parent / "self"
    process.write_text(f"1:name=systemd:/x\n0::{path}\n")
    return process


@pytest.fixture
def groups(kernel):
    groups = cgroups.find(kernel.root, member_of(kernel, "/"))
    yield groups
    groups.close()


def test_a_server_alone_in_its_group_moves_into_a_leaf_and_gives_all_back_at_its_end(kernel):
    process = member_of(kernel, "/")
    before = kernel.tree()
    groups = cgroups.find(kernel.root, process)
    assert (kernel.root / f"study-server-{OWN}" / "cgroup.procs").read_text() == f"{OWN}\n"
    assert set((kernel.root / "cgroup.subtree_control").read_text().split()) == {"memory", "pids", "cpu"}
    groups.close()
    groups.close()
    assert kernel.tree() == before


def test_a_run_gets_its_limits_and_its_group_goes_with_it(groups):
    with groups.for_run(256) as group:
        limits = {name: (group.folder / name).read_text() for names in FILES.values() for name in names}
        os.write(group.door, b"0")
        assert (group.folder / "cgroup.procs").read_text() == "0"
    assert limits == {
        "memory.max": str((256 + cgroups.MARGIN_MB) * 1024 * 1024),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "memory.events": "",
        "pids.max": str(lockdown.MAX_TASKS),
        "cpu.max": "200000 100000",
    }
    assert not group.folder.exists()


@pytest.mark.parametrize("lacks", [(), ("memory.swap.max",), ("memory.oom.group", "memory.swap.max"), ("cgroup.kill",)])
def test_what_an_older_kernel_lacks_is_done_without(tmp_path, monkeypatch, lacks):
    kernel = Kernel(tmp_path / "cgroup", "memory pids", lacks)
    kernel.install(monkeypatch)
    groups = cgroups.find(kernel.root, member_of(kernel, "/"))
    with groups.for_run(100) as group, subprocess.Popen(["sleep", "600"]) as child:
        (group.folder / "cgroup.procs").write_text(f"{child.pid}\n")
        cgroups._empty(group.folder)
        if "cgroup.kill" in lacks:
            assert child.wait(60) == -9
        child.kill()
    groups.close()
    assert kernel.groups() == [kernel.root]


def hybrid(kernel):
    process = member_of(kernel, "/x")
    (kernel.root / "cgroup.controllers").unlink()
    return process


def without_pids(kernel):
    (kernel.root / "cgroup.controllers").write_text("memory cpu")
    return member_of(kernel, "/")


def first_group(kernel):
    (kernel.root / "cgroup.type").unlink()
    return member_of(kernel, "/")


def says(text):
    def write(kernel):
        process = member_of(kernel, "/")
        process.write_text(text)
        return process

    return write


REFUSED = [
    (hybrid, "no unified hierarchy"),
    (without_pids, "no controller for pids"),
    (first_group, "machine's first group"),
    (lambda kernel: member_of(kernel, "/", 1), "shares its group"),
    (lambda kernel: member_of(kernel, "/", 0), "shares its group"),
    (says("0::/../other\n"), "no group that it can see"),
    (says("4:memory:/x\n"), "no group that it can see"),
    (says(""), "no group that it can see"),
    (says("0::/deleted (deleted)\n"), "no group that it can see"),
    (lambda kernel: kernel.root / "absent", "no group that it can see"),
]


@pytest.mark.parametrize(("arrange", "words"), REFUSED)
def test_where_nothing_is_delegated_nothing_is_touched_and_the_reason_is_said(kernel, arrange, words):
    process = arrange(kernel)
    before = kernel.tree()
    with pytest.raises(cgroups.NotDelegatedError, match=words):
        cgroups.find(kernel.root, process)
    assert kernel.tree() == before
    assert kernel.acts == 0


def test_being_able_to_write_is_not_delegation(kernel):
    """The machine's administrator can write to every group; a group is used only where it was handed over."""
    process = member_of(kernel, "/service")
    (kernel.root / "cgroup.procs").write_text("1\n")
    with pytest.raises(cgroups.NotDelegatedError, match="Delegate=yes"):
        cgroups.find(kernel.root, process)
    assert kernel.acts == 0
    kernel.marked.add(kernel.root / "service")
    groups = cgroups.find(kernel.root, process)
    assert groups.base == kernel.root / "service"
    groups.close()


def test_a_server_that_systemd_put_into_a_leaf_uses_the_group_above(kernel):
    (kernel.root / "cgroup.subtree_control").write_text("")
    process = member_of(kernel, "/main")
    (kernel.root / "main" / "cgroup.controllers").write_text("")
    groups = cgroups.find(kernel.root, process)
    assert groups.base == kernel.root
    assert (kernel.root / "main" / "cgroup.procs").read_text() == f"{OWN}\n"
    groups.close()


def test_a_tree_with_room_for_no_more_groups_is_left_as_it_was(kernel):
    process = member_of(kernel, "/")
    before = kernel.tree()
    for kernel.most in (1, 2, 3):
        with pytest.raises(cgroups.NotDelegatedError, match="cannot be divided"):
            cgroups.find(kernel.root, process)
        assert kernel.tree() == before


def test_a_run_whose_group_cannot_be_made_goes_without(kernel, groups):
    kernel.most = len(kernel.groups())
    with groups.for_run(256) as group:
        assert group is None
    kernel.most += 1
    with groups.for_run(256) as group, groups.for_run(256) as other:
        assert (group is None, other) == (False, None)


def test_a_group_that_is_busy_for_a_moment_is_removed_with_the_next(kernel, groups):
    with groups.for_run(256) as first:
        os.write(first.door, b"0")
        kernel.stuck = True
    assert first.folder.exists()
    kernel.stuck = False
    with groups.for_run(256) as second:
        pass
    assert not first.folder.exists()
    assert not second.folder.exists()


def test_what_a_killed_server_left_is_removed_and_a_living_servers_groups_stay(kernel):
    process = member_of(kernel, "/")
    for name in ("study-runs-1", "study-runs-1/run-1", "study-runs-2", "study-server-1", "other"):
        (kernel.root / name).mkdir()
        kernel.fill(kernel.root / name, "")
    (kernel.root / "study-runs-1" / "run-1" / "cgroup.procs").write_text("0\n")
    with cgroups._opened(kernel.root / "study-runs-2", os.O_RDONLY) as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        groups = cgroups.find(kernel.root, process)
        groups.close()
    assert {group.name for group in kernel.groups()} == {"cgroup", "study-runs-2", "other"}


def test_two_servers_do_not_divide_one_group_at_once(kernel):
    process = member_of(kernel, "/")
    before = kernel.tree()
    with cgroups._held(kernel.root), pytest.raises(cgroups.NotDelegatedError, match="cannot be divided"):
        cgroups.find(kernel.root, process)
    assert kernel.tree() == before


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 4), st.booleans())
def test_whatever_fails_once_no_run_fails_and_the_tree_is_given_back(fails_at, runs, subgroup):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        kernel = Kernel(Path(folder) / "cgroup")
        kernel.install(patch)
        process = member_of(kernel, "/main" if subgroup else "/")
        before = kernel.tree()
        kernel.fails_at = fails_at
        try:
            groups = cgroups.find(kernel.root, process)
        except cgroups.NotDelegatedError:
            assert kernel.tree() == before
            return
        for _ in range(runs):
            with groups.for_run(64) as group:
                if group is not None:
                    os.write(group.door, b"0")
        failed = kernel.acts >= fails_at
        groups.close()
        if failed or kernel.acts < fails_at:
            assert kernel.tree() == before


@given(st.binary(max_size=60))
def test_any_bytes_in_the_process_file_give_a_reason(data):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        kernel = Kernel(Path(folder) / "cgroup")
        kernel.install(patch)
        process = member_of(kernel, "/", 1)
        process.write_bytes(b"0::/" + data)
        with contextlib.suppress(cgroups.NotDelegatedError):
            cgroups.find(kernel.root, process)
        assert kernel.acts == 0


@pytest.fixture
def sandbox(groups, monkeypatch):
    monkeypatch.setattr(cgroups, "of_this_process", lambda: (groups, ""))
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def test_a_run_enters_its_group_before_its_program_starts(sandbox, kernel, groups):
    sandbox.isolation()
    kernel.entered.clear()
    seen = []

    def look(line):
        seen.extend(folder.joinpath("cgroup.procs").read_text() for folder in groups._runs.glob("run-*"))

    result = sandbox.run(Program("print('on')\nimport time\ntime.sleep(.2)"), look)
    assert (result.stdout, result.ended_by, seen) == ("on\n", "exit", ["0"])
    assert [text for _, text in kernel.entered] == ["0"]
    assert list(groups._runs.glob("run-*")) == []


def test_no_canary_finds_more_where_runs_have_groups(sandbox):
    seen = sandbox.isolation()
    assert seen.level != "off"
    assert seen.canaries["descriptors"]
    assert seen.bounds["cgroup"].startswith("not in use: no run could be moved")


def test_a_run_whose_group_fails_to_be_made_is_run_all_the_same(sandbox, kernel):
    sandbox.isolation()
    kernel.most = 0
    assert sandbox.run(Program("print(1)")).stdout == "1\n"


@pytest.mark.parametrize(("events", "ended_by"), [("oom 1\noom_kill 1\n", "memory"), ("oom 0\noom_kill 0\n", "exit")])
def test_a_run_that_the_kernel_ends_for_want_of_memory_says_so(sandbox, groups, events, ended_by):
    def note(line):
        for folder in groups._runs.glob("run-*"):
            (folder / "memory.events").write_text(events)

    code = "import os, time\nprint('on')\ntime.sleep(.3)\nos.kill(os.getpid(), 9)"
    sandbox.isolation()
    result = sandbox.run(Program(code), note)
    assert (result.exit_status, result.ended_by) == (-9, ended_by)


@pytest.mark.parametrize("counted", ["uid", "real_uid", "namespace", "none"])
def test_what_bounds_resources_is_said_for_each_means(groups, counted):
    without = bounds.resource_bounds(counted, None, "because")
    assert list(without) == ["cgroup", "user namespace", "RLIMIT", "watchdog"]
    assert without["cgroup"] == "not in use: because"
    groups.placed = True
    assert str(groups.base) in bounds.resource_bounds(counted, groups, "")["cgroup"]
    assert ("not threads" in without["RLIMIT"]) == (counted == "none")


def test_a_delegated_group_of_a_real_kernel_bounds_memory_and_threads(monkeypatch):
    try:
        groups = cgroups.find()
    except cgroups.NotDelegatedError as reason:
        pytest.skip(f"no cgroup is delegated to the tests: {reason}")
    monkeypatch.setattr(cgroups, "of_this_process", lambda: (groups, ""))
    sandbox = LocalSandbox()
    try:
        assert sandbox.isolation().canaries["threads"]
        assert groups.placed
        monkeypatch.setattr(cgroups, "MARGIN_MB", -200)
        limits = RunLimits(memory_mb=256)
        assert sandbox.run(Program("kept = b'x' * 150_000_000\nprint(1)", limits=limits)).ended_by == "memory"
        assert list(groups._runs.glob("run-*")) == []
    finally:
        sandbox.close()
        groups.close()
    assert not groups._runs.exists()
