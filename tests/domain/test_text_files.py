"""Text files of users are read with or without a byte order mark; another encoding is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.data.load import read_study_file
from study_app.assistant.notes import notes_in_folder
from study_app.bootstrap import open_library
from study_app.content.item_banks import check_bank, load_bank
from study_app.content.study_file import read_study
from study_app.content.task_packs import load_pack
from study_app.domain.errors import ProblemsFound
from study_app.domain.text_files import decode_text
from study_app.storage.anchor_file import read_anchors

ROOT = Path(__file__).resolve().parents[2]
MARK = "\ufeff".encode()
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"))


@given(TEXT, st.booleans(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_text_comes_back_with_or_without_a_byte_order_mark(text, marked, line_end):
    data = text.replace("\n", line_end).encode()
    assert decode_text(MARK + data if marked else data, "file") == text


@given(st.binary())
def test_any_bytes_are_text_or_one_problem_that_names_the_file(data):
    try:
        assert isinstance(decode_text(data, "notes.md"), str)
    except ProblemsFound as found:
        [problem] = found.problems
        assert (problem.file, problem.remedy[:16]) == ("notes.md", "save it as UTF-8")
        assert "\n" not in problem.what


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("id = 1\n".encode("utf-16"), "is UTF-16 text, found its byte order mark"),
        ("id = 1\n".encode("utf-32"), "is UTF-32 text, found its byte order mark"),
        ("id = 1\n".encode("utf-16-le"), "seems to be UTF-16 text, found a zero byte in every other place"),
        ("id = 1\n".encode("utf-16-be"), "seems to be UTF-16 text, found a zero byte in every other place"),
        # Letters whose lower byte is zero leave zeros in the other places, too.
        ("abcd\u0100".encode("utf-16-le"), "seems to be UTF-16 text, found a zero byte in every other place"),
        # More than an eighth of the places have to be zero.
        (b"a\0b\0c\0abcdefghij", "seems to be UTF-16 text, found a zero byte in every other place"),
        (b"a\0b\0abcdefghijkl", "is not a text file, found a zero byte in line 1"),
        ("id = 1\n".encode("utf-32-le"), "is not a text file, found a zero byte in line 1"),
        (b"a\nb\0c and more text\n", "is not a text file, found a zero byte in line 2"),
        (
            "title = 1\nname = 'René'\n".encode("latin-1"),
            "is not UTF-8 text, found the byte 0xE9 in line 2; "
            "it seems to be Windows-1252 or Latin-1, where that byte is 'é'",
        ),
        (b"a\n\x81\n", "is not UTF-8 text, found the byte 0x81 in line 2"),
    ],
)
def test_another_encoding_is_named(data, what):
    with pytest.raises(ProblemsFound) as caught:
        decode_text(data, "study.toml")
    [problem] = caught.value.problems
    assert problem.what == what
    assert "save it as UTF-8" in problem.remedy


@pytest.fixture
def content(tmp_path):
    """A copy of the shipped study and everything that it names."""
    for name in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "study.toml", tmp_path)
    return tmp_path


def everything(folder: Path) -> list[Path]:
    return [
        path for path in folder.rglob("*") if path.suffix in {".toml", ".md", ".py"} and "__pycache__" not in str(path)
    ]


def test_content_with_byte_order_marks_reads_as_content_without(content):
    plain = open_library(content / "study.toml")
    packs = {folder: plain.pack(folder) for folder in plain.pack_folders}
    banks = {folder: (plain.bank(folder), plain.keys(folder).version) for folder in plain.bank_folders}
    notes = {folder: notes_in_folder(str(content / folder)) for folder in plain.pack_folders}
    for path in everything(content):
        path.write_bytes(MARK + path.read_bytes().replace(b"\n", b"\r\n"))
    marked = open_library(content / "study.toml")
    assert marked.study == plain.study
    assert marked.specs == plain.specs
    for folder, pack in packs.items():
        for name in ("settings", "brief", "starter", "solution", "reference", "wrong"):
            assert getattr(marked.pack(folder), name) == getattr(pack, name)
        assert [check.name for check in marked.pack(folder).checks] == [check.name for check in pack.checks]
        assert notes_in_folder(str(content / folder)) == notes[folder]
    assert {folder: (marked.bank(folder), marked.keys(folder).version) for folder in marked.bank_folders} == banks


READERS = {
    "study.toml": lambda root: read_study(root / "study.toml"),
    "tasks/warmup/task.toml": lambda root: load_pack(root / "tasks/warmup"),
    "tasks/warmup/brief.md": lambda root: load_pack(root / "tasks/warmup"),
    "tasks/warmup/checks.py": lambda root: load_pack(root / "tasks/warmup"),
    "tasks/warmup/starter.py": lambda root: load_pack(root / "tasks/warmup"),
    "tasks/warmup/wrong/no_padding.py": lambda root: load_pack(root / "tasks/warmup"),
    "tasks/warmup/notes/concepts.md": lambda root: notes_in_folder(str(root / "tasks/warmup")),
    "quizzes/trio/bank.toml": lambda root: load_bank(root / "quizzes/trio"),
    "quizzes/trio/items/pause.toml": lambda root: load_bank(root / "quizzes/trio"),
    "assistants/full.toml": lambda root: open_library(root / "study.toml"),
}


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
@pytest.mark.parametrize("name", READERS)
def test_each_file_in_another_encoding_is_named_with_what_to_save_it_as(content, name, encoding):
    text = (content / name).read_text()
    (content / name).write_bytes((text + "# ü\n").encode(encoding, "replace"))
    with pytest.raises(ProblemsFound) as caught:
        READERS[name](content)
    [line] = [str(problem) for problem in caught.value.problems if "save it as UTF-8" in str(problem)]
    assert line.startswith(f"{content / name}: is ")
    assert ("UTF-16" if encoding == "utf-16" else "Latin-1") in line


def test_a_key_in_another_encoding_is_named(content):
    path = content / "quizzes/trio/keys/pause.toml"
    path.write_bytes((path.read_text() + "# ü\n").encode("latin-1"))
    assert [problem.remedy[:16] for problem in check_bank(content / "quizzes/trio")] == ["save it as UTF-8"]


def test_plan_and_anchors_in_another_encoding_are_named(tmp_path):
    path = tmp_path / "kept.toml"
    path.write_bytes("id = 1\n".encode("utf-16"))
    for read in (read_anchors, read_study_file):
        with pytest.raises(
            ProblemsFound, match="kept.toml: is UTF-16 text, found its byte order mark; save it as UTF-8"
        ):
            read(path)
    path.write_bytes(MARK + b"id = 1\r\n")
    assert read_study_file(path) == {"id": 1}
