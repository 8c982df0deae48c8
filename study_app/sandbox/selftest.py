"""Canaries: small attacks run through the real launcher, so that isolation is what was seen, not what is installed."""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from study_app.domain.tasks.programs import Isolation, IsolationLevel, Program, RunLimits, RunResult
from study_app.sandbox.confinement.lockdown import MAX_TASKS

_ESCAPED = "canary escaped"
_LIMITS = RunLimits(wall_seconds=5.0, cpu_seconds=2, output_bytes=10_000)
_FORMS = {
    "read_file": "print(open({file!r}).read() and ESCAPED)",
    "read_process": "print(open('/proc/{pid}/environ', 'rb').read() is not None and ESCAPED)",
    "list_files": "import os; print(os.listdir({folder!r}) is not None and ESCAPED)",
    "write_file": "open({folder!r} + '/planted', 'w').write('x'); print(ESCAPED)",
    "connect_tcp": "import socket; socket.create_connection(('127.0.0.1', {port}), 1); print(ESCAPED)",
    "connect_unix": "import socket; s = socket.socket(socket.AF_UNIX); s.connect({socket!r}); print(ESCAPED)",
    "listen": "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(ESCAPED)",
    "fork": "import os\npid = os.fork()\nif pid == 0: os._exit(0)\nprint(ESCAPED)",
    "execute": "import os; os.posix_spawn('/bin/true', ['true'], {{}}); print(ESCAPED)",
    "signal": "import os; os.kill({pid}, 0); print(ESCAPED)",
    "memory_file": "import os; os.memfd_create('x'); print(ESCAPED)",
    "environment": "import os; print({value!r} in ''.join(os.environ.values()) and ESCAPED)",
    "descriptors": "import os\nfor fd in range(4, 64):\n  try: os.fstat(fd); print(ESCAPED)\n  except OSError: pass",
}
_MANY_THREADS = """
import threading, time
threading.stack_size(65536)
made = 0
try:
    for _ in range({threads}):
        threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()
        made += 1
except (RuntimeError, MemoryError):
    pass
time.sleep(0.3)
print(made >= {threads} and ESCAPED, flush=True)
"""
_SOCKET_MEMORY = """
import socket
one, two = socket.socketpair()
one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 26)
print(one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > {usual} and ESCAPED)
"""
_RESOURCES = {
    "memory": "print(len(bytearray({memory})) and ESCAPED)",
    "descriptors_open": "import os\nfor _ in range(200): os.dup(1)\nprint(ESCAPED)",
    "disk": "import os; print(os.write(os.open('/dev/shm/study-canary', 65), b'x') and ESCAPED)",
    "socket_memory": _SOCKET_MEMORY,
    "threads": _MANY_THREADS,
}
"""Ways to take what the machine has for everybody."""
_ONLY_SAID = ("threads",)
"""Where nothing but the watchdog limits it, that is said and programs still run."""
_FILES = ("read_file", "read_process", "list_files")
"""What is left open where neither Landlock nor another uid nor namespaces stand before files."""


@contextlib.contextmanager
def planted_variable() -> Iterator[str]:
    """Put a secret into this process's environment while a fork server starts; yields its value.

    A unique name and value: whatever variables the server was started with prove nothing.
    """
    name, value = f"STUDY_CANARY_{secrets.token_hex(4)}", secrets.token_hex(16)
    os.environ[name] = value
    try:
        yield value
    finally:
        del os.environ[name]


@contextlib.contextmanager
def _bait(planted: str) -> Iterator[dict[str, Any]]:
    """Things worth stealing, made for the occasion: a private file, a listening port and socket."""
    with tempfile.TemporaryDirectory(prefix="study-canary-") as folder, contextlib.ExitStack() as stack:
        file = os.path.join(folder, "secret")
        with open(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600), "w") as handle:
            handle.write(secrets.token_hex())
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(os.path.join(folder, "s"))
        unix.listen()
        yield {
            "file": file,
            "folder": folder,
            "socket": os.path.join(folder, "s"),
            "port": tcp.getsockname()[1],
            "pid": os.getpid(),
            "value": planted,
            "threads": 2 * MAX_TASKS,
            "memory": 2 * _LIMITS.memory_mb * 1024 * 1024,
            "usual": 4 * 212_992,
        }


