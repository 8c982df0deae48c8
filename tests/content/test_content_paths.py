"""A study's hash follows from its content, wherever that lies, and from nothing of the machine."""

from __future__ import annotations

import shutil
import tomllib

import pytest
from support.trials.quiz_study import ARMS, ROOT, study_text
from typer.testing import CliRunner

from study_app.cli import app
from study_app.content.library import FolderLibrary
from study_app.content.spellings import spelling_problems
from study_app.content.study_file import read_study
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.study import protocol_hash
from study_app.services.researcher.fitness import content_problems

BANK = ROOT / "quizzes" / "sortedcontainers"


def library(folder, bank: str) -> FolderLibrary:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.toml"
    path.write_text(study_text(bank=bank))
    return FolderLibrary(read_study(path), folder, str(path))


def test_the_hash_is_the_same_in_another_folder(tmp_path):
    found = set()
    for place in ("here", "there"):
        shutil.copytree(BANK, tmp_path / place / "bank")
        opened = library(tmp_path / place, "bank")
        found.add(protocol_hash(opened.study, dict(opened.materials())))
    assert len(found) == 1


def test_every_file_of_two_folders_elsewhere_is_in_the_hash(tmp_path):
    for name in ("one", "two"):
        shutil.copytree(BANK, tmp_path / name)
    opened = library(tmp_path / "study", str(tmp_path / "one"))
    text = study_text(bank=str(tmp_path / "one")).replace(str(tmp_path / "one"), str(tmp_path / "two"), 1)
    (tmp_path / "study" / "study.toml").write_text(text)
    both = FolderLibrary(read_study(tmp_path / "study" / "study.toml"), tmp_path / "study", "study.toml")
    assert len(both.materials()) == 2 * len(opened.materials())


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What check prints of a study with an absolute path, a German bank and an assistant that no arm has."""
    folder = tmp_path_factory.mktemp("checked")
    bank = shutil.copytree(BANK, folder / BANK.name)
    head = bank / "bank.toml"
    head.write_text(head.read_text().replace('language = "en"', 'language = "de"'))
    shutil.copytree(ROOT / "assistants", folder / "assistants")
    arms = f'{ARMS}[assistants.full]\nfile = "assistants/full.toml"\n'
    (folder / "study.toml").write_text(study_text(bank=str(bank), arms=arms))
    found = CliRunner().invoke(app, ["check", str(folder / "study.toml")])
    assert found.exit_code == 0, found.output
    return bank, found.output


def test_check_warns_of_an_absolute_path_and_names_its_key(checked):
    bank, said = checked
    assert f"stages.pretest.bank: {bank} is an absolute path" in said


def test_check_warns_of_a_bank_in_another_language(checked):
    bank, said = checked
    assert f"{bank}/bank.toml: language: found 'de', but the study's pages are in 'en'" in said


def test_check_names_the_version_of_a_treatment(checked):
    version = tomllib.loads((ROOT / "assistants" / "full.toml").read_text())["version"]
    assert f"assistants/full.toml: the assistant 'full', version {version}" in checked[1]


def with_model(folder, model: str) -> FolderLibrary:
    shutil.copytree(ROOT / "assistants", folder / "assistants")
    path = folder / "study.toml"
    path.write_text(study_text(arms=f'{ARMS}[assistants.full]\nfile = "assistants/full.toml"\nmodel = "{model}"\n'))
    return FolderLibrary(read_study(path), folder, "study.toml")


def test_the_study_may_name_another_model_that_fits(tmp_path):
    assert with_model(tmp_path, "claude-haiku-5-5").specs["full"].model == "claude-haiku-5-5"


def test_another_model_that_does_not_take_the_treatments_parameters_is_refused(tmp_path):
    with pytest.raises(ProblemsFound, match="assistants.full.parameters.thinking"):
        _ = with_model(tmp_path, "claude-opus-5-5").specs


def spelling(folder, bank: str) -> list[tuple[str, str]]:
    return [(each.key, each.remedy) for each in spelling_problems(library(folder, bank))]


def test_a_path_is_refused_where_the_disk_spells_it_otherwise(tmp_path):
    shutil.copytree(BANK, tmp_path / "\u00fcbung" / "bank")
    assert spelling(tmp_path, "\u00fcbung/bank") == []
    assert {remedy for _, remedy in spelling(tmp_path, "\u00dcbung/Bank")} == {
        "write '\u00fcbung/bank', or rename what it names"
    }
    (tmp_path / "\u00fcbung").rename(tmp_path / "u\u0308bung")
    assert spelling(tmp_path, "\u00fcbung/bank")[0][0] == "stages.pretest.bank"


def test_a_recording_is_held_to_the_one_spelling(tmp_path):
    study = with_model(tmp_path, "claude-sonnet-5")
    full = tmp_path / "assistants" / "full.toml"
    text = full.read_text().replace('provider = "claude"', 'provider = "recorded"')
    full.write_text('recording = "./turns.jsonl"\n' + text)
    assert ("assistants.full.recording", "./turns.jsonl") in list(study.content_paths())
    assert [each.key for each in spelling_problems(study)] == ["assistants.full.recording"]


def test_a_version_that_was_launched_with_another_spelling_opens_as_it_was(tmp_path):
    shutil.copytree(BANK, tmp_path / BANK.name)
    plain, slash = library(tmp_path, BANK.name), library(tmp_path, f"./{BANK.name}/")
    slash.open()
    assert protocol_hash(slash.study, dict(slash.materials())) != protocol_hash(plain.study, dict(plain.materials()))
    assert slash.materials() == plain.materials()


def test_a_pack_behind_a_link_of_another_name_is_refused(tmp_path):
    for name in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "tasks" / "first").symlink_to("warmup")
    path = tmp_path / "study.toml"
    path.write_text((ROOT / "study.toml").read_text().replace("tasks/warmup", "tasks/first"))
    linked = FolderLibrary(read_study(path), tmp_path, "study.toml")
    found = [each for each in content_problems(linked.study, linked, "study.toml") if "first" in each.what]
    assert [each.remedy for each in found] == ["name the folder warmup itself"]


def test_a_study_file_that_may_not_be_read_says_what_to_allow(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refused)
    with pytest.raises(ProblemsFound, match="let the account that runs this read the file"):
        read_study(tmp_path / "study.toml")
