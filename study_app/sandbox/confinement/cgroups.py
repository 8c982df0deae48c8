"""Bounds what a run takes by a cgroup (version 2), where the server's own group is delegated to it.

The delegated group is divided in two: a leaf that holds the server, for a group that hands controllers on may hold no
process, and a folder that holds one group for each run. Where nothing is delegated, nothing is touched.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import itertools
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from study_app.sandbox.confinement.lockdown import MAX_TASKS

ROOT = Path("/sys/fs/cgroup")
PROCESS = Path("/proc/self/cgroup")
MARGIN_MB = 64
"""Beyond the pack's limit on address space, for what the kernel holds for a run: page tables, stacks, pipes."""
_NEEDED, _WELCOME = ("memory", "pids"), ("cpu",)
_CPU_MAX = "200000 100000"
"""Two processors at most: numerical libraries have two threads (`lockdown.THREADS`)."""
_LEAF, _RUNS = "study-server-", "study-runs-"
_MARKS = ("trusted.delegate", "user.delegate")
"""Attributes by which systemd marks a group that it has delegated."""


class NotDelegatedError(Exception):
    """No cgroup can be used here; the message is the reason."""


@dataclass(frozen=True)
class RunGroup:
    """The group of one run."""

    folder: Path
    door: int
    """Descriptor open for writing: the process that writes 0 to it moves into the group."""

    def out_of_memory(self) -> bool:
        """Return whether the kernel ended the run for want of memory."""
        return _count(self.folder / "memory.events", "oom_kill") > 0


class RunGroups:
    """A group for each run, below one delegated group; safe to use from many threads.

    Args:
        base: the delegated group, as `find` found it.

    Raises:
        OSError: the group cannot be divided; it is as it was before.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.placed = False
        """Whether a run was seen inside its group."""
        self._owner = os.getpid()
        self._leaf: Path | None = None
        self._runs = base / f"{_RUNS}{self._owner}"
        self._held = -1
        self._added: list[str] = []
        self._numbers = itertools.count(1)
        self._left: list[Path] = []
        self._lock = threading.Lock()
        try:
            with _held(base):
                _remove_left_overs(base)
                self._divide()
            # One on trial: a kernel that refuses a group's limits must be known now and not at the first participant's
            # run.
            folder = self._make(1)
            self._end(folder)
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def for_run(self, memory_mb: int) -> Iterator[RunGroup | None]:
        """Provide a group for the length of one run; None where it cannot be made, and the run does without.

        Args:
            memory_mb: the pack's limit on address space.
        """
        group = self._opened(memory_mb + MARGIN_MB)
        try:
            yield group
        finally:
            if group is not None:
                os.close(group.door)
                self._end(group.folder)

    def close(self) -> None:
        """End what runs and give the group back as it was, as far as the kernel lets go; idempotent."""
        # A fork inherits exit handlers, and must not end its parent's runs.
        if os.getpid() != self._owner:
            return
        if self._held >= 0:
            _empty(self._runs)
            os.close(self._held)
            self._held = -1
        with contextlib.suppress(OSError):
            for name in self._added:
                _write(self.base / "cgroup.subtree_control", f"-{name}")
            self._added = []
            if self._leaf is not None:
                _write(self.base / "cgroup.procs", str(self._owner))
                _remove(self._leaf)
                self._leaf = None

    def _divide(self) -> None:
        if _processes(self.base):
            leaf = self.base / f"{_LEAF}{self._owner}"
            _make(leaf)
            self._leaf = leaf
            _write(leaf / "cgroup.procs", str(self._owner))
        # The kernel hands controllers on only from a group without processes, so this process moves into a leaf first.
        self._added = _hand_on(self.base)
        _make(self._runs)
        self._held = os.open(self._runs, os.O_RDONLY | os.O_DIRECTORY)
        # Held as long as this process lives: a folder that can be locked belongs to a server that was killed.
        fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _hand_on(self._runs)

    def _opened(self, memory_mb: int) -> RunGroup | None:
        try:
            folder = self._make(memory_mb)
        except OSError:
            return None
        try:
            # Opened by the server: the child moves itself by this descriptor when it can no longer open the file.
            return RunGroup(folder, os.open(folder / "cgroup.procs", os.O_WRONLY))
        except OSError:
            self._end(folder)
            return None

    def _make(self, memory_mb: int) -> Path:
        folder = self._runs / f"run-{os.getpid()}-{next(self._numbers)}"
        _make(folder)
        try:
            _write(folder / "memory.max", str(memory_mb * 1024 * 1024))
            _write(folder / "pids.max", str(MAX_TASKS))
            # Without swap a run ends at its limit rather than slowing the machine down; as one group, so that no thread
            # is left of it.
            for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1"), ("cpu.max", _CPU_MAX)):
                # Absent without swap, on older kernels, or where processors are not delegated.
                with contextlib.suppress(FileNotFoundError):
                    _write(folder / name, value)
        except BaseException:
            _empty(folder)
            raise
        return folder

    def _end(self, folder: Path) -> None:
        # Time used in the group is the proof that a process was moved into it.
        self.placed = self.placed or _count(folder / "cpu.stat", "usage_usec") > 0
        with self._lock:
            # A process that is still dying keeps its group for a moment: the next run's end removes it.
            self._left = [left for left in [*self._left, folder] if not _empty(left)]


def find(root: Path = ROOT, process: Path = PROCESS) -> RunGroups:
    """Divide the group that is delegated to this process: its own, or the one above where systemd put it in a leaf.

    Args:
        root: where the hierarchy is mounted.
        process: what says which group this process is in.

    Raises:
        NotDelegatedError: there is none, or it cannot be divided.
    """
    own = _own_group(root, process)
    refusal = _refusal(own, root)
    base = own
    if refusal and own != root and not _refusal(own.parent, root):
        base, refusal = own.parent, ""
    if refusal:
        raise NotDelegatedError(refusal)
    try:
        return RunGroups(base)
    except OSError as error:
        raise NotDelegatedError(f"this server's group cannot be divided ({error.strerror or error})") from error


_finding = threading.Lock()
_found: tuple[RunGroups | None, str] | None = None


def of_this_process() -> tuple[RunGroups | None, str]:
    """Return the groups for this process's runs, looked for once and given back at its end; None, and why, without."""
    global _found
    with _finding:
        if _found is None:
            try:
                groups = find()
                atexit.register(groups.close)
                _found = groups, ""
            except NotDelegatedError as reason:
                _found = None, str(reason)
        return _found


