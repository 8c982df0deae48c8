"""Any bytes as a file of texts: texts, or problems with a sentence each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.content.texts import TextFile, read_texts
from study_app.domain.errors import ProblemsFound

HARD = (
    b"x = " + b"[" * 5000,
    b"x = " + b"{a=" * 5000,
    b"x = " + b"9" * 5000,
    b".".join([b"a"] * 5000) + b" = 'x'",
    b"[" + b".".join([b"a"] * 5000) + b"]\nx = 'y'",
    b"x = 9999-99-99",
    b"x = 1e999",
    "x = 'é'".encode("utf-16"),
    b"\x00",
    b"x = '\xff'",
    b"x = 'a'\nx = 'b'",
)
PARTS = ("[a]", "[a.b]", "[[a]]", "x = 1", 'y = "{z}"', "'' = ''", "content.a = 'b'", "#", "=")
LINES = st.lists(st.sampled_from(PARTS))


def outcome(folder, content: bytes) -> TextFile | None:
    file = folder / "xx.toml"
    file.write_bytes(content)
    try:
        return read_texts(file, "languages/xx.toml")
    except ProblemsFound as problem:
        said = problem.problems
    assert said
    assert all(each.file == "languages/xx.toml" and each.what and each.remedy for each in said)
    return None


@pytest.mark.parametrize("content", HARD, ids=range(len(HARD)))
def test_a_file_that_is_hard_to_read_is_refused_in_a_sentence(tmp_path, content):
    assert outcome(tmp_path, content) is None


@settings(max_examples=40)
@given(st.binary(max_size=200) | LINES.map(lambda lines: "\n".join(lines).encode()))
def test_any_bytes_are_texts_or_problems(tmp_path_factory, content):
    found = outcome(tmp_path_factory.getbasetemp(), content)
    assert found is None or all(isinstance(text, str) for text in (*found.pages.values(), *found.content.values()))
