"""The fork server: a fresh interpreter that has imported a task pack's packages and forks one child per run.

Started as a script by `server.ForkServer`, never imported by the app. It never reads a participant's code: each child
reads its own job from its own pipe, so no run can find another's in inherited memory. One socket carries requests
(fixed-size messages, descriptors attached) one way and ends of runs the other way.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import selectors
import signal
import site
import socket
import struct
import sys
from typing import Any

REQUEST = struct.Struct("<B7xQ")
"""Kind (RUN or KILL), run id. RUN carries four descriptors: job, standard output, standard error, report."""
ENDING = struct.Struct("<B3xiQddQ")
"""Kind (ENDED or NOT_STARTED), wait status, run id, user and system seconds, peak memory in KB."""
RUN, KILL = 1, 2
ENDED, NOT_STARTED = 1, 2


class PackFinder(importlib.abc.MetaPathFinder):
    """Finds the pack's packages and their dependencies in site-packages, and nothing else there."""

    def __init__(self, names: list[str], folders: list[str]) -> None:
        self.names = frozenset(names)
        self.folders = folders

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """The module's spec, None for what the pack does not name."""
        if path is None and name in self.names:
            return importlib.machinery.PathFinder.find_spec(name, self.folders)
        return None


def _preload(config: dict[str, Any]) -> None:
    sys.meta_path.append(PackFinder(config["modules"], config["folders"]))
    for name in (*config["standard"], *config["packages"]):
        importlib.import_module(name)


def _serve(control: socket.socket, plan: Any, child: Any, lockdown: Any) -> None:
    running: dict[int, int] = {}
    zygote = os.getpid()
    waker, woken = socket.socketpair()
    for end in (waker, woken):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)

    def start(run_id: int, descriptors: list[int]) -> None:
        def lock(job: dict[str, Any]) -> None:
            lockdown.apply(plan, run_id=run_id, memory_mb=job["memory_mb"], cpu_seconds=job["cpu_seconds"])
            if os.getppid() != zygote:
                raise OSError("the fork server is gone")

        try:
            pid = os.fork()
        except OSError:
            control.sendall(ENDING.pack(NOT_STARTED, 0, run_id, 0.0, 0.0, 0))
            return
        if pid == 0:
            child.run(descriptors, plan.ruleset, lock)
        running[pid] = run_id

    def reap() -> None:
        while running:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            run_id = running.pop(pid)
            control.sendall(ENDING.pack(ENDED, status, run_id, usage.ru_utime, usage.ru_stime, usage.ru_maxrss))

    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if woken in ready:
            woken.recv(4096)
            reap()
        if control in ready:
            data, descriptors, _, _ = socket.recv_fds(control, REQUEST.size, 4)
            if len(data) < REQUEST.size:
                break
            kind, run_id = REQUEST.unpack(data)
            if kind == RUN:
                start(run_id, descriptors)
                for descriptor in descriptors:
                    os.close(descriptor)
                continue
            for pid in [pid for pid, owner in running.items() if owner == run_id]:
                os.kill(pid, signal.SIGKILL)
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Read the configuration, preload, prepare the walls, say hello, serve until the app hangs up."""
    control = socket.socket(fileno=int(sys.argv[1]))
    size = struct.unpack("<I", control.recv(4, socket.MSG_WAITALL))[0]
    config = json.loads(control.recv(size, socket.MSG_WAITALL))
    sys.path[:] = [entry for entry in sys.path if entry not in config["folders"]]
    sys.path.insert(0, config["root"])
    from study_app.sandbox import child, lockdown

    sys.path.remove(config["root"])
    sys.path_importer_cache.pop(config["root"], None)
    for name in [name for name in sys.modules if name.partition(".")[0] == "study_app"]:
        del sys.modules[name]
    site.setquit()
    site.sethelper()
    _preload(config)
    plan = lockdown.prepare(config["readable"], max_abi=config["max_abi"], use_seccomp=config["use_seccomp"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    hello = {
        "landlock_abi": plan.landlock_abi,
        "seccomp": plan.filter is not None,
        "own_uid": plan.own_uid,
        "root": plan.root,
    }
    data = json.dumps(hello).encode()
    control.sendall(struct.pack("<I", len(data)) + data)
    _serve(control, plan, child, lockdown)


if __name__ == "__main__":
    main()