def _own_group(root: Path, process: Path) -> Path:
    if not (root / "cgroup.controllers").is_file():
        raise NotDelegatedError(f"there is no unified hierarchy (version 2) at {root}")
    try:
        lines = os.fsdecode(process.read_bytes()).splitlines()
    except OSError:
        lines = []
    path = next((line[3:] for line in lines if line.startswith("0::/")), None)
    own = root / (path or "").lstrip("/")
    if path is None or ".." in path.split("/") or os.getpid() not in _processes(own):
        raise NotDelegatedError("this process is in no group that it can see")
    return own


def _refusal(group: Path, root: Path) -> str:
    """Return why a group may not be divided by this process; empty where it may."""
    if not (group / "cgroup.type").is_file():
        return "this server is in the machine's first group"
    if not _delegated(group, root):
        return "this server's group is not delegated to it (systemd: Delegate=yes)"
    if not all(os.access(path, os.W_OK) for path in (group, group / "cgroup.procs", group / "cgroup.subtree_control")):
        return "this server may not write to its group"
    missing = set(_NEEDED) - set(_read_file(group / "cgroup.controllers").split())
    if missing:
        return f"this server's group has no controller for {' and '.join(sorted(missing))}"
    if set(_processes(group)) - {os.getpid()}:
        return "this server shares its group with other processes"
    return ""


def _delegated(group: Path, root: Path) -> bool:
    """Whether it was handed over: marked by systemd, a container's first group, or owned by this user from here on."""
    if group == root:
        return True
    for mark in _MARKS:
        with contextlib.suppress(OSError, AttributeError):
            if os.getxattr(group, mark) == b"1":
                return True
    user = os.geteuid()
    return user != 0 and group.stat().st_uid == user != group.parent.stat().st_uid


def _hand_on(group: Path) -> list[str]:
    """Hand controllers on to the groups below; those that were not before."""
    control = group / "cgroup.subtree_control"
    before = _read_file(control).split()
    added: list[str] = []
    for name in (*_NEEDED, *_WELCOME):
        if name in before:
            continue
        try:
            _write(control, f"+{name}")
            added.append(name)
        except OSError:
            if name in _NEEDED:
                for undone in added:
                    _write(control, f"-{undone}")
                raise
    return added


def _remove_left_overs(base: Path) -> None:
    """Remove what servers left that were killed: their folders are not locked, their leaves are empty."""
    for folder in base.glob(f"{_RUNS}*"):
        with contextlib.suppress(OSError), _held(folder):
            _empty(folder)
    for leaf in base.glob(f"{_LEAF}*"):
        with contextlib.suppress(OSError):
            _remove(leaf)


def _empty(group: Path) -> bool:
    """End every process in a group and below, and remove it; whether it is gone."""
    if not group.is_dir():
        return True
    try:
        _write(group / "cgroup.kill", "1")
    except OSError:
        # Before Linux 5.14.
        # 0 stands for a process that this one cannot see, and would mean its own process group.
        for pid in filter(None, [pid for folder in _groups(group) for pid in _processes(folder)]):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    for folder in _groups(group):
        with contextlib.suppress(OSError):
            _remove(folder)
    return not group.is_dir()


def _groups(group: Path) -> list[Path]:
    """Return a group and those below it, the deepest first."""
    return [Path(folder) for folder, _, _ in os.walk(group, topdown=False)]


def _processes(group: Path) -> list[int]:
    return [int(line) for line in _read_file(group / "cgroup.procs").split()]


def _count(file: Path, name: str) -> int:
    """Return a number in a file of names and numbers; 0 where it is absent."""
    pairs = (line.split() for line in _read_file(file).splitlines())
    return next((int(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] == name), 0)


def _read_file(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; OSError where another process does."""
    with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _write(file: Path, text: str) -> None:
    with _opened(file, os.O_WRONLY) as descriptor:
        os.write(descriptor, text.encode())


def _make(group: Path) -> None:
    os.mkdir(group)


def _remove(group: Path) -> None:
    os.rmdir(group)
