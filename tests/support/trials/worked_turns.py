"""Turns of the embedded agent on a task pack, in which every step is approved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from study_app.assistant.embedded.acting import next_step
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.content.task_packs import load_pack
from study_app.content.texts import catalogue
from study_app.domain.assistants.acting import AgentRequest, AgentStep, CallRefused, ToolCall, checked_call, replacement
from study_app.domain.assistants.agent_settings import TOOLS
from study_app.domain.assistants.treatments import AssistantRequest
from study_app.domain.records import RunRecord
from study_app.sandbox.local import LocalSandbox
from study_app.services.grading.grading import run_visible
from study_app.services.participant.agent.run_texts import run_as_text
from study_app.services.participant.programs.ending import finished

MOST_STEPS = 12


@dataclass(frozen=True)
class Worked:
    """How a turn ended."""

    program: str
    tools: list[str]
    said: str
    """Last."""


@cache
def pack_in(folder: Path):
    return load_pack(folder)


def carry_out(sandbox: LocalSandbox, folder: Path, call: ToolCall, program: str) -> tuple[str, str, bool]:
    """The program after a step, the outcome as the agent reads it, and whether the step failed."""
    texts = checked_call(call, TOOLS)
    if call.tool == "edit":
        try:
            return replacement(program, texts).applied(program), "The change was made.", False
        except CallRefused as refusal:
            return program, str(refusal), True
    if call.tool == "run":
        record = RunRecord("r", "p", folder.name, "s", "agent", program, datetime(2026, 1, 1, tzinfo=UTC))
        result = sandbox.run(pack_in(folder).program(program), lambda _: None, lambda: False)
        checks = [check for check in run_visible(sandbox, pack_in(folder), program).checks if check.passed is not None]
        done = replace(finished(record, result), checks=[check.shown() for check in checks])
        return program, run_as_text(done), done.error_type is not None or done.ended_by != "exit"
    return program, program, False


def worked_on(
    sandbox: LocalSandbox, folder: Path, program: str, message: str = "please get this to work", language: str = "en"
) -> Worked:
    notebook, pack = Notebook(notes_in_folder(str(folder))), pack_in(folder)
    texts = None if language == "en" else catalogue(language).table("embedded")
    asked = AssistantRequest(
        message, pack.brief, program, (), folder.name, str(folder), starter=pack.starter, language=language
    )
    steps: list[AgentStep] = []
    said = ""
    for _ in range(MOST_STEPS):
        following = next_step(AgentRequest(asked, program, tuple(steps), TOOLS), notebook, texts)
        said = str(following.call.input.get("summary", following.text)) if following.call else following.text
        if following.call is None or following.call.tool == "report":
            break
        program, result, failed = carry_out(sandbox, folder, following.call, program)
        steps.append(AgentStep(following.text, following.call, result, failed, "approve"))
    return Worked(program, [step.call.tool for step in steps], said)


def passes(sandbox: LocalSandbox, folder: Path, program: str) -> bool:
    """Whether all visible examples pass."""
    checks = run_visible(sandbox, pack_in(folder), program).checks
    return bool(checks) and all(check.passed for check in checks)
