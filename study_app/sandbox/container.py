"""Runs programs inside an OCI container: gVisor (`runsc`), `crun`, `runc` or another runtime named in STUDY_RUNNER.

One container serves all runs, and within it the walls of a machine without one stand round each. The container holds
the interpreter, the packages and this package, read-only, and nothing of the study: no database, key, pack or socket.
What comes out of it is read as typed values of bounded size.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from pydantic import TypeAdapter, ValidationError

from study_app.domain.errors import SandboxUnavailable, UserError
from study_app.domain.tasks.programs import Isolation, IsolationLevel, OutputLine, Program, RunResult
from study_app.sandbox.local import admitted, never_started

RUNTIMES: dict[str, tuple[str, ...]] = {
    "runsc": ("--network=none",),
    "crun": ("--cgroup-manager=disabled",),
    "runc": (),
}
"""OCI runtimes that are known by their names, and the options that each is given; `oci:PATH` names any other."""
ANY = "oci:"
_STRONGER: dict[IsolationLevel, IsolationLevel] = {"medium": "strong", "strong": "strong+"}
"""What is seen inside -> what it is with the container round it, which holds nothing worth reading."""
_START_SECONDS, _PATIENCE_SECONDS, _POLL_SECONDS = 120.0, 60.0, 0.05
_LONGEST_MESSAGE = 20_000_000
_ROOT = Path(__file__).resolve().parents[2]
_CAPABILITIES = ["CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_SYS_NICE", "CAP_SYS_CHROOT"]
"""For the fork server: each run gets its own user and root folder, and loses them."""
ROOT_OF_RUNS = "/runs"
"""Where no Landlock is, runs see this folder as the whole file system: what they may read, and no /proc."""
RESULT: TypeAdapter[RunResult] = TypeAdapter(RunResult)
LINE: TypeAdapter[OutputLine] = TypeAdapter(OutputLine)
ISOLATION: TypeAdapter[Isolation] = TypeAdapter(Isolation)


def names_container(runner: str) -> bool:
    """Return whether a setting of STUDY_RUNNER names an OCI runtime."""
    first = (shlex.split(runner) or [""])[0]
    return first.startswith(ANY) or os.path.basename(first) in RUNTIMES


def command_of(runner: str) -> list[str]:
    """Return the runtime's path and options, before its `run`.

    Raises:
        UserError: it is not installed.
    """
    first, *options = shlex.split(runner)
    name = first.removeprefix(ANY)
    path = shutil.which(name)
    if path is None:
        raise UserError(f"STUDY_RUNNER: {name} is not installed; install it, or use local")
    own = RUNTIMES.get(os.path.basename(name), ())
    rootless = ("--rootless",) if os.path.basename(name) == "runsc" and os.geteuid() != 0 else ()
    return [path, *own, *rootless, *options]


def bundle(folder: Path, packages: tuple[str, ...] = ()) -> None:
    """Write the container: its configuration, and an empty root into which everything is mounted read-only.

    Args:
        folder: a new one.
        packages: folders of the study's own packages.
    """
    (folder / "rootfs").mkdir(parents=True)
    namespaces = ["pid", "network", "ipc", "uts", "mount"]
    linux: dict[str, Any] = {"maskedPaths": ["/proc/kcore", "/proc/keys", "/sys"], "readonlyPaths": ["/proc/sys"]}
    if os.geteuid() != 0:
        namespaces.append("user")
        linux["uidMappings"] = [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
        linux["gidMappings"] = [{"containerID": 0, "hostID": os.getegid(), "size": 1}]
    linux["namespaces"] = [{"type": name} for name in namespaces]
    config = {
        "ociVersion": "1.0.2",
        "process": _process(packages),
        "root": {"path": "rootfs", "readonly": True},
        "mounts": _mounts(packages),
        "linux": linux,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def _process(packages: tuple[str, ...]) -> dict[str, Any]:
    paths = [str(_ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    kinds = ("bounding", "effective", "permitted", "inheritable")
    return {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": [sys.executable, "-s", "-P", "-B", "-m", "study_app.sandbox.container_worker", *packages],
        "env": ["PATH=/usr/bin:/bin", "PYTHONHASHSEED=0", f"PYTHONPATH={os.pathsep.join(paths)}", "TMPDIR=/tmp"],
        "cwd": "/",
        "capabilities": dict.fromkeys(kinds, _CAPABILITIES),
        "noNewPrivileges": True,
    }


def _mounts(packages: tuple[str, ...]) -> list[dict[str, Any]]:
    code = _ROOT / "study_app"
    wanted = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", sys.prefix, sys.base_prefix, str(code)]
    wanted += [os.path.realpath(sys.base_prefix), *packages]
    shown: list[str] = []
    # The shortest first: what lies below a folder that is mounted already needs no mount.
    for path in sorted({path for path in wanted if os.path.exists(path)}, key=len):
        if not any(path == other or path.startswith(f"{other}/") for other in shown):
            shown.append(path)
    read_only = ["rbind", "ro", "nosuid", "nodev"]
    of_runs = [f"{ROOT_OF_RUNS}{path}" for path in shown if path != str(code)]
    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "size=16m"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
        *({"destination": path, "type": "bind", "source": path, "options": read_only} for path in shown),
        *(
            {"destination": path, "type": "bind", "source": path.removeprefix(ROOT_OF_RUNS), "options": read_only}
            for path in of_runs
        ),
    ]


@dataclass
class _Asked:
    """A request and what has come back for it."""

    answers: SimpleQueue[dict[str, Any] | None] = field(default_factory=SimpleQueue)


class _Container:
    """One running container."""

    def __init__(self, command: list[str], packages: tuple[str, ...]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="study-container-"))
        bundle(self._folder, packages)
        name = f"study-{secrets.token_hex(6)}"
        self._delete = [*command, "delete", "--force", name]
        line = [*command, "run", "--bundle", str(self._folder), name]
        self._words = self._folder / "runtime.log"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._words.open("wb")}
        self._process = subprocess.Popen(line, start_new_session=True, cwd=self._folder, **pipes)  # type: ignore[call-overload]
        self._asked: dict[int, _Asked] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.alive = True
        # One reader for all runs: answers of runs at the same time come mixed, each with the number of its request.
        threading.Thread(target=self._read, name="container", daemon=True).start()

    def ask(self, request: dict[str, Any]) -> tuple[int, _Asked]:
        """Send a request; its answers come into its queue, None where the container ended."""
        asked, number = _Asked(), next(self._numbers)
        with self._lock:
            if not self.alive:
                raise SandboxUnavailable(f"the container ended: {self.last_words()}")
            # Before it is sent: the answer may be there before this thread goes on.
            self._asked[number] = asked
            self._send({"id": number} | request)
        return number, asked

    def cancel(self, number: int) -> None:
        """End a run."""
        with self._lock, contextlib.suppress(OSError):
            self._send({"id": number, "cancel": True})

    def forget(self, number: int) -> None:
        """No more is wanted of a request."""
        self._asked.pop(number, None)

    def close(self) -> None:
        """End it and everything in it."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # The runtime keeps a killed container's state below /run until it is deleted by name.
        subprocess.run(self._delete, capture_output=True, timeout=30, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _send(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        # Bounded: a worker that was taken over could otherwise fill this server's memory with a line without end.
        while (line := self._process.stdout.readline(_LONGEST_MESSAGE)).endswith(b"\n"):
            try:
                answer = json.loads(line)
                asked = self._asked.get(answer["id"])
            except (ValueError, TypeError, KeyError, RecursionError):
                break
            if asked is not None:
                asked.answers.put(answer)
        with self._lock:
            self.alive = False
        # Also where it says what no worker says.
        with contextlib.suppress(OSError):
            self._process.kill()
        for asked in list(self._asked.values()):
            asked.answers.put(None)

    def last_words(self) -> str:
        """Return the last line that the runtime wrote."""
        try:
            lines = self._words.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else "it said nothing"


def _with_walls_round(inside: Isolation, name: str) -> Isolation:
    """Return what canaries met inside, judged with the container round it."""
    met = {canary for canary, stopped in inside.canaries.items() if not stopped}
    if inside.level == "weak" and met == {"read_process"}:
        what = (
            "Programs can read the environments of other processes of their container, which hold nothing of the study."
        )
        return replace(inside, level="medium", message=f"Inside a container of {name}. {what}")
    level = _STRONGER.get(inside.level, inside.level)
    return replace(inside, level=level, message=f"{inside.message} All of it inside a container of {name}.")


class ContainerSandbox:
    """Runs programs in a container of an OCI runtime.

    Args:
        runner: as STUDY_RUNNER says it: the runtime's name or path, and options for it.
        folders: where the study's own packages are.

    Raises:
        UserError: the runtime is not installed.
    """

    def __init__(self, runner: str, folders: tuple[str, ...] = ()) -> None:
        self._command = command_of(runner)
        self._folders = tuple(map(os.path.realpath, folders))
        self._name = os.path.basename(self._command[0])
        self._lock = threading.Lock()
        self._container: _Container | None = None
        self._isolation: Isolation | None = None
        self._closed = False

    def isolation(self) -> Isolation:
        """Return what canaries meet inside, with the container round it; the first call starts it."""
        if self._isolation is None:
            self._isolation = self._observe()
        return self._isolation

    def look_again(self) -> Isolation:
        """As `isolation`, anew."""
        self._isolation = self._observe()
        return self._isolation

    def run(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        """Run one program to its end; see `ports.Sandbox`."""
        isolation = self.isolation()
        program = admitted(program, isolation)
        for _ in range(2):
            result = self._attempt(program, on_line, cancelled)
            if result is not None:
                return replace(result, isolation=isolation.level)
        return never_started(program, isolation, "infrastructure")

    def close(self) -> None:
        """End the container; idempotent."""
        with self._lock:
            self._closed = True
            container, self._container = self._container, None
        if container is not None:
            container.close()

    def _running(self) -> _Container:
        with self._lock:
            if self._closed:
                raise SandboxUnavailable("the sandbox is closed")
            if self._container is None or not self._container.alive:
                if self._container is not None:
                    self._container.close()
                self._container = _Container(self._command, self._folders)
            return self._container

    def _observe(self) -> Isolation:
        try:
            container = self._running()
            _, asked = container.ask({})
            answer = asked.answers.get(timeout=_START_SECONDS)
            if answer is None:
                raise SandboxUnavailable(f"it ended: {container.last_words()}")
            inside = ISOLATION.validate_python(answer.get("isolation"))
        except (SandboxUnavailable, OSError, Empty, ValidationError) as error:
            why = str(error).splitlines()[0] if str(error) else "no answer"
            return Isolation("off", f"Code execution is disabled: {self._name} does not run programs here ({why}).")
        return _with_walls_round(inside, self._name)

    def _attempt(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> RunResult | None:
        """Return one attempt; None where the container was lost."""
        container = self._running()
        try:
            number, asked = container.ask({"program": asdict(program)})
        except (SandboxUnavailable, OSError):
            # It ended after it was looked at, before its end was read: as for a run that is lost with it.
            container.close()
            return None
        waited, stopped, longest = 0.0, False, program.limits.wall_seconds + _PATIENCE_SECONDS
        try:
            while waited < longest:
                if cancelled is not None and not stopped and cancelled():
                    stopped = True
                    container.cancel(number)
                try:
                    answer = asked.answers.get(timeout=_POLL_SECONDS)
                except Empty:
                    waited += _POLL_SECONDS
                    continue
                if answer is None:
                    return None
                if "unavailable" in answer:
                    raise SandboxUnavailable(str(answer["unavailable"])[:500])
                if "result" in answer:
                    return RESULT.validate_python(answer["result"])
                if on_line is not None:
                    on_line(LINE.validate_python(answer.get("line")))
        except ValidationError:
            # What does not speak as the worker does is not the worker any more.
            container.close()
            return None
        finally:
            container.forget(number)
        container.close()
        return None
