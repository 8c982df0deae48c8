"""Treatment files, and who answers for them on a given machine."""

from pathlib import Path

import pytest

from study_app.assistant.opening import open_assistant, provider_in_use
from study_app.assistant.prompts import MAX_HISTORY_CHARACTERS, conversation, recent
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    adapted,
    parse_assistant,
    read_assistant,
)
from study_app.domain.errors import ProblemsFound

SHIPPED = Path(__file__).parents[2] / "assistants"
LEAST = {"id": "full", "version": "1", "label": "Assistant", "prompt": "Help."}
WITH_KEY = {"ANTHROPIC_API_KEY": "sk-test"}


def shipped(name):
    return read_assistant((SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), file=f"{name}.toml")


def problems_of(call):
    with pytest.raises(ProblemsFound) as caught:
        call()
    return {problem.key: str(problem) for problem in caught.value.problems}


@pytest.mark.parametrize("name", ["full", "hints", "socratic", "delayed"])
def test_the_four_shipped_treatments_are_valid_and_named_as_their_files(name):
    spec = shipped(name)
    assert spec.id == name
    assert spec.limits.cost_usd
    assert spec.price
    assert spec.gives_code == (name in ("full", "delayed"))


def test_delayed_is_full_opened_later():
    full, delayed = shipped("full"), shipped("delayed")
    assert delayed.opens_after_minutes > full.opens_after_minutes == 0
    assert delayed.prompt_version == full.prompt_version


def test_the_prompt_version_follows_what_shapes_a_reply_and_nothing_else():
    spec = parse_assistant(LEAST, file="a.toml")
    changed = [LEAST | {"prompt": "Help!"}, LEAST | {"parameters": {"max_tokens": 9}}, LEAST | {"gives_code": False}]
    same = [LEAST | {"label": "Aide"}, LEAST | {"limits": {"turns": 3}}, LEAST | {"model": "claude-haiku-5-5"}]
    versions = [parse_assistant(data, file="a.toml").prompt_version for data in changed]
    assert len({spec.prompt_version, *versions}) == 4
    assert {parse_assistant(data, file="a.toml").prompt_version for data in same} == {spec.prompt_version}
    assert len(spec.prompt_version) == 12


def test_every_problem_of_a_treatment_is_reported_at_once_with_its_key():
    broken = {
        "id": "no spaces",
        "label": "A",
        "manner": "shouting",
        "parameters": {"max_tokens": 0, "top_p": 1},
        "limits": {"cost_usd": -1},
        "opens_after_minutes": "soon",
    }
    found = problems_of(lambda: parse_assistant(broken, file="study.toml", key="assistants.x"))
    keys = ["id", "version", "manner", "parameters.max_tokens", "parameters.top_p", "limits.cost_usd"]
    assert set(found) == {f"assistants.x.{key}" for key in [*keys, "opens_after_minutes"]}
    assert found["assistants.x.version"] == "study.toml: assistants.x.version: missing; add it"
    assert "'shouting' is not valid; give 'answers', 'hints', 'questions' or 'agent'" in found["assistants.x.manner"]


def test_rules_between_keys_are_reported_together():
    broken = LEAST | {"prompt": " ", "manner": "hints", "parameters": {"temperature": 0.5}, "limits": {"cost_usd": 1}}
    found = problems_of(lambda: parse_assistant(broken, file="a.toml"))
    assert set(found) == {"prompt", "gives_code", "parameters.temperature", "price"}


def test_a_model_that_takes_a_temperature_may_have_one():
    data = LEAST | {"model": "claude-sonnet-4-6", "parameters": {"temperature": 0.2}}
    assert parse_assistant(data, file="a.toml").parameters.given() == {"max_tokens": 1500, "temperature": 0.2}


def test_a_model_that_cannot_but_think_is_told_from_one_that_can():
    for model in ("claude-opus-5-5", "claude-fable-5-2"):
        data = LEAST | {"model": model, "parameters": {"thinking": "off"}}
        assert set(problems_of(lambda data=data: parse_assistant(data, file="a.toml"))) == {"parameters.thinking"}
    changed = problems_of(
        lambda: adapted(shipped("full"), file="study.toml", key="assistants.a", model="claude-opus-5-5")
    )
    assert 'effort = "low"' in changed["assistants.a.parameters.thinking"]


