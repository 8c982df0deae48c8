"""The treatment is what was declared: what the provider says of the model, and who served the replies."""

from __future__ import annotations

import json
import re
import socket
from contextlib import contextmanager
from datetime import date

import pytest
from support.providers.fake_provider import MODEL, FakeProvider, described
from support.trials.commands import LAUNCHABLE, study
from support.trials.shipped import variant

from study_app.assistant import claude
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


def test_each_of_seven_states_of_a_model_has_a_sentence_that_says_it(monkeypatch):
    soon = {MODEL: described(lifecycle="deprecated", retires_at="2026-12-20T00:00:00Z")}
    states = {
        "active": (None, f"Sonnet ({MODEL}, active)"),
        "deprecated": ({MODEL: described(lifecycle="deprecated")}, f"the provider has announced the end of '{MODEL}'"),
        "retiring in ten days": (soon, "retires on 2026-12-20, before recruitment ends (2026-12-31)"),
        "retired": (CASES["retired"][0], f"'{MODEL}' is retired: the provider refuses it"),
        "404": ({}, f"the provider knows no model '{MODEL}'"),
        "401": (None, "the provider does not accept the key"),
        "timeout": (None, f"the provider could not be asked about '{MODEL}'"),
    }
    said = {}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for state, (models, _) in states.items():
            more = {"ANTHROPIC_API_KEY": "sk-wrong"} if state == "401" else {}
            if state == "timeout":
                # It takes the connection, and says nothing.
                more = {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
                monkeypatch.setattr(claude, "_MODEL_SECONDS", 0.5)
            with provider(models) as serving:
                found = asked(serving, **more)
            lines = [*map(str, found.problems), *found.warnings, *found.unreachable]
            said[state] = (lines or [each.summary for each in found.models.values()])[0]
    assert {state: words in said[state] for state, (_, words) in states.items()} == dict.fromkeys(states, True)
    assert len(set(said.values())) == 7


def test_nothing_is_asked_where_there_is_no_key():
    with provider() as serving:
        found = check_provider({"full": SPEC}, {"ANTHROPIC_BASE_URL": serving.url}, ENDS_ON, "study.toml")
    assert (found.models, found.problems, found.unreachable) == ({}, [], [])


@pytest.mark.slow  # by default: the sentences, above
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


SAID = {
    "wrong key": "the provider does not accept the key; set a key that is valid",
    "unknown": "the provider knows no model 'claude-sonnet-5-5'; correct its name",
    "retired": "'claude-sonnet-5-5' is retired: the provider refuses it; choose a model that is served",
    "retiring": "'claude-sonnet-5-5' retires on 2026-12-15, before recruitment ends (2026-12-31)",
    "another": "the provider takes 'claude-sonnet-5-5' for 'claude-haiku-5-5', which its replies will name",
    "out of reach": "the provider could not be asked about 'claude-sonnet-5-5'",
    "unreadable": "could not be asked about 'claude-sonnet-5-5' (Claude's provider sent something that cannot be read)",
}
MODELS = {
    "retired": CASES["retired"][0],
    "retiring": CASES["retiring"][0],
    "unknown": {},
    "another": {MODEL: described("claude-haiku-5-5")},
    "unreadable": {MODEL: described(lifecycle="deprecated", retires_at="soon")},
}
NOT_ASKED = ("out of reach", "unreadable")


def times(case: str) -> int:
    """How often it is said: once for a key or a line, for each treatment where it is the treatment's model."""
    return 1 if case in ("wrong key", *NOT_ASKED) else 2


@contextmanager
def gone_wrong(case: str):
    """The environment of a provider of which something is to be said."""
    with provider(MODELS.get(case)) as serving:
        if case != "out of reach":
            yield serving.environment | ({"ANTHROPIC_API_KEY": "sk-wrong"} if case == "wrong key" else {})
            return
    yield serving.environment


def two_treatments(folder):
    """The shipped study with a third arm, whose assistant is another file for the same model."""
    path = variant(folder, *LAUNCHABLE, ENDS)
    text = re.sub(r"block_sizes = .*", "block_sizes = [3, 6]", path.read_text())
    third = '[[arms]]\nid = "more"\nassistant = "other"\ninstructions = "Go."\n'
    other = '[assistants.other]\nfile = "assistants/full.toml"\n[assistants.full]'
    path.write_text(text.replace("[allocation]", third + "[allocation]", 1).replace("[assistants.full]", other, 1))
    return path


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    """A launched study with two treatments, and the options of its commands."""
    folder = tmp_path_factory.mktemp("launched")
    path = two_treatments(folder)
    with provider() as serving:
        study("launch", path, "--database", f"sqlite:///{folder}/study.db", cwd=folder, **serving.environment)
    return folder, path, ("--database", f"sqlite:///{folder}/study.db")


@pytest.mark.slow
@pytest.mark.parametrize("case", SAID)
def test_doctor_says_what_is_wrong_with_the_provider(launched, case):
    folder, path, database = launched
    with gone_wrong(case) as environment:
        done = study("doctor", path, *database, "--json", cwd=folder, expect=1, **environment)
    found = {entry["name"]: entry for entry in json.loads(done.stdout)["findings"]}["assistant"]
    assert not found["ok"]
    assert found["finding"].count(SAID[case]) == times(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", SAID)
def test_launch_names_what_is_wrong_with_the_provider_and_changes_nothing(tmp_path, case):
    path, database = two_treatments(tmp_path), ("--database", f"sqlite:///{tmp_path}/study.db")
    with gone_wrong(case) as environment:
        done = study("launch", path, *database, cwd=tmp_path, expect=2, **environment)
    assert done.stderr.count(SAID[case]) == times(case), done.stderr
    assert ("--yes" in done.stderr) == (case in NOT_ASKED)
    assert not (tmp_path / "prereg.md").exists()
    registry = open_registry(f"sqlite:///{tmp_path}/study.db")
    with registry.begin(write=False) as unit:
        assert "launch" not in [entry.what for entry in unit.audit()]
    registry.close()


@pytest.mark.slow
@pytest.mark.parametrize("case", SAID)
def test_links_are_made_only_where_the_assistant_can_answer_or_the_provider_cannot_be_asked(launched, case):
    folder, path, database = launched
    made = ("create-links", path, *database, "--count", 1, "--base-url", "http://study.example.org")
    with gone_wrong(case) as environment:
        done = study(*made, cwd=folder, expect=0 if case in NOT_ASKED else 2, **environment)
    assert SAID[case] in done.stderr
    assert done.stderr.count("warning: ") == (case in NOT_ASKED)
    assert ("/enter?link=" in done.stdout) == (case in NOT_ASKED)


@pytest.mark.slow
def test_doctor_and_create_links_go_on_where_the_model_is_served(launched):
    folder, path, database = launched
    with provider() as serving:
        looked = study("doctor", path, *database, "--json", cwd=folder, **serving.environment)
        done = study("create-links", path, *database, "--count", 1, cwd=folder, **serving.environment)
    found = {entry["name"]: entry for entry in json.loads(looked.stdout)["findings"]}["assistant"]
    assert found["ok"]
    assert f"Sonnet ({MODEL}, active)" in found["finding"]
    assert "/enter?link=" in done.stdout


ODD = {
    "a date that is none": ({"retires_at": "soon"}, True),
    "a number that is none": ({"max_tokens": "many"}, True),
    "capabilities of another shape": ({"capabilities": []}, True),
    "a model without a name": ({"display_name": None}, False),
    "a date of an active model": ({"retires_at": "2027-03-01T00:00:00Z"}, False),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_description_of_a_model_is_a_sentence_and_said_once(case):
    changed, unreadable = ODD[case]
    with provider({MODEL: described(**changed)}) as serving:
        both = {"full": SPEC, "other": SPEC.model_copy(update={"id": "other"})}
        found = check_provider(both, serving.environment, ENDS_ON, "study.toml")
    assert found.problems == []
    assert len(found.unreachable) == unreadable
    assert len(found.warnings) == ("date of an active" in case)
    assert all(facts.summary.startswith(("Sonnet (", f"{MODEL} (")) for facts in found.models.values())


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
