"""The seams of the system: what the services need and do not care who provides.

Each method says what it returns, what it raises, and whose fault that is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Protocol

from study_app.domain.assistants import AssistantRequest, ReplyEnd, TextDelta
from study_app.domain.tasks import Isolation, OutputLine, Program, RunResult


class Clock(Protocol):
    """The only source of time. A simulation brings its own."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...


class Sandbox(Protocol):
    """Runs strangers' programs."""

    def isolation(self) -> Isolation:
        """The isolation observed by canaries when the sandbox started; never raises."""
        ...

    def run(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        """Run one program to its end; blocking, safe to call from many threads.

        `on_line` is called in the caller's process as lines arrive. `cancelled` is polled (about every 50 ms); once
        true, the run is killed and ends with `ended_by="cancelled"`.

        Raises:
            SandboxUnavailable: isolation is off, or the fork server cannot be restarted. Never the program's fault:
                whatever the program does, however it ends, is a RunResult.
        """
        ...

    def close(self) -> None:
        """End the fork server and every run; idempotent."""
        ...


class Assistant(Protocol):
    """Answers participants."""

    @property
    def id(self) -> str:
        """`claude`, `notes` or `recorded`; exported with every turn."""
        ...

    def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        """Stream one reply: TextDelta pieces, then exactly one ReplyEnd.

        Raises:
            AssistantUnavailable: the provider failed, before or amid the reply; what was yielded so far stands.
        """
        ...
