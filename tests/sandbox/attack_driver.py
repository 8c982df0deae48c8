"""Plays the app: owns a database, secrets, ports and sockets, runs every attack as a participant's program, reports.

Run as a script in its own setting (another user, no user namespaces, an older Landlock); prints JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from study_app.domain.tasks.programs import Program, RunLimits, RunResult  # noqa: E402
from study_app.sandbox import open_sandbox  # noqa: E402
from study_app.sandbox.container import ContainerSandbox  # noqa: E402
from study_app.sandbox.local import LocalSandbox  # noqa: E402
from study_app.sandbox.packages import site_folders  # noqa: E402
from study_app.sandbox.server import Options  # noqa: E402

LIMITS = RunLimits(wall_seconds=2.0, cpu_seconds=1, memory_mb=256, output_bytes=50_000)
SEARCHING = RunLimits(wall_seconds=60.0, cpu_seconds=30, memory_mb=256, output_bytes=50_000)
"""For searches of memory, which prove nothing where they are ended before their end."""
MARKER = "MARKER-OF-" + "AN-EARLIER-RUN"
SECRET = "hunter2-secret"


def refuse_namespaces() -> None:
    """Make this process and all it starts unable to create namespaces or mount, as in an unprivileged container."""
    import ctypes

    from study_app.sandbox.confinement import seccomp, syscalls

    load, equal, answer = 0x20, 0x15, 0x06
    numbers = {"x86_64": (272, 165, 308), "aarch64": (97, 40, 268)}[str(syscalls.machine())]
    program = [(load, 0, 0, 0)]
    for number in numbers:
        program += [(equal, 0, 1, number), (answer, 0, 0, 0x00050001)]
    clone = syscalls.number("clone")
    program += [(equal, 0, 4, int(clone or 0)), (load, 0, 0, 16), (0x45, 0, 1, 0x10000000), (answer, 0, 0, 0x00050001)]
    program += [
        (answer, 0, 0, 0x7FFF0000),
        (equal, 0, 1, int(syscalls.number("clone3") or 0)),
        (answer, 0, 0, 0x00050026),
    ]
    program += [(answer, 0, 0, 0x7FFF0000)]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)
    seccomp.install(seccomp.encode(program, os.getpid()), libc)


@contextlib.contextmanager
def app() -> Iterator[dict[str, object]]:
    """Everything an attack could aim at."""
    os.environ["STUDY_SECRET"] = SECRET
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        files = {"database": "study.db", "secrets": ".env", "submission": "other.py"}
        paths = {key: os.path.join(folder, name) for key, name in files.items()}
        for path in paths.values():
            Path(path).write_text(SECRET)
        database = stack.enter_context(open(paths["database"]))
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        named = {}
        for key, address, kind in (
            ("unix", f"{folder}/db.sock", socket.SOCK_STREAM),
            ("abstract", f"\0study-{os.getpid()}", socket.SOCK_STREAM),
            ("unix_datagram", f"{folder}/dgram.sock", socket.SOCK_DGRAM),
        ):
            named[key] = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
            named[key].bind(address)
            if kind == socket.SOCK_STREAM:
                named[key].listen()
        yield {
            **paths,
            "folder": folder,
            "secret": SECRET,
            "pid": os.getpid(),
            "database_descriptor": database.fileno(),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "unix": f"{folder}/db.sock",
            "unix_datagram": f"{folder}/dgram.sock",
            "abstract": f"study-{os.getpid()}",
            "pack": str(ROOT / "tasks" / "trio_timer"),
            "site": site_folders(),
        }


def wrong(result: RunResult, limits: RunLimits, targets: dict[str, object], before: set[str]) -> str | None:
    """What the attack achieved, by what the program says and by what can be seen from outside."""
    if "ESCAPED" in result.stdout:
        return result.stdout[:300]
    if result.ended_by == "infrastructure":
        return f"the run was lost: {result.stderr}"
    if result.wall_seconds > limits.wall_seconds + 20:
        return f"it ran {result.wall_seconds:.1f} s"
    shown = result.stdout + result.stderr
    if len(shown.encode()) > 3 * LIMITS.output_bytes + 500:
        return f"{len(shown)} characters were kept"
    if any(ord(character) < 32 and character not in "\n\t" for character in shown) or "\u202e" in shown:
        return "control characters would be shown"
    if set(os.listdir(str(targets["folder"]))) != before:
        return "files were made or removed"
    if any(Path(str(targets[key])).read_text() != SECRET for key in ("database", "secrets", "submission")):
        return "a file was changed"
    return None


def children(pid: int) -> list[str]:
    """Processes below one, by /proc."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return []


def serving(sandbox: LocalSandbox | ContainerSandbox) -> Any:
    """What the runs come from and must not be able to end: a fork server, or a container."""
    return sandbox._container if isinstance(sandbox, ContainerSandbox) else sandbox.server(("trio",))


def main() -> None:
    """Run the attacks and print what came of them."""
    settings = json.loads(sys.argv[1])
    if settings.get("user"):
        os.setgroups([])
        os.setresgid(settings["user"], settings["user"], settings["user"])
        os.setresuid(settings["user"], settings["user"], settings["user"])
    if settings.get("no_namespaces"):
        refuse_namespaces()
    options = Options(bubblewrap=settings.get("bubblewrap", False), max_landlock_abi=settings.get("abi"))
    runner = settings.get("runner")
    sandbox = open_sandbox(runner) if runner else LocalSandbox(options, max_parallel=10)
    found: dict[str, str] = {}
    with app() as targets, ThreadPoolExecutor(4 if runner else 10) as pool:
        isolation = sandbox.isolation()
        if isolation.level == "off":
            sandbox.close()
            sys.stdout.write(json.dumps({"level": "off", "why": isolation.message}))
            return
        before = set(os.listdir(str(targets["folder"])))
        for _ in range(3):
            sandbox.run(Program(f"import builtins\nbuiltins.left_behind = text = '{MARKER}'", ("trio",), LIMITS))
        server = serving(sandbox)

        def attack(path: Path) -> None:
            code = f"TARGETS = {targets!r}\n{path.read_text()}"
            searches = path.stem.startswith("search_")
            limits = SEARCHING if searches else LIMITS
            result = sandbox.run(Program(code, ("trio",), limits))
            achieved = wrong(result, limits, targets, before)
            if searches and result.ended_by != "exit":
                achieved = f"the search was ended: {result.ended_by}"
            if achieved:
                found[path.stem] = achieved

        named = settings.get("scripts")
        everything = sorted((HERE / settings.get("folder", "attacks")).glob("*.py"))
        scripts = [path for path in everything if path.stem in (named or [path.stem])]
        scripts = [path for path in scripts if not path.stem.startswith("forge_")]
        list(pool.map(attack, scripts))
        after = sandbox.run(Program("print('still here')", ("trio",), LIMITS))
        same = serving(sandbox) is server
        left = children(server.pid) if isinstance(sandbox, LocalSandbox) and not options.bubblewrap else []
    report = {
        "level": isolation.level,
        "abi": isolation.landlock_abi,
        "own_uid": server.mechanisms["own_uid"] if isinstance(sandbox, LocalSandbox) else None,
        "user": os.getuid(),
        "attacks": len(scripts),
        "found": found,
        "alive": after.stdout == "still here\n" and same,
        "left": left,
        "threads": threading.active_count(),
    }
    sandbox.close()
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
