"""Rules of a treatment's file: which keys go together, and what a model is known to refuse."""

from __future__ import annotations

from typing import Any

import pytest

from study_app.domain.assistants.treatments import AssistantSpec, adapted, parse_assistant
from study_app.domain.errors import ProblemsFound

FILE = "assistants/full.toml"
WRITTEN = {"id": "full", "version": "1", "label": "Assistant", "prompt": "Help."}


def treatment(**given: Any) -> AssistantSpec:
    return parse_assistant(WRITTEN | given, file=FILE)


def refused(**given: Any) -> list[str]:
    with pytest.raises(ProblemsFound) as found:
        treatment(**given)
    return [problem.key for problem in found.value.problems]


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ({"model": "claude-sonnet-5-5", "parameters": {"temperature": 0.5}}, ["parameters.temperature"]),
        ({"model": "claude-opus-5-5", "parameters": {"thinking": "off"}}, ["parameters.thinking"]),
        (
            {"model": "claude-opus-5-5", "parameters": {"thinking": "off", "temperature": 0.0}},
            ["parameters.temperature", "parameters.thinking"],
        ),
        ({"prompt": " "}, ["prompt"]),
        ({"model": " "}, ["model"]),
        ({"provider": "recorded"}, ["recording"]),
        ({"limits": {"cost_usd": 1.0}}, ["price"]),
        ({"study_limits": {"cost_usd": 1.0}}, ["price"]),
        ({"allow_insert": True, "allow_paste": False}, ["allow_insert"]),
        ({"gate": "explain", "gives_code": False}, ["gate"]),
        ({"manner": "hints"}, ["gives_code"]),
        ({"manner": "agent"}, ["agent"]),
        ({"manner": "agent", "agent": {}, "gives_code": False}, ["gives_code"]),
        ({"manner": "agent", "agent": {}, "gate": "explain"}, ["gate"]),
        ({"agent": {}}, ["agent"]),
    ],
)
def test_keys_that_do_not_go_together_are_refused_by_key(given, keys):
    assert refused(**given) == keys


@pytest.mark.parametrize(
    "given",
    [
        {"model": "claude-sonnet-4-5", "parameters": {"temperature": 0.5}},
        {"model": "claude-sonnet-5-5", "parameters": {"thinking": "off"}},
        {"model": "claude-opus-5-5", "parameters": {"thinking": "adaptive"}},
        # What other makers' models refuse is left to them.
        {"model": "their-model", "parameters": {"temperature": 0.5, "thinking": "off"}},
        # No model answers here.
        {"provider": "notes", "model": "claude-opus-5-5", "parameters": {"temperature": 0.5, "thinking": "off"}},
        {"provider": "notes", "prompt": "", "model": ""},
        {"provider": "recorded", "recording": "turns.jsonl", "prompt": ""},
        {"limits": {"cost_usd": 1.0}, "price": {"input_usd": 3, "output_usd": 15}},
        {"allow_insert": True},
        {"gate": "explain"},
        {"manner": "hints", "gives_code": False},
        {"manner": "agent", "agent": {}},
    ],
)
def test_what_goes_together_is_read(given):
    assert treatment(**given).id == "full"


def test_another_model_in_the_study_file_is_checked_with_the_treatments_parameters():
    warm = treatment(model="claude-sonnet-4-5", parameters={"temperature": 0.5})
    assert adapted(warm, file="study.toml") is warm
    assert adapted(warm, file="study.toml", model="claude-haiku-4-5").model == "claude-haiku-4-5"
    with pytest.raises(ProblemsFound) as found:
        adapted(warm, file="study.toml", key="assistants.full", model="claude-haiku-5-5")
    (problem,) = found.value.problems
    assert (problem.file, problem.key) == ("study.toml", "assistants.full.parameters.temperature")
