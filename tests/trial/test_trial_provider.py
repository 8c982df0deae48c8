"""The treatment is what was declared: what the provider says of the model, and who served the replies."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date

import pytest
from support.providers.fake_provider import MODEL, FakeProvider, described
from support.trials.commands import LAUNCHABLE, study
from support.trials.shipped import variant

from study_app.assistant.provider import check_provider
from study_app.domain.assistants.served_models import same_model
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.storage import open_registry

ENDS = ('entry = "links"', 'entry = "links"\nends_on = 2026-12-31')


@contextmanager
def provider(*arguments, **options):
    serving = FakeProvider(*arguments, **options)
    try:
        yield serving
    finally:
        serving.close()


SPEC = AssistantSpec(id="full", version="1", label="A", prompt="Help.", parameters={"max_tokens": 1500})
ENDS_ON = date(2026, 12, 31)
CASES = {
    "unknown": ({}, "the provider knows no model 'claude-sonnet-5-5'"),
    "retired": ({MODEL: described(lifecycle="retired", retires_at="2026-01-01T00:00:00Z")}, "is retired"),
    "retiring": (
        {MODEL: described(lifecycle="deprecated", retires_at="2026-12-15T00:00:00Z")},
        "retires on 2026-12-15, before recruitment ends (2026-12-31)",
    ),
    "short": ({MODEL: described(max_tokens=100)}, "is over what 'claude-sonnet-5-5' accepts (100)"),
}


def asked(serving: FakeProvider, spec: AssistantSpec = SPEC, ends_on: date | None = ENDS_ON, **environment: str):
    return check_provider({"full": spec}, serving.environment | environment, ends_on, "study.toml")


@pytest.mark.parametrize("case", CASES)
def test_a_model_that_cannot_be_served_as_declared_is_one_sentence(case):
    models, words = CASES[case]
    with provider(models) as serving:
        (problem,) = asked(serving).problems
    assert words in str(problem)


def test_a_wrong_key_is_one_sentence():
    with provider() as serving:
        (problem,) = asked(serving, ANTHROPIC_API_KEY="sk-wrong").problems
    assert (
        str(problem) == "environment: ANTHROPIC_API_KEY: the provider does not accept the key; set a key that is valid"
    )


def test_a_provider_out_of_reach_is_told_from_one_that_refuses():
    with provider() as serving:
        gone = serving.environment
    found = check_provider({"full": SPEC}, gone, ENDS_ON, "study.toml")
    assert found.problems == []
    assert "could not be asked about 'claude-sonnet-5-5'" in found.unreachable[0]


def test_a_model_that_is_served_is_told_with_its_end_where_that_is_announced():
    leaving = {MODEL: described(lifecycle="deprecated", retires_at="2027-03-01T00:00:00Z")}
    with provider() as serving, provider(leaving) as other:
        fine, warned = asked(serving), asked(other)
        unknown = asked(other, ends_on=None)
    assert fine.problems == fine.warnings == warned.problems == []
    assert fine.models["full"].summary == f"Sonnet ({MODEL}, active)"
    assert "announced the end of 'claude-sonnet-5-5' on 2027-03-01" in warned.warnings[0]
    assert "recruitment.ends_on" in unknown.warnings[0]


def test_nothing_is_asked_where_there_is_no_key():
    with provider() as serving:
        found = check_provider({"full": SPEC}, {"ANTHROPIC_BASE_URL": serving.url}, ENDS_ON, "study.toml")
    assert (found.models, found.problems, found.unreachable) == ({}, [], [])


def test_launch_asks_first_and_goes_on_without_an_answer_only_with_yes(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE, ENDS)
    database = ("--database", f"sqlite:///{tmp_path}/study.db")
    with provider(CASES["retiring"][0]) as serving:
        done = study("launch", path, *database, cwd=tmp_path, expect=2, **serving.environment)
        assert "retires on 2026-12-15" in done.stderr
        gone = serving.environment
    done = study("launch", path, *database, cwd=tmp_path, expect=2, **gone)
    assert "--yes" in done.stderr
    study("launch", path, *database, "--yes", cwd=tmp_path, **gone)
    registry = open_registry(f"sqlite:///{tmp_path}/study.db")
    with registry.begin(write=False) as unit:
        assert "provider_not_asked" in [entry.what for entry in unit.audit()]
    registry.close()


@pytest.mark.slow
def test_doctor_and_create_links_ask_too(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE, ENDS)
    database = ("--database", f"sqlite:///{tmp_path}/study.db")
    with provider() as serving:
        study("launch", path, *database, cwd=tmp_path, **serving.environment)
        looked = study("doctor", path, *database, "--json", cwd=tmp_path, **serving.environment)
        found = {entry["name"]: entry for entry in json.loads(looked.stdout)["findings"]}
        assert found["assistant"]["ok"]
        assert f"Sonnet ({MODEL}, active)" in found["assistant"]["finding"]
        serving.models.clear()
        links = study("create-links", path, *database, "--count", 1, cwd=tmp_path, expect=2, **serving.environment)
        assert "knows no model" in links.stderr


def test_parameters_that_the_model_does_not_take_are_named():
    support = {"supported": True}
    no = {"supported": False}
    thinking = {"supported": True, "types": {"adaptive": support, "between_tools": no, "disabled": no, "enabled": no}}
    effort = dict.fromkeys(("high", "low", "max", "medium", "xhigh"), support) | {"supported": True}
    models = {MODEL: described(capabilities={"thinking": thinking, "effort": effort | {"low": no}})}
    spec = AssistantSpec(
        id="full", version="1", label="A", prompt="Help.", parameters={"thinking": "off", "effort": "low"}
    )
    with provider(models) as serving:
        found = asked(serving, spec)
    assert sorted(problem.key for problem in found.problems) == [
        "assistants.full.parameters.effort",
        "assistants.full.parameters.thinking",
    ]


@pytest.mark.parametrize(
    ("declared", "served", "same"),
    [
        ("claude-sonnet-5-5", "claude-sonnet-5-5", True),
        ("claude-sonnet-5-5", "claude-sonnet-5-5-20260101", True),
        ("claude-sonnet-5-5-20260101", "claude-sonnet-5-5-20260401", False),
        ("claude-sonnet-5-5", "claude-haiku-5-5", False),
        ("claude-sonnet-5", "claude-sonnet-5-5", False),
    ],
)
def test_a_dated_snapshot_is_the_model_whose_name_has_no_date(declared, served, same):
    assert same_model(declared, served) is same
