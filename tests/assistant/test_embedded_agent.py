"""The embedded assistant as an agent: broken programs that it repairs, and what it says where it cannot."""

from __future__ import annotations

import re

import pytest
from support.paths import ROOT
from support.trials.worked_turns import pack_in, passes, worked_on

from study_app.assistant.embedded.acting import next_step
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.domain.assistants.acting import AgentRequest
from study_app.domain.assistants.agent_settings import TOOLS
from study_app.domain.assistants.treatments import AssistantRequest
from study_app.sandbox.local import LocalSandbox

TASKS = ROOT / "tasks"
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


def pack(task: str):
    return pack_in(TASKS / task)


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


@pytest.mark.parametrize("name", ["trio_timer: the starter", "trio_users: a returned name is misspelt"])
@pytest.mark.slow
def test_a_broken_program_passes_its_examples_at_the_end_of_a_turn(name):
    sandbox = LocalSandbox()
    task, program = broken_programs()[name]
    worked = worked_on(sandbox, TASKS / task, program)
    assert passes(sandbox, TASKS / task, worked.program)
    assert "edit" in worked.tools
    assert worked.tools[-1] == "run"


@pytest.mark.slow
def test_nearly_every_broken_program_passes_its_examples_at_the_end_of_a_turn():
    sandbox = LocalSandbox()
    programs = broken_programs()
    ends = {name: (TASKS / task, worked_on(sandbox, TASKS / task, each)) for name, (task, each) in programs.items()}
    left = [name for name, (folder, end) in ends.items() if not passes(sandbox, folder, end.program)]
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