def _programs(bait: dict[str, Any]) -> dict[str, Program]:
    return {
        name: Program(f"ESCAPED = {_ESCAPED!r}\n{form.format(**bait)}\n", limits=_LIMITS, seed=0)
        for name, form in {**_FORMS, **_RESOURCES}.items()
    }


def observe(
    run: Callable[[Program], RunResult], mechanisms: dict[str, Any], *, bubblewrap: bool, planted: str
) -> Isolation:
    """Run the canaries and name the level that was observed.

    Args:
        run: runs a program through the launcher that participants' programs will go through.
        mechanisms: what the fork server said it has: `landlock_abi`, `seccomp`, `own_uid`, `root`.
        bubblewrap: whether the fork server runs inside bubblewrap.
        planted: the value that `planted_variable` had while the fork server started.
    """
    alive = run(Program("print('alive')", limits=_LIMITS, seed=0))
    if alive.stdout != "alive\n":
        return _isolation(
            "off", f"Code execution is disabled: a trivial program failed ({_reason(alive)}).", mechanisms, {}
        )
    # At the same time, for a participant's first run waits until all of them have ended.
    with _bait(planted) as bait, ThreadPoolExecutor(4) as pool:
        programs = _programs(bait)
        results = dict(zip(programs, pool.map(run, programs.values()), strict=True))
    stopped = {name: _ESCAPED not in result.stdout for name, result in results.items()}
    level, message = _judge(stopped, mechanisms, bubblewrap=bubblewrap)
    if mechanisms["root"] and not mechanisms["own_uid"] and not bubblewrap:
        message += " Programs keep this server's user (without its powers), for no other user can read this Python."
    if level != "off" and not stopped["threads"]:
        message += (
            " One program can start many threads before it is stopped: allow user namespaces, or delegate a cgroup."
        )
    return _isolation(level, message, mechanisms, stopped)


def _reason(result: RunResult) -> str:
    lines = result.stderr.strip().splitlines()
    return lines[-1].rstrip(".") if lines else f"exit status {result.exit_status}"


def _judge(stopped: dict[str, bool], mechanisms: dict[str, Any], *, bubblewrap: bool) -> tuple[IsolationLevel, str]:
    escaped = [name for name, held in stopped.items() if not held and name not in _ONLY_SAID]
    beyond_files = [name for name in escaped if name not in _FILES]
    abi, filtered = mechanisms["landlock_abi"], mechanisms["seccomp"]
    if not filtered:
        return "weak", (
            "Development only: this system offers no system call filter, so participants' code can read this server's "
            "files, reach the network and start processes. Never collect data on it; use a Linux server."
        )
    # A wall that the kernel says it has and that did not hold is worse than one that it lacks: nothing is known of what
    # else fails.
    if beyond_files or (escaped and abi):
        return "off", f"Code execution is disabled: the canary {', '.join(beyond_files or escaped)} was not stopped."
    if escaped:
        return "weak", (
            "Participants' code can read this server's files, including other participants' data "
            f"({', '.join(escaped)} not stopped). Invite only people you trust, or install bubblewrap."
        )
    if abi and bubblewrap:
        return "strong+", f"Strong isolation (namespaces + Landlock ABI {abi} + seccomp)."
    if abi:
        return "strong", f"Strong isolation (Landlock ABI {abi} + seccomp)."
    if bubblewrap:
        return "medium", "File isolation rests on bubblewrap (this kernel has no Landlock)."
    if mechanisms.get("new_root"):
        return "medium", "Programs see a separate root folder that holds only what they may read (no Landlock here)."
    return "medium", "Files are protected only by Unix permissions; world-readable files are readable."


def _isolation(level: IsolationLevel, message: str, mechanisms: dict[str, Any], canaries: dict[str, bool]) -> Isolation:
    abi = mechanisms.get("landlock_abi") or None
    kernel = f"{platform.system()} {platform.release()}" if sys.platform else ""
    return Isolation(level, message, abi, kernel, canaries)
