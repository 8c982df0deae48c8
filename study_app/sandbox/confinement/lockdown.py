"""How a child gives up everything it does not need, before it sees a participant's code.

Two halves: `prepare` runs once in the fork server (Landlock ruleset, filter, what the machine offers); `apply` runs in
each child. Nothing here can be undone by the child.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from study_app.sandbox.confinement import landlock, seccomp, syscalls

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_GET_SECCOMP = 1, 24, 38, 21
_CAPABILITY_VERSION_3 = 0x20080522
RULESET = 5
"""Descriptor at which children find the Landlock ruleset, beside their pipes at 0 to 4."""
_FIRST_UID, _UIDS = 61184, 4336
"""The range that systemd too lends to short-lived services: no account's files are in it."""
_OWN_CGROUP = "/proc/self/cgroup"
_GROUP_LIMITS = (
    "cpu.max",
    "memory.max",
    "memory.high",
    "cpu.cfs_quota_us",
    "cpu.cfs_period_us",
    "memory.limit_in_bytes",
)
MAX_TASKS = 64
"""Threads of one run, its first included. Trio's worker threads are at most 40."""
THREADS = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "POLARS_MAX_THREADS",
    ),
    "2",
)
"""Numerical libraries start a thread for each core unless their environment says how many; two fit any cap."""
_CLONE_NEWUSER = 0x10000000


Counted = Literal["uid", "real_uid", "namespace", "none"]
"""What RLIMIT_NPROC counts a run's threads by: the kernel counts them for each real uid in each user namespace.

`uid`: the run has its own uid. `real_uid`: only its real uid is its own; the effective one is the server's, which
may read a Python that other users may not. `namespace`: the run has its own user namespace. `none`: the limit
would count all processes of the server's user, so it is not set.
"""


@dataclass(frozen=True)
class ConfinementPlan:
    """What this machine offers, made ready."""

    libc: ctypes.CDLL | None
    landlock_abi: int
    ruleset: int | None
    """Descriptor in the fork server; `RULESET` in its children."""
    filter: list[seccomp.Instruction] | None
    own_uid: bool
    """Each run gets its own uid."""
    root: bool
    counted: Counted
    first_uid: int
    """Where this server's uids begin: two servers on one machine rarely count each other's threads."""
    own_rules: landlock.Rules | None = None
    """From which each run makes its own ruleset, with the one file of /proc that compiled code asks for."""
    base_mb: int = 0
    """Address space that the imported packages take before any program runs."""
    new_root: str = ""
    """The folder that a run sees as the whole file system; empty where it keeps the server's."""


def prepare(
    readable: list[str],
    *,
    max_abi: int | None,
    use_seccomp: bool = True,
    probe: Sequence[str] = (os.__file__,),
    native: bool = False,
    new_root: str = "",
) -> ConfinementPlan:
    """Find out what the machine offers and build what is the same for all runs.

    Args:
        readable: the only files and folders that programs may read.
        max_abi: pretend that Landlock is no newer than this (0: not there), for tests; None for what there is.
        use_seccomp: False pretends that the kernel has none.
        probe: files that a run must be able to read under its own uid, else runs keep the server's uid.
        native: programs use compiled packages, which ask `/proc/self/cgroup` how much memory there is.
        new_root: a folder that holds what is readable, for a machine without Landlock; empty where there is none.
    """
    if sys.platform != "linux":
        return ConfinementPlan(
            None, 0, None, None, own_uid=False, root=os.geteuid() == 0, counted="none", first_uid=_FIRST_UID
        )
    libc = ctypes.CDLL(None, use_errno=True)
    version = landlock.abi(libc)
    version = version if max_abi is None else min(version, max_abi)
    rules = landlock.Rules(readable, version) if version else None
    ruleset = rules.create(libc) if rules else None
    machine = syscalls.machine()
    offered = use_seccomp and machine is not None and libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0
    program = seccomp.assemble(machine) if offered and machine else None
    root = os.geteuid() == 0
    own_uid = root and _can_drop_uid(probe, must=not version)
    counted: Counted = "uid" if own_uid else _counted(libc)
    first = _FIRST_UID + int.from_bytes(os.urandom(4), "little") % _UIDS
    return ConfinementPlan(
        libc,
        version,
        ruleset,
        program,
        own_uid=own_uid,
        root=root,
        counted=counted,
        first_uid=first,
        own_rules=rules if native else None,
        base_mb=_address_space_mb(),
        new_root=new_root if new_root and not version and _in_a_child(lambda: os.chroot(new_root)) else "",
    )


def _address_space_mb() -> int:
    """Address space of this process; 0 where /proc does not say."""
    try:
        with open("/proc/self/statm") as handle:
            return int(handle.read().split()[0]) * resource.getpagesize() // (1024 * 1024)
    except (OSError, ValueError, IndexError):
        return 0


def own_ruleset(plan: ConfinementPlan) -> int | None:
    """Return the ruleset of the calling process, a run before it is locked down; a descriptor."""
    if plan.own_rules is None or plan.libc is None:
        return plan.ruleset
    return plan.own_rules.create(plan.libc, also=(_OWN_CGROUP, *_own_group_limits()))


