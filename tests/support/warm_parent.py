"""A process that has the app imported and forks `study` commands: the other end of support/warm_processes.py.

It reads one request a line from the socket whose number it is given and answers each in one line. It alone sends
signals to its children, and only until it has waited for them: no process id is given away while a test may still use
it. Where the socket ends, because the tests have ended or were killed, its children end too.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import importlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

IMPORTED = ("study_app.cli", "study_app.bootstrap", "study_app.web.app", "study_app.web.serving", "analysis.pipeline")
ROOT = Path(__file__).parents[2]
EXIT_CODES: dict[int, int | None] = {}
"""Process id -> exit code; None while it runs."""


def prove_once(folder: Path) -> None:
    """Let `study check` prove each pack and bank of this repository once; those that a test wrote, each time.

    That they are sound is what tests/sandbox and tests/content are for; here it was most of the time of a command.

    Args:
        folder: keeps what was proven, for all forks.
    """
    check = importlib.import_module("study_app.cli.checks.check")
    prove_pack, prove_bank = check.check_pack, check._bank_problems

    def remembered(there: Path, level: str, prove: Callable[[], list[Any]]) -> list[Any]:
        settings = {key: value for key, value in os.environ.items() if key.startswith("STUDY_") and key != "STUDY_VAR"}
        name = hashlib.sha256(repr((str(there.resolve()), level, sorted(settings.items()))).encode()).hexdigest()
        if not there.resolve().is_relative_to(ROOT):
            return prove()
        if (folder / name).exists():
            return []
        problems = prove()
        if not problems:
            (folder / name).touch()
        return problems

    def pack_problems(sandbox: Any, there: Path, load: Any) -> list[Any]:
        return remembered(there, sandbox.isolation().level, lambda: prove_pack(sandbox, there, load))

    def bank_problems(sandbox: Any, library: Any, there: Path) -> list[Any]:
        return remembered(there, sandbox.isolation().level, lambda: prove_bank(sandbox, library, there))

    check.check_pack, check._bank_problems = pack_problems, bank_problems


def poll(pid: int) -> int | None:
    """Return a child's exit code, as `subprocess.Popen.poll`; None while it runs."""
    if EXIT_CODES[pid] is None:
        waited, status = os.waitpid(pid, os.WNOHANG)
        EXIT_CODES[pid] = os.waitstatus_to_exitcode(status) if waited else None
    return EXIT_CODES[pid]


def send(pid: int, number: int) -> None:
    """Send a signal to a child that has not ended."""
    if poll(pid) is None:
        os.kill(pid, number)


def become(connection: socket.socket, given: dict[str, Any]) -> None:
    """Turn a fork into the command that was asked for."""
    connection.close()
    os.chdir(given["cwd"])
    os.umask(given["umask"])
    os.environ.clear()
    os.environ.update(given["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for path, stream in ((given["out"], 1), (given["err"], 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666), stream)
    sys.argv = [str(Path(sys.executable).with_name("study")), *given["arguments"]]


def serve(connection: socket.socket) -> bool:
    """Answer until the socket ends; true in each fork, which is to run its command."""
    for line in connection.makefile("r", encoding="utf-8"):
        request = json.loads(line)
        match request["do"]:
            case "start":
                pid = os.fork()
                if pid == 0:
                    become(connection, request)
                    return True
                EXIT_CODES[pid] = None
                answer: int | None = pid
            case "poll":
                answer = poll(request["pid"])
            case _:
                answer = send(request["pid"], request["signal"])
        connection.sendall(json.dumps(answer).encode() + b"\n")
    return False


def run() -> int:
    """Run the command as the installed program does; its exit code."""
    try:
        importlib.import_module("study_app.cli").main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def main() -> None:
    """Import the app, answer, and end what still runs."""
    sys.path.pop(0)
    connection = socket.socket(fileno=int(sys.argv[1]))
    for name in IMPORTED:
        importlib.import_module(name)
    proven = tempfile.TemporaryDirectory()
    prove_once(Path(sys.argv[2] if len(sys.argv) > 2 else proven.name))
    # A fork need not look through what it never frees, nor copy its pages.
    gc.freeze()
    if not serve(connection):
        for pid in EXIT_CODES:
            send(pid, signal.SIGKILL)
        proven.cleanup()
        return
    proven._finalizer.detach()
    try:
        code = run()
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    # The interpreter's own end would free each object one by one.
    os._exit(code)


if __name__ == "__main__":
    main()
