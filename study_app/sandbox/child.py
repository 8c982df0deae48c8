"""What happens in the process of one run: read the code, lock down, run it, say how it ended, end.

The parent writes the job to one pipe and reads three others. The report pipe is a sequence of frames
(`sandbox.inside.frames`): what `sys.stdout` and `sys.stderr` write goes through it, so that both streams keep the one
order in which they were written, and the report comes last. Descriptors 1 and 2 are separate pipes for what writes
past Python's streams, such as the interpreter's last words. The report is a convenience that the program could forge;
nothing is decided by it that the program could not reach by honest output.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import io
import json
import linecache
import os
import random
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable
from typing import Any, NoReturn

from study_app.sandbox.confinement import lockdown
from study_app.sandbox.inside import frames, harness, inspection, libraries

FILE = "main.py"
"""The name that tracebacks give to the participant's program."""
REPORT = 3
_JOB = 4
READY = b"\x01"
"""First byte on the report pipe: the program starts now."""
FAILED = b"\x02"
"""Instead of READY: the walls could not be put up; the rest is the reason."""
_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


def run(descriptors: list[int], ruleset: int | None, lock: Callable[[dict[str, Any]], None]) -> NoReturn:
    """Take over a freshly forked process; never returns.

    Args:
        descriptors: job (read), standard output, standard error, report (write).
        ruleset: descriptor of the Landlock ruleset, None where there is no Landlock.
        lock: locks the process down, given the job; an exception means that the program is not run.
    """
    status = 70
    try:
        code_pipe = _arrange(descriptors, ruleset)
        job = json.loads(_read_all(code_pipe))
        _streams()
        _seed(job["seed"])
        try:
            lock(job)
        except Exception as error:
            os.write(REPORT, FAILED + repr(error).encode())
            # Not by an exception, which would unwind into the fork server's code in this process.
            os._exit(70)
        # A program can walk up the stack; what its frames hold must be nothing of ours.
        del lock, descriptors
        os.write(REPORT, READY)
        status = _run_program(job)
    finally:
        os._exit(status)


def _arrange(descriptors: list[int], ruleset: int | None) -> int:
    """Move the pipes to 0..3, the job to 4 and the ruleset to 5, close everything else."""
    # A session without a terminal: no job control, and a signal to the server's group does not reach the run.
    os.setsid()
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # As Python does: a closed pipe is an exception that the program can see, and not a silent end.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    # Out of the way first: a descriptor may have the number that another one is to get.
    high = [os.dup2(descriptor, 100 + index) for index, descriptor in enumerate(descriptors)]
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    rules = None if ruleset is None else os.dup2(ruleset, 104)
    for source, target in zip(high, (_JOB, 1, 2, REPORT), strict=True):
        os.dup2(source, target)
    if rules is not None:
        os.dup2(rules, lockdown.RULESET)
    # Whatever the fork server held open, its socket among it, would let a program speak for other runs.
    os.closerange(lockdown.RULESET + (rules is not None), 4096)
    # The fork server's environment is for importing packages; a run gets what it needs by name.
    os.environ.clear()
    os.environ.update(LANG="C.UTF-8", HOME="/", PATH="", **lockdown.THREADS)
    with contextlib.suppress(OSError):
        os.chdir("/")
    return _JOB


def _read_all(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()


def _streams() -> None:
    """Text streams whose every line is one write: a line's arrival is then the moment it was printed."""
    write = frames.writer(REPORT)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        raw = io.BufferedWriter(frames.FramedStream(descriptor, write))
        # A lone surrogate in a string must not end the program in its own print.
        stream = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.write = frames.ordered(os.write, write)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, "r", closefd=False)), encoding="utf-8")
    builtins.input = _input


def _input(prompt: object = "", /) -> str:
    """Stand in for `input`: the prompt is printed in its place, then an error says why there is no answer."""
    sys.stdout.write(str(prompt))
    sys.stdout.flush()
    raise EOFError("input() is not available here: put the value into the program instead")


def _seed(seed: int) -> None:
    """Give this run its own random choices; Trio's scheduler drew its seed at import, before the fork."""
    random.seed(seed)
    run = sys.modules.get("trio._core._run")
    if run is not None:
        run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[attr-defined]
        run._r.seed(seed)


def _run_program(job: dict[str, Any]) -> int:
    report: dict[str, Any] = {}
    module = types.ModuleType("__main__" if job.get("call") is None else "main")
    module.__file__ = FILE
    sys.modules[module.__name__] = module
    sys.argv = [FILE]
    status = _attempt(job, module, report)
    if job.get("call") is None:
        _send_figures()
    status = _finish(status, module, report)
    _send(report)
    return status


