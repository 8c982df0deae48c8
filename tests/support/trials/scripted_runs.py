"""A sandbox whose runs end as a test lists them."""

from __future__ import annotations

from support.trials.console_trial import NoSandbox

from study_app.domain.tasks.programs import Program, RunResult


class Scripted(NoSandbox):
    """Runs end as listed, the last of them again and again; every program prints the same."""

    def __init__(self, *runs: RunResult | Exception) -> None:
        self.runs = list(runs) or [ended("exit")]
        self.asked: list[Program] = []

    def run(self, program, *args, **kwargs):
        self.asked.append(program)
        result = self.runs.pop(0) if len(self.runs) > 1 else self.runs[0]
        if isinstance(result, Exception):
            raise result
        return result


def ended(by: str, stdout: str = "", seconds: float = 0.1, lag: float | None = None) -> RunResult:
    return RunResult(stdout, "", (), 0 if by == "exit" else None, by, seconds, "strong", 1, lag_seconds=lag)
