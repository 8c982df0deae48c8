"""The parent's end of one fork server: start it, ask it for runs, learn how they ended."""

from __future__ import annotations

import array
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study_app.domain.errors import SandboxUnavailable
from study_app.sandbox import packages, zygote
from study_app.sandbox.confinement.lockdown import THREADS
from study_app.sandbox.watchdog import Watchdog

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120.0
"""Large packages take long to import for the first time on a busy machine."""
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": os.path.expanduser("~/.cache/study-app/matplotlib"),
    # Without processes there is no sharing of work among them, and joblib then uses one.
    "JOBLIB_MULTIPROCESSING": "0",
    **THREADS,
}


@dataclass(frozen=True)
class Options:
    """How fork servers are started; the defaults are for use, the rest is for tests of weaker machines."""

    bubblewrap: bool = True
    """Wrap the fork server in bubblewrap where that is installed and works."""
    max_landlock_abi: int | None = None
    """Pretend that Landlock is no newer; 0 pretends there is none."""
    seccomp: bool = True
    recycle_after: int = 5000
    """Runs after which a fork server is replaced by a fresh one."""
    folders: tuple[str, ...] = ()
    """Where the study's own packages are installed; empty for those of this Python."""
    root: str = ""
    """A folder that holds what programs may read under the same paths: without Landlock it is all that they see."""


@dataclass
class Ending:
    """How a child ended, filled in by the reader thread."""

    done: threading.Event = field(default_factory=threading.Event)
    exit_status: int | None = None
    """As `subprocess` has it: negative for a signal; None where the fork server was lost."""
    cpu_seconds: float = 0.0
    peak_memory_kb: int = 0
    started: bool = True


