"""What a task.toml and a bank.toml say of programs decides how these run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from study_app.content.item_banks import load_bank
from study_app.content.task_packs import load_pack
from study_app.domain.tasks.checks import Check, Observation, call
from study_app.domain.tasks.packs import PackSettings, TaskPack
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.grading import run_visible
from study_app.services.grading.output import output_of, quiz_program

ROOT = Path(__file__).resolve().parents[2]
WARMUP = load_pack(ROOT / "tasks" / "warmup")
TIMER = load_pack(ROOT / "tasks" / "trio_timer")
PATIENT = {"wall_seconds": 100.0, "cpu_seconds": 30, "memory_mb": 512}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def pack(base: TaskPack = WARMUP, **settings: object) -> TaskPack:
    given = base.settings.model_dump() | settings
    return replace(base, settings=PackSettings.model_validate(given))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("key", "small", "program", "ended_by"),
    [
        ("wall_seconds", 0.2, "import time\ntime.sleep(0.6)", "time"),
        ("cpu_seconds", 1, "import time\nwhile time.process_time() < 1.6: pass", "cpu"),
        ("memory_mb", 64, "x = bytearray(150_000_000)", "memory"),
        ("output_bytes", 1000, "print('x' * 5000)", "output"),
    ],
)
def test_a_limit_of_a_pack_decides_whether_its_program_comes_to_an_end(sandbox, key, small, program, ended_by):
    wide = pack(limits=PATIENT)
    narrow = pack(limits=PATIENT | {key: small})
    assert sandbox.run(wide.program(program)).ended_by == "exit"
    assert sandbox.run(narrow.program(program)).ended_by == ended_by


def test_programs_import_the_packages_of_their_pack_only(sandbox):
    program = "import trio\nprint(trio.__name__)"
    assert sandbox.run(pack(packages=["trio"]).program(program)).stdout == "trio\n"
    assert sandbox.run(pack(packages=[]).program(program)).error_type == "ModuleNotFoundError"


def test_programs_of_a_bank_import_its_packages_only(sandbox):
    bank = load_bank(ROOT / "quizzes" / "trio")
    program = "import trio\nprint(trio.__name__)"
    found = [
        output_of(sandbox, quiz_program(program, each.packages)).text
        for each in (bank, bank.model_copy(update={"packages": ()}))
    ]
    assert found == ["trio\n", ""]


def answers_five(expected: Observation, seen: Observation) -> str | None:
    return None if seen.value == 5 else f"found {seen.value!r}, not {expected.value!r}"


@pytest.mark.parametrize("library", ["trio", "asyncio"])
def test_an_async_function_is_called_by_the_runner_of_its_pack(sandbox, library):
    code = f"import {library}\n\n\nasync def five():\n    await {library}.sleep(0)\n    return 5\n"
    check = Check("five", call("five"), visible=True, compare=answers_five, expect=Observation(5))
    verdicts = {}
    for runner in ("trio", "asyncio", "none"):
        asked = replace(pack(packages=["trio"], runner=runner), solution=code, checks=(check,))
        verdicts[runner] = run_visible(sandbox, asked, code, run_seed=1).checks[0].passed
    assert {runner for runner, passed in verdicts.items() if passed} == {library}


class Watched:
    """A sandbox that notes the clock of every call."""

    def __init__(self, inner: LocalSandbox) -> None:
        self.inner, self.clocks = inner, []

    def run(self, program, on_line=None, cancelled=None):
        if program.call is not None:
            self.clocks.append(program.clock)
        return self.inner.run(program, on_line, cancelled)

    def isolation(self):
        return self.inner.isolation()


@pytest.mark.parametrize("clock", ["virtual", pytest.param("real", marks=pytest.mark.slow)])
def test_examples_run_on_the_clock_of_the_pack(sandbox, clock):
    watched = Watched(sandbox)
    assert run_visible(watched, pack(TIMER, clock=clock), TIMER.solution, run_seed=1).complete
    assert set(watched.clocks) == {clock}
