"""One graded call inside the child: make it, and say what was seen, unjudged.

Only the input is here. What is expected, and the comparison, are in the parent.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

MARK = "\x00"
"""A line that starts with it and the run's nonce says, in order with the output, that the call starts or ends."""
_DEEPEST = 40


class Watch:
    """Times lines by the virtual clock, and notices what that clock cannot see: blocking calls and threads."""

    def __init__(self, *, virtual: bool) -> None:
        self.virtual = virtual
        self.lines: list[tuple[float, str]] = []
        self.blocked_seconds = 0.0
        self.longest_step = 0.0
        self.threads = 0
        self._origin: float | None = None
        self._last = 0.0
        self._seconds: float | None = None
        self._step_started: float | None = None
        if virtual:
            self._watch_blocking()
            self._watch_trio()

    def now(self) -> float:
        """Virtual seconds since the call started."""
        trio = sys.modules.get("trio")
        with contextlib.suppress(Exception):
            moment = trio.current_time()  # type: ignore[union-attr]
            if self._origin is None:
                self._origin = moment
            self._last = moment - self._origin
        return self._last

    def start(self) -> None:
        """The graded call starts: time counts from here."""
        self.lines.clear()
        self._origin = None
        self._last = 0.0
        self.now()

    def stop(self) -> None:
        """The graded call has ended."""
        self._seconds = self.now()

    def observation(self, call: dict[str, Any], **seen: Any) -> dict[str, Any]:
        """What was seen, for the report."""
        return {
            "nonce": call.get("nonce"),
            "lines": self.lines if self.virtual else None,
            "seconds": self._seconds if self._seconds is not None else self._last,
            "longest_step": self.longest_step,
            "blocked_seconds": self.blocked_seconds,
            "threads": self.threads,
            **seen,
        }

    def _watch_blocking(self) -> None:
        sleep, start = time.sleep, threading.Thread.start

        def watched_sleep(seconds: float) -> None:
            self.blocked_seconds += max(float(seconds), 0.0)
            sleep(seconds)

        def watched_start(thread: threading.Thread) -> None:
            self.threads += 1
            start(thread)

        time.sleep = watched_sleep  # type: ignore[assignment]
        threading.Thread.start = watched_start  # type: ignore[method-assign, assignment]
        sys.stdout = Recorder(sys.stdout, self)

    def _watch_trio(self) -> None:
        trio: Any = sys.modules.get("trio")
        if trio is None:
            return

        run, watch = trio.run, self

        class Steps(trio.abc.Instrument):  # type: ignore[misc, name-defined, unused-ignore]
            def before_task_step(self, task: Any) -> None:
                watch._step_started = time.perf_counter()

            def after_task_step(self, task: Any) -> None:
                if watch._step_started is not None:
                    watch.longest_step = max(watch.longest_step, time.perf_counter() - watch._step_started)

        def virtual_run(
            async_fn: Callable[..., Any], *args: Any, clock: Any = None, instruments: Any = (), **rest: Any
        ) -> Any:
            clock = clock or trio.testing.MockClock(autojump_threshold=0)
            return run(async_fn, *args, clock=clock, instruments=[*instruments, Steps()], **rest)

        trio.run = virtual_run


class Recorder(io.TextIOBase):
    """Standard output that notes the virtual time of each line beside passing it on."""

    def __init__(self, stream: Any, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch
        self._part = ""

    def write(self, text: str) -> int:
        """Pass text on and note the lines it completes."""
        self._stream.write(text)
        *whole, self._part = (self._part + text).split("\n")
        for line in whole[: 5000 - len(self._watch.lines)]:
            if not line.startswith(MARK):
                self._watch.lines.append((self._watch.now(), line[:2000]))
        return len(text)

    def flush(self) -> None:
        """Flush what is beneath."""
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def perform(call: dict[str, Any], namespace: dict[str, Any], watch: Watch) -> dict[str, Any]:
    """Make the call in the participant's namespace.

    Args:
        call: `nonce`, `function`, `args`, `kwargs`, `prelude` (source run first, in the same namespace), `runner`
            (`trio`, `asyncio` or empty).
        namespace: where the participant's program ran.
        watch: keeps time.

    Returns:
        The observation: `value` encoded, lines and times by the virtual clock, signs of blocking.

    Raises:
        BaseException: whatever the participant's function raised.
    """
    if call.get("prelude"):
        exec(compile(call["prelude"], "fixtures.py", "exec"), namespace)
    name = call["function"]
    if name not in namespace:
        raise NameError(f"name '{name}' is not defined: keep the function's name as the starter has it")
    arguments = [_refer(value, namespace) for value in call.get("args", [])]
    keywords = {key: _refer(value, namespace) for key, value in call.get("kwargs", {}).items()}
    value = _invoke(call, namespace[name], arguments, keywords, watch)
    return watch.observation(call, value=encode(value))


def _invoke(call: dict[str, Any], function: Any, arguments: list[Any], keywords: dict[str, Any], watch: Watch) -> Any:
    async def awaited() -> Any:
        with _marked(call, watch):
            value = function(*arguments, **keywords)
            return await value if inspect.isawaitable(value) else value

    if call.get("runner") == "trio":
        return sys.modules["trio"].run(awaited)
    if call.get("runner") == "asyncio":
        import asyncio

        return asyncio.run(awaited())
    with _marked(call, watch):
        return function(*arguments, **keywords)


@contextlib.contextmanager
def _marked(call: dict[str, Any], watch: Watch) -> Any:
    sys.stdout.write(f"{MARK}{call.get('nonce')} start\n")
    watch.start()
    try:
        yield
    finally:
        watch.stop()
        sys.stdout.write(f"{MARK}{call.get('nonce')} end\n")


def _refer(value: Any, namespace: dict[str, Any]) -> Any:
    """Replace `{"$name": NAME}` by what the prelude defined under that name."""
    if isinstance(value, dict):
        if set(value) == {"$name"}:
            return namespace[value["$name"]]
        return {key: _refer(item, namespace) for key, item in value.items()}
    if isinstance(value, list):
        return [_refer(item, namespace) for item in value]
    return value


def encode(value: Any, depth: int = 0) -> Any:
    """A value of builtin types as JSON that `domain.checks.decode` turns back exactly, another by its type's name.

    Types are compared by identity, so that a subclass with an `__eq__` of its own is what it is: something else.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if depth > _DEEPEST:
        return {"$other": "too deep"}
    if kind is float:
        return {"$float": repr(value)}
    if kind is list:
        return [encode(item, depth + 1) for item in value]
    if kind in (tuple, set, frozenset):
        items = sorted(value, key=repr) if kind is not tuple else value
        return {f"${kind.__name__}": [encode(item, depth + 1) for item in items]}
    if kind is dict:
        return {"$dict": [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in value.items()]}
    if isinstance(value, BaseException):
        return {"$exception": [kind.__name__, encode(str(value), depth + 1)]}
    return {"$other": kind.__name__}
