"""Runs programs inside a container, as `container.ContainerSandbox` asks over standard input and output.

One line of JSON a message. Inside, the same walls stand as on a machine without a container.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.programs import OutputLine, Program
from study_app.sandbox.container import ROOT_OF_RUNS
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options

PROGRAM: TypeAdapter[Program] = TypeAdapter(Program)


class Worker:
    """Serves until its standard input ends."""

    def __init__(self) -> None:
        self._sandbox = LocalSandbox(Options(bubblewrap=False, folders=tuple(sys.argv[1:]), root=ROOT_OF_RUNS))
        self._cancelled: set[int] = set()
        self._saying = threading.Lock()

    def serve(self) -> None:
        """Read requests; each is served by a separate thread."""
        for line in sys.stdin:
            asked = json.loads(line)
            if asked.get("cancel"):
                self._cancelled.add(asked["id"])
            else:
                threading.Thread(target=self._answer, args=(asked,), daemon=True).start()
        self._sandbox.close()

    def _answer(self, asked: dict[str, Any]) -> None:
        number = asked["id"]
        try:
            if "program" not in asked:
                self._say(number, "isolation", asdict(self._sandbox.isolation()))
                return
            program = PROGRAM.validate_python(asked["program"])
            result = self._sandbox.run(
                program, lambda line: self._line(number, line), lambda: number in self._cancelled
            )
            self._say(number, "result", asdict(result))
        except SandboxUnavailable as error:
            self._say(number, "unavailable", str(error))
        except Exception as error:
            self._say(number, "unavailable", f"{type(error).__name__}: {error}")

    def _line(self, number: int, line: OutputLine) -> None:
        self._say(number, "line", asdict(line))

    def _say(self, number: int, kind: str, value: Any) -> None:
        # A message is one line: two threads must not write into each other's.
        with self._saying:
            sys.stdout.write(json.dumps({"id": number, kind: value}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    Worker().serve()
