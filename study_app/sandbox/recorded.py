"""Replays results that a real sandbox gave: for tests, demonstrations and audits, where nothing may run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.tasks.programs import Isolation, OutputLine, Program, RunResult
from study_app.ports import Sandbox


def key_of(program: Program) -> str:
    """Return what tells programs apart: everything but the seed and the number that a graded call bears."""
    # The nonce differs in each call so that no program can forge a report; it says nothing about what is asked.
    call = {name: value for name, value in (program.call or {}).items() if name != "nonce"}
    material = asdict(replace(program, seed=None, call=call or None))
    for how in ("report_bytes", "controlled"):  # How a run is watched does not change what it does.
        del material[how]
    return hashlib.sha256(json.dumps(material, sort_keys=True, default=str).encode()).hexdigest()


class RecordedSandbox:
    """Answers every known program with the result once recorded.

    Args:
        results: by `key_of`.
    """

    def __init__(self, results: dict[str, RunResult]) -> None:
        self._results = dict(results)

    @classmethod
    def load(cls, path: Path) -> RecordedSandbox:
        """Read a recording that `RecordingSandbox.save` wrote.

        Raises:
            SandboxUnavailable: there is no such recording, or it cannot be read.
        """
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
            return cls({key: _result(row) for key, row in rows.items()})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise SandboxUnavailable(f"the recording {path} cannot be read ({error}); record it again") from None

    def isolation(self) -> Isolation:
        """Nothing runs, so nothing can escape."""
        return Isolation("strong", "Nothing is run: results are replayed from a recording.")

    def run(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        """Return the recorded result.

        Raises:
            SandboxUnavailable: this program was not recorded.
        """
        result = self._results.get(key_of(program))
        if result is None:
            raise SandboxUnavailable("this program is not in the recording; record it first")
        if cancelled is not None and cancelled():
            return replace(result, stdout="", stderr="", lines=(), exit_status=None, ended_by="cancelled")
        for line in result.lines if on_line else ():
            on_line(line)  # type: ignore[misc]
        return _with_nonce(result, program)

    def close(self) -> None:
        """Nothing to end."""


class RecordingSandbox:
    """Passes programs on to a real sandbox and keeps the results.

    Args:
        sandbox: runs them.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.results: dict[str, RunResult] = {}

    def isolation(self) -> Isolation:
        """As the sandbox beneath says."""
        return self._sandbox.isolation()

    def run(
        self,
        program: Program,
        on_line: Callable[[OutputLine], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        """Run it for real and keep what came of it."""
        result = self._sandbox.run(program, on_line, cancelled)
        self.results[key_of(program)] = result
        return result

    def close(self) -> None:
        """Close the sandbox beneath."""
        self._sandbox.close()

    def save(self, path: Path) -> None:
        """Write the recording as JSON."""
        rows = {key: asdict(result) for key, result in sorted(self.results.items())}
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _result(row: dict[str, Any]) -> RunResult:
    lines = tuple(OutputLine(**line) for line in row.pop("lines"))
    texts = {name: tuple(row.get(name, ())) for name in ("warning_types", "figures")}
    return RunResult(**{**row, "lines": lines, **texts})


def _with_nonce(result: RunResult, program: Program) -> RunResult:
    """Give a recorded observation the number of the call that asks now."""
    seen = result.observation
    if seen is None or not isinstance(seen.get("reported"), dict) or program.call is None:
        return result
    reported = {**seen["reported"], "nonce": program.call.get("nonce")}
    return replace(result, observation={**seen, "reported": reported})


def record(sandbox: Sandbox, programs: Iterable[Program]) -> RecordedSandbox:
    """Run some programs for real and give a sandbox that replays them."""
    recorder = RecordingSandbox(sandbox)
    for program in programs:
        recorder.run(program)
    return RecordedSandbox(recorder.results)
