"""The fork server: a fresh interpreter that has imported a task pack's packages and forks one child per run.

Started as a script by `server.ForkServer`, never imported by the app. It never reads a participant's code: each child
reads its own job from its own pipe, so no run can find another's in inherited memory. One socket carries requests
(fixed-size messages, descriptors attached) one way and ends of runs the other way.
"""

from __future__ import annotations

import contextlib
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
from collections.abc import Iterator
from typing import Any

REQUEST = struct.Struct("<B7xQ")
"""Kind (RUN or KILL), run id. RUN carries four descriptors: job, standard output, standard error, report; and where
runs have cgroups, a fifth that moves the process which writes to it into its group."""
ENDING = struct.Struct("<B3xiQddQ")
"""Kind (ENDED or NOT_STARTED), wait status, run id, user and system seconds, peak memory in KB."""
RUN, KILL = 1, 2
PIPES = 4
ENDED, NOT_STARTED = 1, 2


class PackFinder(importlib.abc.MetaPathFinder):
    """Finds the pack's packages and their dependencies in site-packages, and nothing else there."""

    def __init__(self, names: list[str], folders: list[str], metadata: list[str]) -> None:
        self.names = frozenset(names)
        self.folders = folders
        self.metadata = metadata

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Return the module's spec, None for what the pack does not name."""
        if path is None and name in self.names:
            return importlib.machinery.PathFinder.find_spec(name, self.folders)
        return None

    def find_distributions(self, context: Any = None) -> Iterator[Any]:
        """Yield the same packages' metadata, for packages that ask for a version, their own or another's."""
        # Imported when it is asked for: most runs never do, and it is large.
        from importlib.metadata import PathDistribution
        from pathlib import Path

        wanted = None if context is None or context.name is None else _folded(context.name)
        for path in self.metadata:
            if wanted in (None, _folded(os.path.basename(path).partition("-")[0])):
                yield PathDistribution(Path(path))


