"""Any file as a backup: it is one, or one sentence says what is wrong, and it is never unpacked whole into memory."""

from __future__ import annotations

import json
import resource
import zipfile
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.databases import POSTGRES_IS_SLOW

from study_app.domain.errors import UserError
from study_app.storage.backup import table_rows
from study_app.storage.backup.archive import MANIFEST, open_archive
from study_app.storage.engine import DatabaseEngine

SOUND = {
    "schema": "study-backup/1",
    "study_id": "s",
}


def refused(path) -> bool:
    try:
        with open_archive(path):
            return False
    except UserError as error:
        said = str(error)
    assert str(path) in said
    return True


def packed(path, parts: dict[str, bytes], method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@settings(max_examples=60)
@given(st.binary(max_size=300), st.integers(0, 2**32))
def test_any_bytes_are_a_backup_or_one_sentence(tmp_path_factory, content, seed):
    path, rng = tmp_path_factory.getbasetemp() / "any.zip", Random(seed)
    path.write_bytes(content)
    assert refused(path)
    packed(path, {MANIFEST: content, "x": content}, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    whole = bytearray(path.read_bytes())
    assert refused(path)
    for _ in range(rng.randrange(1, 6)):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    path.write_bytes(whole)
    assert refused(path)


@pytest.mark.parametrize("content", [b"[" * 200_000, b"{}", b"9" * 10_000, b"null", b"\xff"])
def test_a_manifest_that_is_not_one_is_refused(tmp_path, content):
    assert refused(packed(tmp_path / "x.zip", {MANIFEST: content}))


def test_a_manifest_that_unpacks_to_very_much_is_not_read_whole(tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(MANIFEST, "w") as part:
            for _ in range(300):
                part.write(b" " * 1_000_000)
        archive.writestr("x", json.dumps(SOUND))
    assert refused(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000


LINES = [
    pytest.param([], id="nothing"),
    pytest.param([b"no JSON\n"], id="names that are not JSON"),
    pytest.param([b'{"key": 1}\n'], id="names in a table"),
    pytest.param([b"[[]]\n"], id="a name that is a list"),
    pytest.param([b'["key", "value); DROP TABLE meta"]\n', b'["a", "b"]\n'], id="a name that is SQL"),
    pytest.param([b'["key", "value"]\n', b"[" * 200_000], id="cells without end"),
    pytest.param([b'["key", "value"]\n', b'["a"]\n'], id="too few cells"),
    pytest.param([b'["key", "value"]\n', b'["a", {"bytes": "!"}]\n'], id="bytes that are none"),
    pytest.param([b'["key", "value"]\n', b'["a", {"x": 1}]\n'], id="a cell that is a table"),
    pytest.param([b'["key", "value"]\n', b'["a", ["b"]]\n'], id="a cell that is a list"),
    pytest.param([b'["key", "value"]\n', b'["a", "b"]\n', b'["a", "c"]\n'], id="a key twice"),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("lines", LINES)
@POSTGRES_IS_SLOW
def test_a_table_that_a_forger_wrote_is_one_sentence_and_puts_nothing_back(tmp_path, lines, database_url):
    database = DatabaseEngine(database_url or f"sqlite:///{tmp_path}/study.db")
    try:
        with database.begin(write=True) as connection:
            table_rows.make_tables(connection, "head")
        with pytest.raises(UserError, match="table meta"), database.begin(write=True) as connection:
            table_rows.fill(database, connection, "meta", lines)
        with database.begin(write=False) as connection:
            assert table_rows.meta_of(connection, "a") is None
    finally:
        database.close()
