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

from study_app.sandbox.inside import frames, libraries

MARK = "\x00"
"""A line that starts with it and the run's nonce says, in order with the output, that the call starts or ends."""
BEAT_SECONDS = 0.1
"""Between two signs that the event loop of a graded call is alive."""
_DEEPEST = 40
_LARGEST_PLAIN = 1 << 63
_perf_counter, _write = time.perf_counter, frames.writer(3)


class Watch:
    """Times lines by the virtual clock, and notices what that clock cannot see: blocking calls and threads."""

    def __init__(self, *, virtual: bool) -> None:
        self.virtual = virtual
        self.lines: list[tuple[float, str]] = []
        self.blocked_seconds = 0.0
        self.longest_step = 0.0
        self.threads = 0
        self.clock_reads = 0
        self._origin: float | None = None
        self._last = 0.0
        self._seconds: float | None = None
        self._step_started: float | None = None
        if virtual:
            self._watch_blocking()
            self._watch_clocks()
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

    def renew(self) -> None:
        """Forget the call before: another one in the same process follows."""
        self.lines = []
        self.longest_step = self.blocked_seconds = self._last = 0.0
        self.threads = self.clock_reads = 0
        self._origin = self._seconds = None

    @property
    def doubtful(self) -> bool:
        """Whether something happened that the virtual clock cannot time."""
        return bool(self.blocked_seconds or self.threads or self.clock_reads)

    def start(self) -> None:
        """Start the graded call: time counts from here."""
        self.lines.clear()
        self.clock_reads = 0
        self._origin = None
        self._last = 0.0
        self.now()

    def stop(self) -> None:
        """End the graded call."""
        self._seconds = self.now()

    def observation(self, call: dict[str, Any], **seen: Any) -> dict[str, Any]:
        """Return what was seen, for the report."""
        return {
            "nonce": call.get("nonce"),
            "lines": self.lines if self.virtual else None,
            "seconds": self._seconds if self._seconds is not None else self._last,
            "longest_step": self.longest_step,
            "blocked_seconds": self.blocked_seconds,
            "threads": self.threads,
            "clock_reads": self.clock_reads,
            **seen,
        }

    def _watch_blocking(self) -> None:
        # The virtual clock stands still while a thread blocks: a time measured by it would then be too good, and the
        # parent repeats the call in real time.
        sleep, start = time.sleep, threading.Thread.start

        def watched_sleep(seconds: float) -> None:
            self.blocked_seconds += max(float(seconds), 0.0)
            sleep(seconds)

        def watched_start(thread: threading.Thread) -> None:
            self.threads += 1
            start(thread)

        time.sleep = watched_sleep  # type: ignore[assignment]
        threading.Thread.start = watched_start  # type: ignore[method-assign, assignment]
        sys.stdout = TimedOutput(sys.stdout, self)

    def _watch_clocks(self) -> None:
        """Count readings of real clocks: a program that waits by them cannot be timed by the virtual one."""
        for name in ("monotonic", "perf_counter", "time", "monotonic_ns", "perf_counter_ns", "time_ns"):
            setattr(time, name, self._counting(getattr(time, name)))

    def _counting(self, read: Callable[[], Any]) -> Callable[[], Any]:
        def counted() -> Any:
            self.clock_reads += 1
            return read()

        return counted

    def _watch_trio(self) -> None:
        trio: Any = sys.modules.get("trio")
        if trio is None:
            return

        run, watch = trio.run, self

        class Steps(trio.abc.Instrument):  # type: ignore[misc, name-defined, unused-ignore]
            def before_task_step(self, task: Any) -> None:
                watch._step_started = _perf_counter()

            def after_task_step(self, task: Any) -> None:
                if watch._step_started is not None:
                    watch.longest_step = max(watch.longest_step, _perf_counter() - watch._step_started)

        def virtual_run(
            async_fn: Callable[..., Any], *args: Any, clock: Any = None, instruments: Any = (), **rest: Any
        ) -> Any:
            if clock is None:
                # Time jumps to the next deadline once every task waits: sleeps cost nothing, and order and times are
                # exact on any machine.
                clock = trio.testing.MockClock(autojump_threshold=0)
                clock._real_clock = _perf_counter  # Its own readings are not the program's.
            return run(async_fn, *args, clock=clock, instruments=[*instruments, Steps()], **rest)

        trio.run = virtual_run


