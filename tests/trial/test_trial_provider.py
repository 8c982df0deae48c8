"""The treatment is what was declared: what the provider says of the model, and who served the replies."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest
from conftest import variant
from fake_provider import MODEL, FakeProvider, described
from server import StudyServer
from test_trial_commands import LAUNCHABLE, study

from study_app.assistant.provider import check_provider
from study_app.domain.assistants import AssistantSpec
from study_app.domain.served import same_model
from study_app.storage import open_registry

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
from people import open_task  # noqa: E402

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
    assert fine.models["full"].told == f"Sonnet ({MODEL}, active)"
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


def ask(client: httpx.Client, times: int) -> int:
    """Ask so often; the last status."""
    status = 0
    for number in range(times):
        status = client.post("/api/chat", json={"message": f"What is a nursery? {number}"}).status_code
    return status


def test_a_provider_that_changes_its_model_at_turn_40_is_named_by_verify_and_shown_in_the_report(tmp_path):
    path = variant(tmp_path, ("target_n = 52", "target_n = 2"))
    with provider(serves=lambda number: f"{MODEL}-20260101" if number < 40 else f"{MODEL}-20260601") as serving:
        server = StudyServer(tmp_path, path, **serving.environment).start()
        try:
            with httpx.Client(base_url=server.url, timeout=60) as client:
                open_task(server, client)
                assert ask(client, 45) == 200
        finally:
            server.stop()
    database = ("--database", server.database)
    study("export", path, *database, "--out", tmp_path / "data", "--include-preview", cwd=tmp_path)
    done = study("verify", tmp_path / "data", "--json", cwd=tmp_path, expect=1)
    found = [one for one in json.loads(done.stdout)["findings"] if one["name"] == "model_differs"]
    assert len(found) == 6
    assert {one["class"] for one in found} == {"protocol"}
    assert f"served by {MODEL}-20260601" in found[0]["message"]
    study("analyze", tmp_path / "data", "--out", tmp_path / "results", "--include-preview", cwd=tmp_path)
    report = (tmp_path / "results" / "report.html").read_text()
    assert "Was the treatment the same throughout?" in report
    assert "More than one model served the replies" in report


@pytest.mark.slow
def test_the_studys_cost_limit_refuses_new_questions_of_everybody(tmp_path):
    path = variant(tmp_path, ("allow_embedded = false", "allow_embedded = false\nstudy_cost_limit = 0.005"))
    with provider() as serving:
        server = StudyServer(tmp_path, path, **serving.environment).start()
        try:
            with httpx.Client(base_url=server.url, timeout=60) as client:
                open_task(server, client)
                assert ask(client, 8) == 409
            with httpx.Client(base_url=server.url, timeout=60) as another:
                open_task(server, another)
                answer = another.post("/api/chat", json={"message": "What is a nursery?"})
                assert answer.status_code == 409
                assert "not available any more" in answer.text
        finally:
            server.stop()
        assert 3 <= serving.messages <= 6