def _folded(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _preload(config: dict[str, Any]) -> None:
    sys.meta_path.append(PackFinder(config["modules"], config["folders"], config["metadata"]))
    for name in (*config["standard"], *config["packages"]):
        importlib.import_module(name)
    for name in config["submodules"]:
        # A name taken from `from package import name`: a module, or something in one.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


class Served:
    """What the fork server keeps while it serves; a child drops all of it before it reads a program."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.running: dict[int, int] = {}
        self.pid = os.getpid()
        self.waker, self.woken = socket.socketpair()
        for end in (self.waker, self.woken):
            end.setblocking(False)
        # SIGCHLD needs a handler, or the wakeup descriptor gets no byte. The handler itself does nothing: it would
        # run between any two bytecodes, also in the middle of `fork`, and a full socket must not raise there either.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)

    def fork(self, run_id: int) -> bool:
        """Fork a run; True in the child. The app hears where it cannot be done."""
        try:
            pid = os.fork()
        except OSError:
            self.control.sendall(ENDING.pack(NOT_STARTED, 0, run_id, 0.0, 0.0, 0))
            return False
        if pid == 0:
            return True
        self.running[pid] = run_id
        return False

    def reap(self) -> None:
        """Say of every child that has ended how it did."""
        while self.running:
            # Several ends can share one SIGCHLD, so everything that has ended is collected.
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            run_id = self.running.pop(pid)
            self.control.sendall(ENDING.pack(ENDED, status, run_id, usage.ru_utime, usage.ru_stime, usage.ru_maxrss))

    def kill(self, run_id: int | None = None) -> None:
        """End one run, or all."""
        for pid in [pid for pid, owner in self.running.items() if run_id in (owner, None)]:
            # The pid cannot have been given to another process: it is ours until `reap` has waited for it.
            os.kill(pid, signal.SIGKILL)


def _serve(served: Served) -> tuple[int, list[int]] | None:
    """Serve until the app hangs up.

    Returns:
        None, or in a child the run's id and descriptors: the caller gives up this loop's frames before it reads a
        program, so that a program that walks up its stack finds neither other runs nor the configuration.
    """
    while True:
        ready = {key.fileobj for key, _ in served.selector.select()}
        if served.woken in ready:
            served.woken.recv(4096)
            served.reap()
        if served.control not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(served.control, REQUEST.size, PIPES + 1)
        if len(data) < REQUEST.size:
            served.kill()
            return None
        kind, run_id = REQUEST.unpack(data)
        if kind == KILL:
            served.kill(run_id)
            continue
        if served.fork(run_id):
            return run_id, descriptors
        for descriptor in descriptors:
            os.close(descriptor)


def _start() -> tuple[socket.socket, Any, Any, Any]:
    """Read the configuration, preload, prepare the walls and say hello; control, plan, child and lockdown."""
    control = socket.socket(fileno=int(sys.argv[1]))
    size = struct.unpack("<I", control.recv(4, socket.MSG_WAITALL))[0]
    config = json.loads(control.recv(size, socket.MSG_WAITALL))
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) not in config["hidden_folders"]]
    sys.path.insert(0, config["root"])
    from study_app.sandbox import child
    from study_app.sandbox.confinement import lockdown
    from study_app.sandbox.inside import libraries

    sys.path.remove(config["root"])
    sys.path_importer_cache.pop(config["root"], None)
    # A program that finds our modules in `sys.modules` could patch what reads its job.
    for name in [name for name in sys.modules if name.partition(".")[0] == "study_app"]:
        del sys.modules[name]
    site.setquit()
    site.sethelper()
    _preload(config)
    libraries.make_ready(config["readable"])
    plan = lockdown.prepare(
        config["readable"],
        max_abi=config["max_abi"],
        use_seccomp=config["use_seccomp"],
        probe=config["probe"],
        native=config["native"],
        new_root=config["root_of_runs"],
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A collection in a child would write to every preloaded object's header and copy all shared pages.
    gc.collect()
    gc.freeze()
    hello = {
        "landlock_abi": plan.landlock_abi,
        "seccomp": plan.filter is not None,
        "own_uid": plan.own_uid,
        "root": plan.root,
        "threads_counted": plan.counted,
        "new_root": bool(plan.new_root),
    }
    data = json.dumps(hello).encode()
    control.sendall(struct.pack("<I", len(data)) + data)
    return control, plan, child, lockdown


def _lock(lockdown: Any, plan: Any, run_id: int, server: int) -> Any:
    """Return what locks the child down once its job is read."""

    def lock(job: dict[str, Any]) -> None:
        lockdown.apply(plan, run_id=run_id, memory_mb=job["memory_mb"], cpu_seconds=job["cpu_seconds"])
        # The signal for a parent's death is set after the fork: a server that died before it would not be noticed.
        if os.getppid() != server:
            raise OSError("the fork server is gone")

    return lock


def _enter_group(door: int) -> None:
    """Move this process into its cgroup; where the kernel refuses, the other limits bound it."""
    try:
        os.write(door, b"0")
    except OSError:
        pass
    finally:
        os.close(door)


def main() -> list[Any] | None:
    """Serve; None at the end of the server, in a child what `child.run` takes."""
    control, plan, child, lockdown = _start()
    served = Served(control)
    forked = _serve(served)
    if forked is None:
        return None
    run_id, descriptors = forked
    lock = _lock(lockdown, plan, run_id, served.pid)
    signal.set_wakeup_fd(-1)
    served.selector.close()
    # Closed here and not by the garbage collector later, when the numbers belong to the run's own pipes.
    for end in (served.waker, served.woken, control):
        end.close()
    for door in descriptors[PIPES:]:
        _enter_group(door)
    del descriptors[PIPES:]
    return [child.run, descriptors, lockdown.own_ruleset(plan), lock]


if __name__ == "__main__":
    if (forked := main()) is not None:
        forked.pop(0)(*(forked.pop(0) for _ in range(3)))