class TimedOutput(io.TextIOBase):
    """Standard output that notes the virtual time of each line beside passing it on."""

    def __init__(self, stream: Any, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch
        self._part = ""

    def write(self, text: str) -> int:
        """Pass text on and note the lines it completes."""
        self._stream.write(text)
        *whole, self._part = (self._part + text).split("\n")
        # Bounded here already, for the report is read into the server's memory.
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
    wanted = [call, *call.get("beside", [])]
    calls = [_prepared(one, namespace) for one in wanted]
    values = _invoke(call, calls, watch)
    return watch.observation(call, value=encode(values[0] if len(wanted) == 1 else values))


def perform_series(
    call: dict[str, Any],
    namespace: dict[str, Any],
    watch: Watch,
    seed: Callable[[int], None],
    describe: Callable[[BaseException], dict[str, Any]],
    enough: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Make several calls one after the other in one process, for answers that have to be quick.

    The names of the program are as they were before each call; objects that a call has changed stay changed, so the
    parent tries a call that fails again in a separate process. The series ends early at a call that leaves the
    program, or that the virtual clock cannot time where times count.

    Args:
        call: `nonce` and `series`: calls as `perform` takes them, each with its `seed`.
        namespace: where the participant's program ran.
        watch: keeps time.
        seed: seeds what is random, schedulers included.
        describe: an exception as the report holds it.
        enough: asked after each call; once true, the rest are not made.

    Returns:
        The observation: `series`, the observations of the calls that were made, in order.
    """
    before, made = dict(namespace), []
    for number, one in enumerate(call["series"]):
        _mark(call, f"call {number}")
        seed(one["seed"])
        watch.renew()
        asked = {**one, "nonce": call["nonce"], "unmarked": True}
        try:
            made.append(perform(asked, namespace, watch))
        except SystemExit:
            break
        except BaseException as error:
            raised = describe(error)
            made.append(watch.observation(asked, error=raised["type"], raised=raised))
        namespace.clear()
        namespace.update(before)
        if (watch.doubtful and "uses" not in call) or enough():
            break
    return {"nonce": call["nonce"], "series": made}


def _prepared(call: dict[str, Any], namespace: dict[str, Any]) -> Callable[[], Any]:
    """Return one call, its function and arguments looked up, ready to be made."""
    name = call["function"]
    if name not in namespace:
        raise NameError(f"name '{name}' is not defined: keep the function's name as the starter has it")
    arguments = [_refer(value, namespace) for value in call.get("args", [])]
    keywords = {key: _refer(value, namespace) for key, value in call.get("kwargs", {}).items()}
    return lambda: namespace[name](*arguments, **keywords)


def _invoke(call: dict[str, Any], calls: list[Callable[[], Any]], watch: Watch) -> list[Any]:
    """Make the calls, several of them at the same time in one nursery (or task group)."""
    if call.get("runner") == "trio":
        return list(sys.modules["trio"].run(_in_trio, call, calls, watch))
    if call.get("runner") == "asyncio":
        import asyncio

        return asyncio.run(_in_asyncio(call, calls, watch))
    with _marked(call, watch):
        return [one() for one in calls]


async def _in_trio(call: dict[str, Any], calls: list[Callable[[], Any]], watch: Watch) -> list[Any]:
    trio: Any = sys.modules["trio"]
    values: list[Any] = [None] * len(calls)

    async def keep(index: int) -> None:
        values[index] = await _awaited(calls[index])

    async def beat() -> None:
        while True:
            _write(frames.BEAT, b"\0")
            await trio.sleep(BEAT_SECONDS)

    if call.get("beats"):
        # A system task, so that no nursery of the program waits for it or cancels it.
        trio.lowlevel.spawn_system_task(beat)
    with _marked(call, watch):
        if len(calls) == 1:
            return [await _awaited(calls[0])]
        async with trio.open_nursery() as nursery:
            for index in range(len(calls)):
                nursery.start_soon(keep, index)
        return values


async def _in_asyncio(call: dict[str, Any], calls: list[Callable[[], Any]], watch: Watch) -> list[Any]:
    import asyncio

    loop = asyncio.get_running_loop()

    def beat() -> None:
        _write(frames.BEAT, b"\0")
        loop.call_later(BEAT_SECONDS, beat)

    if call.get("beats"):
        beat()
    with _marked(call, watch):
        return list(await asyncio.gather(*(_awaited(one) for one in calls)))


async def _awaited(one: Callable[[], Any]) -> Any:
    value = one()
    return await value if inspect.isawaitable(value) else value


@contextlib.contextmanager
def _marked(call: dict[str, Any], watch: Watch) -> Any:
    _mark(call, "start")
    watch.start()
    try:
        yield
    finally:
        _end_line()
        watch.stop()
        _mark(call, "end")


def _mark(call: dict[str, Any], moment: str) -> None:
    if not call.get("unmarked"):
        sys.stdout.write(f"{MARK}{call.get('nonce')} {moment}\n")


def _end_line() -> None:
    """End a line that the call left open, so that what follows is a line and the mark is at the start of the next."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        if sys.__stdout__.buffer.raw.within_line:  # type: ignore[union-attr]
            sys.stdout.write("\n")


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
    """Return a value of builtin types as JSON that `domain.checks.decode` turns back exactly.

    Another value by its type's name.

    Numbers and tables of numerical libraries come as what `libraries.as_builtin` makes of them.

    Types are compared by identity, so that a subclass with its own `__eq__` is what it is: something else.
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return value if abs(value) < _LARGEST_PLAIN else {"$int": hex(value)}
    if depth > _DEEPEST:
        return {"$other": "too deep"}
    if kind is float:
        return {"$float": repr(value)}
    if kind is list:
        return [encode(item, depth + 1) for item in value]
    if kind in (tuple, set, frozenset):
        # By `repr`: a set has no order, and items of several types cannot be compared.
        items = sorted(value, key=repr) if kind is not tuple else value
        return {f"${kind.__name__}": [encode(item, depth + 1) for item in items]}
    if kind is dict:
        return {"$dict": [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in value.items()]}
    if isinstance(value, BaseException):
        return {"$exception": [kind.__name__, encode(str(value), depth + 1)]}
    plain = libraries.as_builtin(value)
    return {"$other": kind.__name__} if plain is None else encode(plain, depth + 1)
