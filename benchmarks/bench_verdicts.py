"""Whether verdicts depend on the machine's load: correct and wrong programs graded beside busy processes; prints JSON.

    python benchmarks/bench_verdicts.py                                  a few gradings of each pack
    python benchmarks/bench_verdicts.py --gradings 40 --minutes 8        what the must-show asks for
    python benchmarks/bench_verdicts.py --submissions 60                 a deadline hands in sixty programs at once

Every shipped pack and every example's pack is graded: its reference solution `--gradings` times by all checks, its
visible examples as the Run button tries them as often, and each of its wrong programs once. A correct program that did
not pass and a wrong one that did are named. Gradings end after `--minutes`, shared by the packs in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from sandbox.busy_machine import busy  # noqa: E402

from study_app.bootstrap import App, start  # noqa: E402
from study_app.content.task_packs import load_pack  # noqa: E402
from study_app.domain.errors import SandboxUnavailable  # noqa: E402
from study_app.domain.records import RunRecord  # noqa: E402
from study_app.domain.tasks.packs import TaskPack  # noqa: E402
from study_app.domain.tasks.programs import Grade  # noqa: E402
from study_app.ports import Sandbox  # noqa: E402
from study_app.sandbox.local import LocalSandbox  # noqa: E402
from study_app.sandbox.server import Options  # noqa: E402
from study_app.services.grading.grading import grade, run_visible  # noqa: E402
from study_app.services.participant.enrolment import EntryRequest  # noqa: E402
from study_app.settings import Settings  # noqa: E402


@dataclass
class Tally:
    """What the gradings of one pack came to."""

    correct: int = 0
    correct_wrongly_judged: list[str] = field(default_factory=list)
    correct_without_a_verdict: int = 0
    examples: int = 0
    examples_wrongly_judged: list[str] = field(default_factory=list)
    wrong: int = 0
    wrong_that_passed: list[str] = field(default_factory=list)
    repeats: int = 0
    longest_seconds: float = 0.0


def packs_of_the_repository() -> dict[str, TaskPack]:
    """Return every task pack that is shipped, by its path in the repository."""
    folders = [*ROOT.glob("tasks/*/"), *ROOT.glob("examples/*/tasks/*/")]
    return {str(folder.relative_to(ROOT)): load_pack(folder) for folder in sorted(folders)}


def installed(sandbox: Sandbox, pack: TaskPack) -> bool:
    """Whether the library that a pack teaches is there; those of some examples are installed by `study setup`."""
    try:
        run_visible(sandbox, pack, pack.solution)
    except SandboxUnavailable:
        return False
    return True


def failed(graded: Grade) -> list[str]:
    return [f"{check.name}: {check.message}" for check in graded.checks if check.passed is False]


def grade_correct(sandbox: Sandbox, pack: TaskPack, number: int, tally: Tally) -> None:
    """Grade the reference solution once by all checks, and try its visible examples once."""
    began = time.perf_counter()
    graded = grade(sandbox, pack, pack.solution, run_seed=number)
    tally.longest_seconds = round(max(tally.longest_seconds, time.perf_counter() - began), 1)
    tally.correct += 1
    tally.repeats += graded.repeats
    tally.correct_without_a_verdict += graded.inconclusive is not None
    tally.correct_wrongly_judged += [f"seed {number}: {one}" for one in failed(graded)]
    tally.examples += 1
    tally.examples_wrongly_judged += [
        f"seed {number}: {one}" for one in failed(run_visible(sandbox, pack, pack.solution, run_seed=number))
    ]


def grade_wrong(sandbox: Sandbox, pack: TaskPack, tally: Tally) -> None:
    """Grade each wrong program of the pack once."""
    for name, code in pack.wrong.items():
        tally.wrong += 1
        if not failed(grade(sandbox, pack, code, run_seed=tally.wrong)):
            tally.wrong_that_passed.append(name)


def gradings(options: argparse.Namespace) -> dict[str, object]:
    """Grade the packs in turn, so that each has its share where time ends first."""
    packs = packs_of_the_repository()
    tallies = {name: Tally() for name in packs}
    ends = time.monotonic() + 60 * options.minutes
    sandbox = LocalSandbox(Options(bubblewrap=False))
    missing = [name for name, pack in packs.items() if not installed(sandbox, pack)]
    packs = {name: pack for name, pack in packs.items() if name not in missing}
    with busy(options.busy):
        for name, pack in packs.items():
            grade_wrong(sandbox, pack, tallies[name])
        for number in range(options.gradings):
            for name, pack in packs.items():
                if time.monotonic() < ends:
                    grade_correct(sandbox, pack, number, tallies[name])
    sandbox.close()
    return {name: vars(tally) for name, tally in tallies.items() if name in packs} | dict.fromkeys(
        missing, "not installed"
    )


def hand_in(app: App, submissions: int) -> None:
    """Store correct programs of as many participants, as a deadline does."""
    stage = app.study.main_task_stages[0]
    now = app.context.now()
    for number in range(submissions):
        who = app.enrol.enter(EntryRequest()).participant.id
        pack = app.context.content.pack(stage.packs[number % len(stage.packs)])
        run = RunRecord(app.context.fresh_id(), who, pack.id, stage.id, "submission", pack.solution, now)
        with app.context.registry.begin() as unit:
            unit.add_run(run)


def verdicts(app: App) -> Iterator[bool | None]:
    """Each submission's verdict: passed, failed, or None."""
    with app.context.registry.begin(write=False) as unit:
        for run in unit.runs():
            passed = [check["passed"] for check in run.checks or [{"passed": None}]]
            yield False if False in passed else None if None in passed else True


def submissions(options: argparse.Namespace) -> dict[str, object]:
    """Grade programs that were handed in at one moment, by the server's own queue."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(ROOT / "study.toml", f"sqlite:///{folder}/study.db", Path(folder), environment={})
        app = start(settings)
        hand_in(app, options.submissions)
        began = time.monotonic()
        with busy(options.busy):
            while app.grading.pending():
                app.grading.grade_pending()
        spent = time.monotonic() - began
        found = list(verdicts(app))
        app.close()
    return {
        "submissions": len(found),
        "passed": found.count(True),
        "failed": found.count(False),
        "without_a_verdict": found.count(None),
        "seconds": round(spent, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gradings", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--busy", type=int, default=8)
    parser.add_argument("--submissions", type=int, default=0)
    options = parser.parse_args()
    figures: dict[str, object] = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "busy_processes": options.busy}
    figures |= {"deadline": submissions(options)} if options.submissions else {"packs": gradings(options)}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
