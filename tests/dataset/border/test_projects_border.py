"""A coding project from anywhere: archives that unpack without end, trees without number, one text read for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile.bombs import project_of, understated
from support.hostile.outcomes import outcome

from study_app.dataset.border import limits
from study_app.dataset.border.limits import BeyondLimits, DatasetLimits
from study_app.dataset.reading.refi_qda import MOST_NAMED, read_project
from study_app.domain.errors import ProblemsFound
from study_app.domain.themes.codebook import Code, Codebook
from study_app.domain.themes.transcripts import InterviewText, Passage

SMALL = DatasetLimits(project_bytes=200_000, project_files=20, elements=500, token_bytes=20_000, coders=5)
BOOK = Codebook(id="exit", codes=(Code(id="hurry", title="Hurry", definition="Says that time was short."),))
TRANSCRIPTS = (InterviewText("i1", "en", (Passage("time", "How was it?", "A rush"),)),)
SOURCE = b'<TextSource name="i1" plainTextPath="internal://a.txt"/>'


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(limits, "LIMITS", SMALL)


def read(content: bytes, complete: bool = True):
    return read_project(content, BOOK, TRANSCRIPTS, "p.qdpx", complete=complete).codes


def users(count: int) -> bytes:
    return b"".join(b'<User guid="%d" name="n%d"/>' % (number, number) for number in range(count))


def many_files(count: int) -> bytes:
    return project_of(b"<Project/>", **{f"f{number}": b"" for number in range(count)})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: b" " * 200_001, "holds 200,001 bytes, and the limit is 200,000"),
        (lambda: project_of(b" " * 200_001), "holds 200,001 bytes unpacked, and the limit is 200,000"),
        (lambda: many_files(20), "holds 21 files, and the limit is 20"),
        (lambda: project_of(b"<P>" + b"<a/>" * 500 + b"</P>"), "holds more than 500 elements and attributes"),
        (
            lambda: project_of(b"<P " + b" ".join(b"a%d=''" % number for number in range(600)) + b"/>"),
            "holds more than 500 elements and attributes",
        ),
        (lambda: project_of(b'<P a="' + b"x" * 190_000), "bytes in one tag, and the limit is 20,000"),
        (lambda: project_of(b"<P>" + users(6) + SOURCE + b"</P>"), "holds 6 coders, and the limit is 5"),
        (
            lambda: project_of(b"<P>" + SOURCE * 40 + b"</P>", **{"sources/a.txt": b"x" * 50_000}),
            r"bytes unpacked, and the limit is 200,000",
        ),
        (
            lambda: project_of(b"<P>" + SOURCE * 40 + b"</P>", **{"sources/a.txt": b"How was it?\nA rush\n\n"}),
            "holds more than 20 sources with a text, and the limit is 20",
        ),
    ],
)
def test_what_a_project_stands_for_is_counted_before_it_is_built(small, content, said):
    with pytest.raises(BeyondLimits, match=said) as error:
        read(content())
    assert str(error.value).startswith("p.qdpx: ")


def beyond_limits(content: bytes) -> bool:
    """Whether a project holds too much; within the limits it may still be none of these interviews."""
    try:
        read(content)
    except ProblemsFound as error:
        return isinstance(error, BeyondLimits)
    return False


def archive_of(size: int) -> bytes:
    """A file of so many bytes that begins as an archive does."""
    content = project_of(b"<Project/>")
    return content + bytes(size - len(content))


def padded(size: int) -> bytes:
    """XML of so many bytes: lines of comments, each within what one tag may hold."""
    line = b"<!--" + b"x" * 992 + b"-->\n"
    xml = b"<P>" + line * (size // 1000 - 1)
    return xml + b" " * (size - len(xml) - 4) + b"</P>"


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (archive_of, 200_000),
        (lambda size: project_of(padded(size)), 200_000),
        (lambda size: project_of(padded(size - 5), **{"sources/a.txt": b"12345"}), 200_000),
        (lambda count: many_files(count - 1), 20),
        (lambda count: project_of(b"<P>" + b"<a/>" * (count - 1) + b"</P>"), 500),
        (lambda count: project_of(b"<P>" + b"<a b=''/>" * (count // 2 - 1) + b"<a/>" * (1 + count % 2) + b"</P>"), 500),
        (lambda count: project_of(b"<P>" + users(count) + SOURCE + b"</P>"), 5),
        (
            lambda count: project_of(
                b"<P>" + SOURCE * count + b"</P>", **{"sources/a.txt": b"How was it?\nA rush\n\n"}
            ),
            20,
        ),
    ],
    ids=["bytes", "unpacked", "unpacked with texts", "files", "elements", "attributes", "coders", "texts"],
)  # fmt: skip
def test_a_project_may_hold_as_much_as_a_limit_says_and_no_more(small, make, most):
    assert (beyond_limits(make(most)), beyond_limits(make(most + 1))) == (False, True)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_all_at_once_is_not_unpacked(small, method):
    # Its table of contents says ten bytes.
    content = understated(project_of(b" " * 10_000_000, method), 10)
    with pytest.raises(ProblemsFound, match="'project.qde' in it is packed in another way than a .qdpx file is"):
        read(content)


def test_a_size_that_is_understated_is_all_that_is_unpacked(small):
    with pytest.raises(ProblemsFound, match="its project.qde is not XML"):
        read(understated(project_of(b" " * 10_000_000), 10))


def test_problems_without_number_are_named_up_to_a_limit():
    sources = b"".join(b'<TextSource name="x%d"/>' % number for number in range(1000))
    with pytest.raises(ProblemsFound) as error:
        read(project_of(b"<P>" + sources + b"</P>"))
    assert len(error.value.problems) == MOST_NAMED


CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
from pathlib import Path
from test_projects_border import read
read(Path(sys.argv[1]).read_bytes())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("xml", "said"),
    [
        (lambda: b"<P>" + b"<a/>" * 24_000_000 + b"</P>", "holds more than 2,000,000 elements and attributes"),
        (lambda: b"<P>" + b"<User>" * 15_000_000, "holds more than 2,000,000 elements and attributes"),
        (lambda: b"<P " + b"".join(b"a%d='' " % number for number in range(6_000_000)) + b"/>", "bytes in one tag"),
        (lambda: b"<P>" + b"<!--" + b"x" * 90_000_000, "bytes in one tag"),
    ],
    ids=["siblings", "nested", "attributes", "comment"],
)
def test_a_project_of_millions_of_elements_leaves_the_memory_bounded(tmp_path, xml, said):
    """The real limits, in a child whose address space ends long before such a tree would."""
    file = tmp_path / "p.qdpx"
    file.write_bytes(project_of(xml()))
    assert file.stat().st_size < 20_000_000
    given = [sys.executable, "-c", CHILD, str(file)]
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])
    done = subprocess.run(given, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1
    assert "BeyondLimits: p.qdpx: holds" in done.stderr
    assert said in done.stderr


@given(st.binary(max_size=300), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.integers(0, 2**32))
def test_any_bytes_are_a_project_or_one_error(xml, method, seed):
    content = bytearray(project_of(xml, method))
    if seed % 3 == 0:
        content[seed % len(content)] ^= 1 + seed % 255
    for given_bytes in (bytes(content), project_of(b"<P>" + xml + b"</P>"), xml):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(limits, "LIMITS", replace(SMALL, elements=50))
            for complete in (True, False):
                _, said = outcome(partial(read, given_bytes, complete), ProblemsFound)
                assert said.startswith("p.qdpx: ") or not said
