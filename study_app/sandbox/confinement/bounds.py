"""What bounds the resources that a run takes on this machine, a sentence for each means."""

from __future__ import annotations

from study_app.sandbox.confinement.cgroups import RunGroups
from study_app.sandbox.confinement.lockdown import MAX_TASKS, Counted

_COUNTED_BY: dict[Counted, str] = {
    "uid": "not needed: each run has its own user, by which its threads are counted",
    "real_uid": "not needed: each run has its own real user, by which its threads are counted",
    "namespace": "each run has one, in which its threads are counted alone",
    "none": "not in use: the kernel refuses it, or the server is root",
}


def resource_bounds(counted: Counted, groups: RunGroups | None, why_none: str) -> dict[str, str]:
    """Means -> what it bounds here, or why it does not.

    Args:
        counted: what RLIMIT_NPROC counts a run's threads by.
        groups: the runs' cgroups, None where there are none.
        why_none: the reason for that.
    """
    threads = "; threads of each run" if counted != "none" else "; not threads, which it would count for all runs"
    return {
        "cgroup": _cgroup(groups, why_none),
        "user namespace": _COUNTED_BY[counted],
        "RLIMIT": f"address space, computing time, open files and size of files of each run{threads}",
        "watchdog": f"ends a run that has more than {MAX_TASKS} threads",
    }


def _cgroup(groups: RunGroups | None, why_none: str) -> str:
    if groups is None:
        return f"not in use: {why_none}"
    if not groups.placed:
        return f"not in use: no run could be moved into a group below {groups.base}"
    return f"memory with the kernel's, threads and processors of each run, below {groups.base}"