class ForkServer:
    """One fork server process for one set of packages; safe to use from many threads.

    Raises:
        SandboxUnavailable: it did not start.
    """

    def __init__(self, wanted: tuple[str, ...], options: Options, *, bubblewrap: str | None = None) -> None:
        self.mechanisms: dict[str, Any] = {}
        self.runs = 0
        self._options = options
        self._bubblewrap = bubblewrap
        self._config = _configuration(wanted, options)
        self._lock = threading.Lock()
        self._endings: dict[int, Ending] = {}
        self._retired = False
        self._alive = True
        self._failure = ""
        self._started = threading.Event()
        self._watchdog: Watchdog | None = None
        self._control, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        threading.Thread(target=self._live, name="fork-server", daemon=True).start()
        if not self._started.wait(_START_SECONDS) or not self._alive:
            self.kill_all()
            raise SandboxUnavailable(f"the fork server did not start: {self._failure or 'no answer'}")

    @property
    def alive(self) -> bool:
        """Whether it can take runs."""
        return self._alive and not self._retired

    @property
    def pid(self) -> int:
        """Process id of the fork server (of bubblewrap where that wraps it)."""
        return self._process.pid

    def start(self, run_id: int, descriptors: list[int]) -> Ending | None:
        """Fork a child that takes over the descriptors, in the order of `zygote.REQUEST`.

        Returns:
            How it will have ended, or None where this server cannot take it.
        """
        ending = Ending()
        with self._lock:
            if not self.alive:
                return None
            self.runs += 1
            self._endings[run_id] = ending
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            try:
                # Under the lock: two messages of two threads on one stream must not mix, and the ending must be known
                # before it can come.
                self._control.sendmsg([zygote.REQUEST.pack(zygote.RUN, run_id)], rights)
            except OSError:
                del self._endings[run_id]
                return None
        if self._watchdog is not None:
            self._watchdog.wake()
        return ending

    def kill(self, run_id: int) -> None:
        """End one run by SIGKILL; nothing happens where it has ended."""
        with self._lock, contextlib.suppress(OSError):
            self._control.sendall(zygote.REQUEST.pack(zygote.KILL, run_id))

    def retire(self) -> None:
        """Take no more runs; end once those under way have."""
        with self._lock:
            self._retired = True
            idle = not self._endings
        if idle:
            self._hang_up()

    def kill_all(self) -> None:
        """End the server and all its runs now."""
        self._retired = True
        self._hang_up()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the process has been reaped."""
        process = getattr(self, "_process", None)
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout)

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)

    def _live(self) -> None:
        """Start the process and read from it until it ends, all in one thread.

        bubblewrap asks to die with its parent, and for the kernel the parent is the thread that started it.
        """
        try:
            self._start_process()
            self.mechanisms = self._hello()
            counted = self.mechanisms["threads_counted"] != "none"
            self._watchdog = Watchdog(self._process.pid, lambda: bool(self._endings), counted=counted)
            self._started.set()
            self._read_endings()
        except (OSError, ValueError, struct.error) as error:
            self._failure = str(error) or type(error).__name__
        finally:
            self._end()

    def _start_process(self) -> None:
        descriptor = self._theirs.fileno()
        python = [sys.executable, "-s", "-S", "-P", "-B", str(Path(zygote.__file__).resolve()), str(descriptor)]
        command = [*_bubblewrap_command(self._bubblewrap, self._config["readable"]), *python]
        self._process = subprocess.Popen(
            command,
            env=_ENVIRONMENT,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            # A Ctrl-C in the terminal is the server's to handle, which lets runs end first.
            start_new_session=True,
        )
        self._theirs.close()
        data = json.dumps(self._config).encode()
        self._control.sendall(struct.pack("<I", len(data)) + data)

    def _hello(self) -> dict[str, Any]:
        self._control.settimeout(_START_SECONDS)
        header = self._control.recv(4, socket.MSG_WAITALL)
        if len(header) < 4:
            raise OSError(self._last_words())
        data = self._control.recv(struct.unpack("<I", header)[0], socket.MSG_WAITALL)
        self._control.settimeout(None)
        return dict(json.loads(data))

    def _last_words(self) -> str:
        if self._process.stderr is None:
            return "it ended without a word"
        lines = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it ended without a word"

    def _read_endings(self) -> None:
        while True:
            data = self._control.recv(zygote.ENDING.size, socket.MSG_WAITALL)
            if len(data) < zygote.ENDING.size:
                return
            kind, status, run_id, user, system, memory = zygote.ENDING.unpack(data)
            with self._lock:
                ending = self._endings.pop(run_id, None)
                idle = self._retired and not self._endings
            if ending is not None:
                ending.started = kind == zygote.ENDED
                ending.exit_status = os.waitstatus_to_exitcode(status) if ending.started else None
                ending.cpu_seconds, ending.peak_memory_kb = user + system, memory
                ending.done.set()
            if idle:
                return

    def _end(self) -> None:
        with self._lock:
            self._alive = False
            lost, self._endings = list(self._endings.values()), {}
            self._control.close()
        self._theirs.close()
        process = getattr(self, "_process", None)
        if process is not None:
            if process.stderr is not None:
                process.stderr.close()
            try:
                process.wait(2.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        # Those who wait for one of these runs would otherwise wait for ever.
        for ending in lost:
            ending.done.set()
        if self._watchdog is not None:
            self._watchdog.end()
        self._started.set()


def _configuration(wanted: tuple[str, ...], options: Options) -> dict[str, Any]:
    installed = packages.installation(options.folders)
    metadata = installed.metadata(wanted)
    extra = [module for name in wanted for module in packages.EXTRA_MODULES.get(name, ())]
    return {
        "root": str(_ROOT),
        "folders": installed.folders,
        "hidden_folders": [*packages.site_folders(), *installed.folders],
        "modules": installed.modules(wanted),
        "metadata": metadata,
        "probe": [os.__file__, *(f"{path}/METADATA" for path in metadata if os.path.exists(f"{path}/METADATA"))],
        "packages": [*(name for name in wanted if "." not in name), *extra],
        "submodules": [name for name in wanted if "." in name],
        "standard": packages.STANDARD_MODULES,
        "readable": packages.readable_paths(wanted, options.folders),
        "native": installed.native(wanted),
        "max_abi": options.max_landlock_abi,
        "use_seccomp": options.seccomp,
        "root_of_runs": options.root,
    }


def find_bubblewrap() -> str | None:
    """Return the path of bubblewrap, None where it is not installed."""
    return shutil.which("bwrap") if sys.platform == "linux" else None


def _bubblewrap_command(program: str | None, readable: list[str]) -> list[str]:
    """Its own namespaces and only the files that it needs; empty where there is no bubblewrap."""
    if program is None:
        return []
    interpreter = {sys.executable, os.path.realpath(sys.executable), f"{sys.prefix}/pyvenv.cfg"}
    own = {str(_ROOT / "study_app" / "__init__.py"), str(Path(__file__).resolve().parent)}
    library = {str(Path(path).parent) for path in (os.path.realpath(os.__file__),)}
    paths = [
        path for path in sorted({*readable, *interpreter, *own, "/lib64", "/lib", "/usr/lib"}) if os.path.exists(path)
    ]
    binds = [part for path in paths if not path.startswith("/dev/") for part in ("--ro-bind", path, path)]
    binds = [part for folder in library for part in ("--dir", folder)] + binds
    devices = [part for path in ("/dev/null", "/dev/urandom") for part in ("--dev-bind", path, path)]
    isolation = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    isolation += [part for name, value in _ENVIRONMENT.items() for part in ("--setenv", name, value)]
    return [program, *isolation, *binds, *devices, "--chdir", "/"]