def _own_group_limits() -> Iterator[str]:
    """Yield the files that say how much memory and processors the cgroups of this process have.

    Its own groups, and those above.
    """
    with contextlib.suppress(OSError), open(_OWN_CGROUP) as handle:
        for line in handle:
            _, controllers, path = line.strip().split(":", 2)
            top = f"/sys/fs/cgroup/{controllers}".rstrip("/")
            while True:
                yield from (f"{top}{path.rstrip('/')}/{name}" for name in _GROUP_LIMITS)
                if path in ("", "/"):
                    break
                path = os.path.dirname(path)


def _in_a_child(act: Callable[[], object]) -> bool:
    """Return whether an act succeeds, tried in a child that ends with it."""
    child = os.fork()
    if child == 0:
        try:
            act()
            # Not `sys.exit`: buffers and exit handlers belong to the parent, and would run twice.
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _can_drop_uid(probe: Sequence[str], *, must: bool) -> bool:
    """Return whether a child may become another user and still read the standard library.

    Where Landlock is absent the other uid is the only wall round files, so an unreadable library does not count.
    """

    def drop() -> None:
        _become(_FIRST_UID)
        for path in () if must else probe:
            with open(path, "rb"):
                pass

    return _in_a_child(drop)


def _counted(libc: ctypes.CDLL) -> Counted:
    """Return how a run that keeps the server's user can have its threads counted alone."""
    # Tried rather than asked for: capabilities, security modules and namespaces each may refuse it, and no one place
    # says so.
    if _in_a_child(lambda: os.setresuid(_FIRST_UID, -1, -1)):
        return "real_uid"
    # The kernel never applies the limit to the machine's root, whatever its namespace.
    if not _is_root_of_the_machine() and _in_a_child(lambda: _unshare_user(libc)):
        return "namespace"
    return "none"


def _is_root_of_the_machine() -> bool:
    """Return whether this process's user is the first namespace's root, as far as its uid map tells."""
    if os.getuid() != 0:
        return False
    try:
        with open("/proc/self/uid_map") as handle:
            return any(line.split()[:2] == ["0", "0"] for line in handle)
    except OSError:
        return True


def _unshare_user(libc: ctypes.CDLL) -> None:
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "a user namespace was refused")


def _become(uid: int) -> None:
    # Groups first, while the process may still change them; then real, effective and saved id at once, because one that
    # is left behind can be taken back.
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _count_alone(plan: ConfinementPlan, libc: ctypes.CDLL, run_id: int) -> None:
    """Make RLIMIT_NPROC count this run alone; must precede the calls that a change of credentials undoes."""
    # In turn, so that runs at the same time differ: with one uid one run could signal another, and their threads would
    # be counted together.
    uid = _FIRST_UID + (plan.first_uid - _FIRST_UID + run_id) % _UIDS
    if plan.counted == "uid":
        _become(uid)
    elif plan.counted == "real_uid":
        os.setresuid(uid, -1, -1)
    elif plan.counted == "namespace":
        _unshare_user(libc)


def limit_resources(memory_mb: int, cpu_seconds: int, *, counted: bool) -> None:
    """Set the hard resource limits of one run; that on threads only where it counts this run alone."""
    wanted = {
        "RLIMIT_AS": memory_mb * 1024 * 1024,
        "RLIMIT_NOFILE": 64,
        # A descriptor open for writing may be a pipe, to which this limit does not apply; every file that could grow is
        # refused.
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_SIGPENDING": 256,
        "RLIMIT_RTPRIO": 0,
    }
    if counted:
        wanted["RLIMIT_NPROC"] = MAX_TASKS
    for name, value in wanted.items():
        if hasattr(resource, name):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, name), (value, value))
    # The soft limit sends SIGXCPU, which a program can ignore; the hard one, a second later, cannot be.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    # The bounding set first: to shrink it takes CAP_SETPCAP, which the call below gives up. Numbers that the kernel
    # does not know are refused without harm.
    for capability in range(64):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = ctypes.create_string_buffer(struct.pack("<Ii", _CAPABILITY_VERSION_3, 0), 8)
    # Version 3 has two words for each of effective, permitted and inheritable.
    nothing = ctypes.create_string_buffer(24)
    if libc.syscall(ctypes.c_long(syscalls.number("capset") or -1), header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capabilities could not be dropped")


def apply(plan: ConfinementPlan, *, run_id: int, memory_mb: int, cpu_seconds: int) -> None:
    """Lock the calling process down, for ever.

    Raises:
        OSError: a wall that `prepare` promised could not be put up; the caller must not run the program.
    """
    with contextlib.suppress(OSError):
        # Participants' programs give way to the server that answers everybody's keystrokes.
        os.nice(5)
    # A new user namespace takes the limit that its first process has, so the limit is set before it is made.
    limit_resources(plan.base_mb + memory_mb, cpu_seconds, counted=plan.counted != "none")
    if plan.libc is None:
        return
    libc = plan.libc
    if plan.new_root:
        os.chroot(plan.new_root)
        os.chdir("/")
    _count_alone(plan, libc, run_id)
    if not plan.own_uid and (plan.root or plan.counted == "namespace"):
        _drop_capabilities(libc)
    # After the change of user, which clears it: no run outlives its fork server.
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    # Without it an unprivileged process may put up neither wall, and a setuid program could leave them.
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs refused")
    if plan.ruleset is not None:
        landlock.restrict(RULESET, libc)
        os.close(RULESET)
    # Last, because it refuses the calls with which the other walls are put up.
    if plan.filter is not None:
        seccomp.install(seccomp.encode(plan.filter, os.getpid()), libc)
