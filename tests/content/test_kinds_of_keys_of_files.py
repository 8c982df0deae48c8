"""Every key of the files beside a study with values of another kind: refused by file and key, never by a traceback."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from support.hostile.wrong_kinds import faults, toml_text
from support.paths import ROOT

from study_app.content.item_banks import check_bank
from study_app.content.task_packs import load_pack
from study_app.domain.assistants.personas import PersonaFile, read_persona
from study_app.domain.assistants.treatments import AssistantSpec, read_assistant
from study_app.domain.errors import ProblemsFound
from study_app.domain.interviews.plan import InterviewPlan, read_plan
from study_app.domain.quiz.items import BankHead, Item
from study_app.domain.quiz.keys import ChoiceKey, CodeKey, TextKey
from study_app.domain.tasks.packs import PackSettings
from study_app.domain.themes.codebook import Codebook, read_codebook

Reader = Callable[[dict[str, Any]], object]
BANK = ROOT / "quizzes" / "sortedcontainers"
RUBRIC = [{"id": "clear", "text": "It is clear.", "points": 1.0}]
COSTS = {"price": {"input_usd": 3.0, "output_usd": 15.0}, "limits": {"turns": 5}, "study_limits": {"cost_usd": 9.0}}
CODES = {
    "id": "themes",
    "codes": [{"id": "speed", "title": "Speed", "definition": "It was quick.", "keywords": ["quick*"]}],
}
SPOKEN = {
    "texts": {"en": {"probe": "Tell me more.", "distress_words": ["despair"]}},
    "price": {"input_usd": 3.0, "output_usd": 15.0},
    "closing": [{"id": "rest", "core": {"en": "What else?"}}],
}


def toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def refused_by_name(raw: dict[str, Any], model: type[BaseModel], read: Reader, file: str, least: int) -> None:
    read(raw)

    def named(table: dict[str, Any]) -> None:
        try:
            read(table)
        except ProblemsFound as refused:
            if any(file in problem.file for problem in refused.problems):
                raise
            raise LookupError(f"no problem names {file}") from refused

    found, tried = faults(raw, model, named)
    assert tried >= least
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "name",
    ["examples/approval_regimes/assistants/each", pytest.param("assistants/hints", marks=pytest.mark.slow)],
)
def test_a_key_of_an_assistant(name):
    raw = toml(ROOT / f"{name}.toml") | COSTS
    read = lambda table: read_assistant(toml_text(table), file="assistants/one.toml")  # noqa: E731
    refused_by_name(raw, AssistantSpec, read, "assistants/one.toml", 150)


def test_a_key_of_a_persona():
    raw = toml(ROOT / "personas" / "warm.toml")
    read = lambda table: read_persona(toml_text(table), file="personas/warm.toml", name="warm")  # noqa: E731
    refused_by_name(raw, PersonaFile, read, "personas/warm.toml", 20)


def test_a_key_of_an_interview_plan():
    raw = toml(ROOT / "interviews" / "exit.toml")
    raw = {
        **raw,
        "languages": ["en"],
        "topics": [t | {"core": {"en": t["core"]["en"]}} for t in raw["topics"]],
    } | SPOKEN
    read = lambda table: read_plan(toml_text(table), "interviews/exit.toml")  # noqa: E731
    refused_by_name(raw, InterviewPlan, read, "interviews/exit.toml", 150)


def test_a_key_of_a_codebook():
    refused_by_name(
        CODES, Codebook, lambda table: read_codebook(toml_text(table), "codebook.toml"), "codebook.toml", 30
    )


def pack_reader(folder: Path) -> Reader:
    def read(table: dict[str, Any]) -> object:
        (folder / "task.toml").write_text(toml_text(table), "utf-8")
        return load_pack(folder)

    return read


@pytest.mark.parametrize("name", [pytest.param("sorted_scores", marks=pytest.mark.slow), "trio_timer_limit"])
def test_a_key_of_a_task_pack(tmp_path, name):
    for pack in (name, "trio_timer"):
        shutil.copytree(ROOT / "tasks" / pack, tmp_path / pack)
    raw = toml(tmp_path / name / "task.toml") | {"limits": {"wall_seconds": 5.0, "memory_mb": 256}}
    refused_by_name(raw, PackSettings, pack_reader(tmp_path / name), "task.toml", 50)


def small_bank(folder: Path, item: str) -> Path:
    """A bank of one shipped item."""
    for part in ("items", "keys"):
        (folder / part).mkdir(parents=True)
        shutil.copy(BANK / part / f"{item}.toml", folder / part)
    head = toml(BANK / "bank.toml") | {"id": folder.name, "points": toml(BANK / "items" / f"{item}.toml")["points"]}
    head["forms"] = [{"id": "a", "title": "Form A", "pages": [[item]]}]
    (folder / "bank.toml").write_text(toml_text(head), "utf-8")
    return folder


def bank_reader(folder: Path, part: str) -> Reader:
    def read(table: dict[str, Any]) -> None:
        (folder / part).write_text(toml_text(table), "utf-8")
        if problems := check_bank(folder):
            raise ProblemsFound(problems)

    return read


@pytest.mark.parametrize(
    ("item", "key", "more"),
    [
        pytest.param("put_in", ChoiceKey, {}, marks=pytest.mark.slow),
        pytest.param("set_places", ChoiceKey, {}, marks=pytest.mark.slow),
        ("count_between", TextKey, {}),
        ("stock", TextKey, {"accept": [], "rubric": [RUBRIC[0] | {"points": 2.0}]}),
        pytest.param("between", CodeKey, {}, marks=pytest.mark.slow),
    ],
)
def test_a_key_of_an_item_and_of_its_answer(tmp_path, item, key, more):
    folder = small_bank(tmp_path / "small", item)
    raw = toml(folder / "items" / f"{item}.toml")
    refused_by_name(raw, Item, bank_reader(folder, f"items/{item}.toml"), f"{item}.toml", 50)
    (folder / "items" / f"{item}.toml").write_text(toml_text(raw), "utf-8")
    answer = {name: value for name, value in (toml(folder / "keys" / f"{item}.toml") | more).items() if value}
    refused_by_name(answer, key, bank_reader(folder, f"keys/{item}.toml"), f"{item}.toml", 20)


def test_a_key_of_a_bank(tmp_path):
    folder = small_bank(tmp_path / "small", "put_in")
    refused_by_name(toml(folder / "bank.toml"), BankHead, bank_reader(folder, "bank.toml"), "bank.toml", 50)
