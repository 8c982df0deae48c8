"""Personas as a factor: two voices crossed with two assistants; prompt, small talk, table, verify."""

from __future__ import annotations

import shutil
import tomllib

import pytest
import tomli_w
from support.clock import HandClock
from support.paths import ROOT
from support.trials.export_world import Walker, open_app, real_study, settle, table
from support.trials.quiz_study import change_row

from study_app.assistant.prompts import conversation
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.dataset.verification import verify
from study_app.domain.assistants.personas import read_persona
from study_app.domain.assistants.treatments import AssistantRequest
from study_app.domain.errors import ProblemsFound
from study_app.services.researcher.exporting.export import export

VOICES = {"matter_of_fact": "plain", "warm": "warm"}
CROSSED = {
    "factors": [
        {"id": "voice", "levels": {level: {"persona": persona} for persona, level in VOICES.items()}},
        {"id": "help", "levels": {"full": {"assistant": "full"}, "hints": {"assistant": "hints"}}},
    ],
    "arms_from": {"factors": ["voice", "help"], "arm": {"instructions": "Go."}},
    "allocation": {"method": "permuted_blocks", "block_sizes": [4]},
    "personas": {name: {"file": f"personas/{name}.toml"} for name in VOICES},
    "assistants": {name: {"file": f"assistants/{name}.toml"} for name in ("full", "hints")},
}


def crossed_study(folder, **changed):
    """The shipped study with two personas x two assistants as its arms."""
    shutil.copytree(ROOT / "personas", folder / "personas", dirs_exist_ok=True)
    path = real_study(folder)
    raw = {key: value for key, value in tomllib.loads(path.read_text(encoding="utf-8")).items() if key != "arms"}
    path.write_text(tomli_w.dumps(raw | CROSSED | changed), encoding="utf-8")
    return path


def library_of(path):
    return FolderLibrary(read_study(path), path.parent, str(path))


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("personas"), HandClock()
    app = open_app(folder, clock, crossed_study(folder))
    said = {}
    for _ in range(12):
        walker = Walker(app, clock).to_tasks()
        if walker.arm in said:
            continue
        walker.begin_tasks()
        said[walker.arm] = [walker.ask("hello"), walker.ask("what does a nursery do?")]
    settle(app)
    export(app.context, folder / "data", include_preview=True)
    yield said, folder / "data"
    app.close()


def test_the_arms_persona_joins_the_prompt_and_counts_in_its_version(tmp_path):
    library = library_of(crossed_study(tmp_path))
    specs = library.specs
    assert {"full+warm", "full+matter_of_fact", "hints+warm", "hints+matter_of_fact"} < set(specs)
    versions = {spec.prompt_version for spec in specs.values()}
    assert len(versions) == len(specs)
    for name, persona in (("full+warm", "warm"), ("hints+matter_of_fact", "matter_of_fact")):
        system = conversation(specs[name], AssistantRequest("How?", "Write f.", "")).system
        assert system.startswith(specs[name].prompt.strip())
        assert library.personas[persona].fragment in system
        assert specs[name].greeting == library.personas[persona].greeting
    assert "personas/warm.toml" in library.materials()


@pytest.mark.slow
def test_the_embedded_assistant_differs_in_small_talk_only(trial):
    said, _ = trial
    assert set(said) == {"plain_full", "plain_hints", "warm_full", "warm_hints"}
    for help_ in ("full", "hints"):
        plain, warm = said[f"plain_{help_}"], said[f"warm_{help_}"]
        assert (plain[0].startswith("Ready."), warm[0].startswith("Glad you wrote!")) == (True, True)
        assert plain[1] == warm[1]


def test_the_table_says_who_spoke_and_verify_is_content(trial):
    said, dataset = trial
    arms = {row["participant_id"]: row["arm"] for row in table(dataset, "participants")}
    spoken = {(arms[row["participant_id"]].split("_")[0], row["persona"]) for row in table(dataset, "turns")}
    assert spoken == {(level, persona) for persona, level in VOICES.items()}
    assert not verify(dataset).findings


def test_a_persona_that_cannot_be_is_named_with_its_file_and_key(tmp_path):
    def problems(**changed):
        with pytest.raises(ProblemsFound) as caught:
            library_of(crossed_study(tmp_path, **changed)).open()
        return "\n".join(map(str, caught.value.problems))

    unknown = [{"id": "a", "control": True}, {"id": "b", "assistant": "full", "persona": "cold"}]
    alone = [{"id": "a", "control": True, "persona": "warm"}, {"id": "b", "assistant": "full"}]
    written = {"factors": [], "arms_from": {}}
    assert "arms.b.persona: 'cold' is not declared" in problems(arms=unknown, **written)
    assert "arms.a.persona: 'warm' is given, but the arm has no assistant" in problems(arms=alone, **written)
    gone = CROSSED["personas"] | {"warm": {"file": "personas/gone.toml"}}
    assert "personas.warm.file" in problems(personas=gone)
    for text, key in (
        ("fragment = 'Be kind.'", "persona: missing"),
        ("[persona]\nid = 'warm'", "persona.fragment: missing"),
        ("[persona]\nid = 'other'\nfragment = 'Be kind.'", "persona.id: 'other', but the study calls it 'warm'"),
        ("[persona]\nid = 'warm'\nfragment = 'Be kind.'\ntone = 1", "persona.tone: unknown key"),
        ("[persona\n", "not readable as TOML"),
    ):
        with pytest.raises(ProblemsFound) as caught:
            read_persona(text, file="warm.toml", name="warm")
        assert key in "\n".join(map(str, caught.value.problems))


def test_an_assistants_own_persona_and_an_arms_are_not_both(tmp_path):
    own = (ROOT / "assistants" / "full.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(own + '\n[persona]\nid = "dry"\nfragment = "Be dry."\n', encoding="utf-8")
    assistants = CROSSED["assistants"] | {"full": {"file": "own.toml"}}
    with pytest.raises(ProblemsFound) as caught:
        library_of(crossed_study(tmp_path, assistants=assistants)).open()
    assert "the file of the assistant 'full' has the persona 'dry'" in str(caught.value.problems[0])


def test_verify_names_a_turn_in_the_voice_of_another_arm(trial, tmp_path):
    _, dataset = trial
    shutil.copytree(dataset, tmp_path / "forged")

    first, second = sorted(VOICES)
    change_row(tmp_path / "forged", "turns", lambda row: row["persona"] == first, persona=second)
    assert "persona_differs" in {each.name for each in verify(tmp_path / "forged").findings}
