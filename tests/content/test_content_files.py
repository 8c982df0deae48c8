"""Hidden files do not belong to a study: neither to its hash nor to what people meet, and they may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.paths import ROOT
from support.trials.export_world import real_study

from study_app.assistant.notes import notes_in_folder
from study_app.bootstrap import open_library, start
from study_app.bootstrap.contents import notes_loader
from study_app.content.content_files import content_files
from study_app.content.item_banks import check_bank, load_bank
from study_app.content.task_packs import load_pack
from study_app.content.watched import written
from study_app.domain.errors import NotAllowed
from study_app.domain.study.study import protocol_hash
from study_app.settings import Settings

MARK = b"\xef\xbb\xbf"


@pytest.fixture
def content(tmp_path) -> Path:
    """A copy of the shipped study with its content."""
    for name in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return Path(shutil.copy(ROOT / "study.toml", tmp_path))


def hide(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def test_files_in_hidden_folders_do_not_belong_to_the_content(content):
    before = open_library(content).materials()
    for name in ("tasks/warmup/.vscode/settings.json", "quizzes/trio/.git/index", "tasks/warmup/notes/.x/y.md"):
        hide(content.parent / name)
    assert open_library(content).materials() == before
    assert not [path for path in written(content) if any(part in (".vscode", ".git") for part in path.parts)]


def test_a_folder_that_is_hidden_itself_still_has_its_content(tmp_path):
    hide(tmp_path / ".studies" / "pack" / "brief.md")
    assert content_files(tmp_path / ".studies" / "pack") == [tmp_path / ".studies" / "pack" / "brief.md"]


def test_files_that_editors_hide_among_notes_items_keys_and_programs_are_passed_over(content):
    pack, bank = content.parent / "tasks" / "trio_timer", content.parent / "quizzes" / "trio"
    notes, before = notes_in_folder(str(pack)), load_pack(pack)
    (pack / "notes" / ".#hints.md").symlink_to("root@host.1:1")
    for path in (pack / "notes" / ".draft.md", pack / "notes" / "._hints.md", pack / "wrong" / "._one.py"):
        hide(path)
    for folder in ("items", "keys"):
        (bank / folder / ".#one.toml").symlink_to("root@host.1:1")
        hide(bank / folder / "._one.toml")
    assert notes_in_folder(str(pack)) == notes
    assert load_pack(pack).wrong == before.wrong
    assert load_bank(bank).id == "trio"
    assert check_bank(bank) == []


def test_notes_are_those_of_the_hash_while_files_change(content):
    folder = content.parent / "tasks" / "trio_timer" / "notes"
    load = notes_loader(open_library(content))
    before = dict(load("tasks/trio_timer"))
    (folder / "hints.md").write_text("# changed after the start\n")
    assert load("tasks/trio_timer") == before
    shutil.rmtree(folder)
    assert load("tasks/trio_timer") == before != {}


def test_notes_that_cannot_be_read_are_reported_where_they_are_asked_for(content):
    (content.parent / "tasks" / "trio_timer" / "notes" / "hints.md").write_bytes(b"\xff\xfe\x00")
    load = notes_loader(open_library(content))
    assert load("tasks/trio_users") != {}
    with pytest.raises(Exception, match=r"hints\.md"):
        load("tasks/trio_timer")


def test_a_byte_order_mark_takes_a_variant_s_notes_from_no_one(tmp_path):
    for name in ("trio_users", "trio_users_conflict"):
        shutil.copytree(ROOT / "tasks" / name, tmp_path / name)
    variant = tmp_path / "trio_users_conflict"
    before = notes_in_folder(str(variant))
    (variant / "task.toml").write_bytes(MARK + (variant / "task.toml").read_bytes())
    assert load_pack(variant).id == "trio_users_conflict"
    assert notes_in_folder(str(variant)) == before != {}


def test_a_byte_order_mark_keeps_no_file_from_being_followed(content):
    before = set(written(content))
    content.write_bytes(MARK + content.read_bytes())
    assert set(written(content)) == before
    assert len(before) > 1


def test_a_version_that_was_launched_with_files_in_hidden_folders_opens_and_is_held_to_them(content, tmp_path):
    file = real_study(content.parent)
    hidden = hide(file.parent / "tasks" / "warmup" / ".vscode" / "settings.json")
    given = Settings(study_file=file, database=f"sqlite:///{tmp_path}/study.db", var=tmp_path / "var", environment={})
    running = start(given)
    # As a release that counted them locked it.
    running.library._hashes = running.library._hashed(hidden_folders=True)
    running.context.__dict__.pop("study_hash", None)
    running.lifecycle.launch()
    locked = running.context.study_hash
    running.close()
    assert protocol_hash(running.study, dict(open_library(file).materials())) != locked
    again = start(given)
    assert again.context.study_hash == locked
    again.close()
    hidden.write_text("[]")
    with pytest.raises(NotAllowed, match="another content"):
        start(given)