def test_text_that_is_no_toml_is_one_problem():
    assert "not readable as TOML" in problems_of(lambda: read_assistant("id = ", file="a.toml"))[""]


def test_a_study_may_change_the_model():
    spec = shipped("full")
    assert adapted(spec, file="study.toml", model="claude-haiku-5-5").model == "claude-haiku-5-5"
    assert adapted(spec, file="study.toml") == spec


def test_without_a_key_the_embedded_assistant_stands_in_unless_forbidden():
    spec = shipped("full")
    assert open_assistant(spec, environment={}).id == provider_in_use(spec, {}) == "notes"
    assert open_assistant(spec, environment={"ANTHROPIC_API_KEY": "  "}).id == "notes"
    assert open_assistant(spec, environment=WITH_KEY).id == provider_in_use(spec, WITH_KEY) == "claude"
    found = problems_of(lambda: open_assistant(spec, environment={}, embedded_allowed=False))
    assert "allow_embedded = true" in found["ANTHROPIC_API_KEY"]


def test_a_treatment_that_names_the_embedded_assistant_gets_it_key_or_no_key():
    spec = parse_assistant(LEAST | {"provider": "notes"}, file="a.toml")
    assert open_assistant(spec, environment=WITH_KEY, embedded_allowed=False).id == "notes"


def test_a_key_or_address_that_can_never_work_is_told_without_showing_the_key():
    environment = {"ANTHROPIC_API_KEY": "sk-sécret", "ANTHROPIC_BASE_URL": "localhost:1"}
    found = problems_of(lambda: open_assistant(shipped("full"), environment=environment))
    assert set(found) == {"ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"}
    assert "sécret" not in str(found)


def test_a_recording_is_opened_by_its_name(tmp_path):
    spec = parse_assistant(LEAST | {"provider": "recorded", "recording": "turns.jsonl"}, file="a.toml")
    (tmp_path / "turns.jsonl").write_text('{"message": "Hi", "reply": "Hello."}\n')
    assert open_assistant(spec, environment={}, load_recording=lambda n: (tmp_path / n).read_text()).id == "recorded"
    missing = problems_of(lambda: open_assistant(spec, environment={}, load_recording=lambda n: Path(n).read_text()))
    assert list(missing.values()) == ["turns.jsonl: cannot be read: No such file or directory; correct `recording`"]


def test_turns_without_a_reply_are_not_sent_again():
    history = (("a", "b"), ("c", ""), (" ", "d"), ("e", "f \n"))
    assert recent(history) == (("a", "b"), ("e", "f"))


def test_a_long_conversation_loses_its_oldest_turns_first():
    long = "x" * (MAX_HISTORY_CHARACTERS // 2)
    assert recent((("first", "reply"), ("second", long), ("third", "reply"), ("fourth", long[:-20]))) == (
        ("third", "reply"),
        ("fourth", long[:-20]),
    )


def test_roles_alternate_and_end_with_the_participant():
    spec = AssistantSpec(**LEAST)
    request = AssistantRequest("Now?", "Brief", "", (("a", "b"), ("c", ""), ("d", "e")))
    roles = [message["role"] for message in conversation(spec, request).messages]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    assert "the editor is empty" in conversation(spec, request).messages[-1]["content"]


def test_code_is_put_into_the_editor_only_where_the_file_says_so_and_pasting_is_allowed():
    plain = parse_assistant(LEAST, file="a.toml")
    assert plain.allow_insert is False
    allowed = parse_assistant(LEAST | {"allow_insert": True}, file="a.toml")
    assert allowed.digest != plain.digest
    found = problems_of(lambda: parse_assistant(LEAST | {"allow_insert": True, "allow_paste": False}, file="a.toml"))
    assert set(found) == {"allow_insert"}