def _attempt(job: dict[str, Any], module: types.ModuleType, report: dict[str, Any]) -> int:
    """Run the program, and the graded call where there is one; the exit status."""
    call = job.get("call")
    if call is not None and call.get("inspect"):
        report["observation"] = {"nonce": call.get("nonce"), **inspection.look(job["code"])}
        return 0
    watch = harness.Watch(virtual=job["clock"] == "virtual")
    try:
        linecache.cache[FILE] = (len(job["code"]), None, source_lines(job["code"]), FILE)
        # A text that was pasted from a Windows editor may begin with a byte order mark, which `compile` refuses.
        code = job["code"].removeprefix("\ufeff")
        if call is not None and call.get("uses"):
            report["observation"] = _recorded(code, call, module, watch)
            return 0
        exec(compile(code, FILE, "exec", dont_inherit=True), module.__dict__)
        if call is not None and "series" in call:
            report["observation"] = harness.perform_series(call, module.__dict__, watch, _seed, describe)
        elif call is not None:
            report["observation"] = harness.perform(call, module.__dict__, watch)
    except SystemExit as leaving:
        # A program that leaves before its function is called has not answered: the grader must tell it from one that
        # returned.
        report["left"] = True
        return _exit_status(leaving)
    except BaseException as error:
        report["error"] = describe(error)
        show(error)
        if call is not None:
            report.setdefault("observation", watch.observation(call, error=report["error"]["type"]))
        return 1
    return 0


def _recorded(code: str, call: dict[str, Any], module: types.ModuleType, watch: harness.Watch) -> dict[str, Any]:
    """Make the call, or a series of them, and say which names the program called meanwhile, whatever came of it."""
    recorder = inspection.CallRecorder(call["uses"], FILE)
    program = recorder.compile(code)
    recorder.install(module.__dict__)
    try:
        exec(program, module.__dict__)
        if "series" in call:
            names = len(call["uses"])
            enough = lambda: len(recorder.called()) == names  # noqa: E731
            harness.perform_series(call, module.__dict__, watch, _seed, describe, enough)
        else:
            harness.perform(call, module.__dict__, watch)
    except BaseException as error:
        return watch.observation(call, error=type(error).__name__, used=recorder.called())
    finally:
        recorder.remove()
    return watch.observation(call, used=recorder.called())


def source_lines(code: str) -> list[str]:
    """Lines as Python counts them: form feeds and U+2028, which `str.splitlines` splits at, end none."""
    return io.StringIO(code, newline=None).readlines()


def _exit_status(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    with contextlib.suppress(Exception):
        sys.stderr.write(f"{leaving.code}\n")
    return 1


def _finish(status: int, module: types.ModuleType, report: dict[str, Any]) -> int:
    """Wait for threads, run what was left for the end, flush: all inside the time limit.

    The module's names are dropped as Python does at exit, so that a coroutine never awaited is warned about; the
    warning names the file `sys`, as Python's own does.
    """
    drop = compile("clear()", "sys", "exec")
    names = {"clear": module.__dict__.clear}
    for step in (threading._shutdown, atexit._run_exitfuncs, lambda: exec(drop, names), gc.collect):  # type: ignore[attr-defined]
        try:
            step()
        except BaseException as error:
            report.setdefault("error", describe(error))
            status = status or 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    return status


def _send_figures() -> None:
    """Send what the program drew, whatever became of it afterwards."""
    write = frames.writer(REPORT)
    with contextlib.suppress(Exception):
        for picture in libraries.figures():
            write(frames.FIGURE, len(picture).to_bytes(4, "big") + picture)


def _send(report: dict[str, Any]) -> None:
    with contextlib.suppress(BaseException):
        frames.writer(REPORT)(frames.REPORTED, json.dumps(report).encode())


def leaf(error: BaseException) -> BaseException:
    """Return the first exception inside a group, for a nursery wraps what went wrong in it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def describe(error: BaseException) -> dict[str, Any]:
    """Type, message and line in the participant's own code of what ended the program."""
    cause = leaf(error)
    line = cause.lineno if isinstance(cause, SyntaxError) and cause.filename == FILE else None
    # The exception inside a group may have been raised in a library alone; the line that counts is then in the group's
    # own traceback.
    for candidate in (cause, error):
        frames = traceback.extract_tb(candidate.__traceback__, limit=-200) if line is None else []
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == FILE), line)
    try:
        # `__str__` may be the participant's, and may raise anything.
        message = str(cause)
    except BaseException:
        message = "(its message could not be made)"
    return {"type": type(cause).__name__, "message": message[:2000], "line": line}


def show(error: BaseException) -> None:
    """Print the traceback as Python does, without the frames of this runner."""
    with contextlib.suppress(BaseException):
        shown = traceback.TracebackException.from_exception(error, compact=True)
        _trim(shown)
        # A recursion of two functions fills a thousand lines, which would use up the output before what the program
        # printed.
        lines = "".join(shown.format()).removesuffix("\n").split("\n")
        kept = lines if len(lines) <= 200 else [*lines[:100], "  ...", *lines[-100:]]
        sys.stderr.write("".join(f"{_clip(line)}\n" for line in kept))
        sys.stderr.flush()


def _clip(line: str) -> str:
    return line if len(line) <= 400 else f"{line[:400]} ..."


def _trim(shown: traceback.TracebackException) -> None:
    kept = [frame for frame in shown.stack if not frame.filename.startswith(_OWN_FOLDER)]
    shown.stack[:] = kept
    related = [shown.__cause__, shown.__context__, *(getattr(shown, "exceptions", None) or [])]
    for other in related:
        if other is not None:
            _trim(other)
