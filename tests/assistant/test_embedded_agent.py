"""The embedded assistant as an agent: broken programs that it repairs, and what it says where it cannot."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from study_app.assistant.embedded.acting import next_step
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.content.task_packs import load_pack
from study_app.domain.assistants.acting import AgentRequest, AgentStep, CallRefused, ToolCall, checked_call, replacement
from study_app.domain.assistants.agent_settings import TOOLS
from study_app.domain.assistants.treatments import AssistantRequest
from study_app.domain.records import RunRecord
from study_app.sandbox.local import LocalSandbox
from study_app.services.grading.grading import run_visible
from study_app.services.participant.agent.run_texts import run_as_text
from study_app.services.participant.runs import finished

TASKS = Path(__file__).parents[2] / "tasks"
MOST_STEPS = 12
BROKEN = {
    "an await is missing": (r"await trio\.sleep", "trio.sleep"),
    "another library's sleep": (r"trio\.sleep", "asyncio.sleep"),
    "the blocking sleep": (r"await trio\.sleep", "time.sleep"),
    "a colon is missing": (r":$", ""),
    "the import is missing": (r"^import trio\n", ""),
    "with for async with": (r"async with trio", "with trio"),
    "def for async def": (r"^async def", "def"),
    "called within start_soon": (r"start_soon\((\w+), ([^)]*)\)", r"start_soon(\1(\2))"),
    "open_nursery is misspelt": ("open_nursery", "open_nursey"),
    "start_soon is misspelt": ("start_soon", "start_son"),
    "a bracket is missing": (r"\)$", ""),
    "print is awaited": (r"print\(", "await print("),
    "a tab in the indentation": (r"^        ", "\t"),
    "the nursery is gone": (r"async with trio\.open_nursery\(\) as nursery:", "if True:"),
    "it returns at once": (r"^(async def \w+.*)$", r"\1\n    return None"),
    "a returned name is misspelt": (r"\breturn (\w+)$", r"return \1s"),
}


@cache
def pack(task: str):
    return load_pack(TASKS / task)


def broken_programs() -> dict[str, tuple[str, str]]:
    """Name -> (task, program): the solution broken in one way, halves of it, and functions that are missing."""
    found = {}
    for task in ("trio_timer", "trio_users"):
        solution = pack(task).solution
        for name, (pattern, new) in BROKEN.items():
            program = re.sub(pattern, new, solution, count=1, flags=re.MULTILINE)
            if program != solution:
                found[f"{task}: {name}"] = task, program
        found[f"{task}: the starter"] = task, pack(task).starter
        found[f"{task}: nothing"] = task, ""
        found[f"{task}: half of it"] = task, solution[: len(solution) // 2]
    return found


def carry_out(sandbox, task: str, call: ToolCall, program: str) -> tuple[str, str, bool]:
    """The program after a step, the outcome as the agent reads it, and whether the step failed."""
    texts = checked_call(call, TOOLS)
    if call.tool == "edit":
        try:
            return replacement(program, texts).applied(program), "The change was made.", False
        except CallRefused as refusal:
            return program, str(refusal), True
    if call.tool == "run":
        record = RunRecord("r", "p", task, "s", "agent", program, datetime(2026, 1, 1, tzinfo=UTC))
        result = sandbox.run(pack(task).program(program), lambda _: None, lambda: False)
        checks = [check for check in run_visible(sandbox, pack(task), program).checks if check.passed is not None]
        done = replace(finished(record, result), checks=[check.shown() for check in checks])
        return program, run_as_text(done), done.error_type is not None or done.ended_by != "exit"
    return program, program, False


def worked_on(sandbox, task: str, program: str, message: str = "please get this to work") -> tuple[str, list[str]]:
    """The program at the end of a turn in which everything is approved, and the tools that were called."""
    notebook = Notebook(notes_in_folder(str(TASKS / task)))
    asked = AssistantRequest(message, pack(task).brief, program, (), task, f"tasks/{task}", starter=pack(task).starter)
    steps: list[AgentStep] = []
    for _ in range(MOST_STEPS):
        following = next_step(AgentRequest(asked, program, tuple(steps), TOOLS), notebook)
        if following.call is None or following.call.tool == "report":
            break
        program, result, failed = carry_out(sandbox, task, following.call, program)
        steps.append(AgentStep(following.text, following.call, result, failed, "approve"))
    return program, [step.call.tool for step in steps]


def passes(sandbox, task: str, program: str) -> bool:
    checks = run_visible(sandbox, pack(task), program).checks
    return bool(checks) and all(check.passed for check in checks)


@pytest.mark.parametrize("name", ["trio_timer: the starter", "trio_users: a returned name is misspelt"])
def test_a_broken_program_passes_its_examples_at_the_end_of_a_turn(name):
    sandbox = LocalSandbox()
    task, program = broken_programs()[name]
    end, tools = worked_on(sandbox, task, program)
    assert passes(sandbox, task, end)
    assert "edit" in tools
    assert tools[-1] == "run"


@pytest.mark.slow
def test_nearly_every_broken_program_passes_its_examples_at_the_end_of_a_turn():
    sandbox = LocalSandbox()
    programs = broken_programs()
    ends = {name: (task, worked_on(sandbox, task, program)[0]) for name, (task, program) in programs.items()}
    left = [name for name, (task, end) in ends.items() if not passes(sandbox, task, end)]
    assert len(programs) >= 30
    assert len(left) <= len(programs) // 10, left


def test_it_says_so_where_its_notes_hold_no_code():
    notebook = Notebook({"concepts.md": "# Concepts\n\n## Loops\n\nA loop repeats.\n"})
    asked = AssistantRequest("please get this to work", "Write f.", "def f(:\n", (), "t", "t", starter="")
    following = next_step(AgentRequest(asked, "def f(:\n", (), TOOLS), notebook)
    assert "no notes with code" in following.text


def test_the_same_request_leads_to_the_same_step():
    notebook = Notebook(notes_in_folder(str(TASKS / "trio_timer")))
    asked = AssistantRequest("do it", "b", pack("trio_timer").starter, (), "trio_timer", "tasks/trio_timer")
    request = AgentRequest(asked, pack("trio_timer").starter, (), TOOLS)
    assert next_step(request, notebook) == next_step(request, notebook)
