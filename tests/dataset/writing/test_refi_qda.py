import re
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrefiqda import RefiProject

from study_app.dataset.reading.refi_qda import read_project
from study_app.dataset.writing.refi_qda import QdaCoding, write_project
from study_app.domain.errors import ProblemsFound
from study_app.domain.themes.codebook import Code, Codebook
from study_app.domain.themes.transcripts import InterviewText, Passage, laid_out, topics_at

BOOK = Codebook(
    id="exit",
    codes=(
        Code(id="hurry", title="Time pressure", definition="Says that time <was> short \x01& pressing."),
        Code(id="trust", title="Trust", definition="Judges whether help can be relied on."),
    ),
)
TRANSCRIPTS = (
    InterviewText("i1", "en", (Passage("time", "How was it?", "A rush 🏃\r\nreally"),
                            Passage("time", "When?", "Ünder way"),
                            Passage("help", "And the help?", "I checked it <twice>"))),
    InterviewText("i2", "de", (Passage("time", "Wie war es?", "Keine Zeit."), Passage("help", "Und die Hilfe?", ""))),
)  # fmt: skip
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
CODINGS = (
    QdaCoding("i1", "time", "ann", frozenset({"hurry"}), AT),
    QdaCoding("i1", "help", "ann", frozenset({"trust", "hurry"}), AT),
    QdaCoding("i1", "time", "ben", frozenset({"trust"}), AT),
    QdaCoding("i2", "time", "ben", frozenset({"hurry"}), AT),
)
DUE = {
    ("ann", "i1", "time"): {"hurry"}, ("ann", "i1", "help"): {"trust", "hurry"}, ("ben", "i1", "time"): {"trust"},
    ("ben", "i1", "help"): set(), ("ben", "i2", "time"): {"hurry"},
}  # fmt: skip


def project():
    return write_project("trio", BOOK, TRANSCRIPTS, CODINGS)


def changed(name, old, new, *, whole=None):
    """The project with a text in one of its files replaced, or one file by another."""
    source, target = zipfile.ZipFile(BytesIO(project())), BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for entry in source.namelist():
            content = source.read(entry)
            archive.writestr(entry, (whole or content.replace(old, new)) if name in entry else content)
    return target.getvalue()


DECLARED = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY a "ha">]><Project>&a;</Project>'
BILLION = changed("project.qde", b"", b"", whole=DECLARED.encode("utf-16"))


def damaged(name):
    """The project with a byte of one packed file turned."""
    content = bytearray(project())
    entry = next(each for each in zipfile.ZipFile(BytesIO(bytes(content))).infolist() if each.filename.startswith(name))
    content[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 0xFF
    return bytes(content)


def bomb():
    """A file that unpacks to a thousand times its size."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("project.qde", "w") as inside:
        for _ in range(101):
            inside.write(b" " * 1_000_000)
    return target.getvalue()


def test_codes_come_back_as_they_were():
    assert read_project(project(), BOOK, TRANSCRIPTS).codes == DUE


def test_the_same_codings_make_the_same_file():
    assert project() == write_project("trio", BOOK, TRANSCRIPTS, CODINGS[::-1])


def test_an_independent_reader_opens_the_project_and_finds_each_coding(tmp_path):
    file = tmp_path / "trio.qdpx"
    file.write_bytes(project())
    opened = RefiProject.load(file, extract_dir=str(tmp_path / "out"))
    names = {code.guid: code.name for code in opened.code_book.codes.code}
    users = {user.guid: user.name for user in opened.users.user}
    found = {}
    for source in opened.sources.text_source:
        text = next((tmp_path / "out").rglob(source.plain_text_path.removeprefix("internal://"))).read_text("utf-8")
        for selection in source.plain_text_selection:
            passage = text[int(selection.start_position) : int(selection.end_position)]
            for coding in selection.coding:
                code = names[coding.code_ref.target_guid]
                found.setdefault((users[coding.creating_user], source.name, selection.name, passage), set()).add(code)
    assert found == {
        ("ann", "i1", "time", "How was it?\nA rush 🏃\nreally"): {"hurry"},
        ("ann", "i1", "time", "When?\nÜnder way"): {"hurry"},
        ("ann", "i1", "help", "And the help?\nI checked it <twice>"): {"hurry", "trust"},
        ("ben", "i1", "time", "How was it?\nA rush 🏃\nreally"): {"trust"},
        ("ben", "i1", "time", "When?\nÜnder way"): {"trust"},
        ("ben", "i2", "time", "Wie war es?\nKeine Zeit."): {"hurry"},
    }


@pytest.mark.parametrize(("transcripts", "codings"), [((), ()), (TRANSCRIPTS, ()), (TRANSCRIPTS, CODINGS)])
def test_no_list_of_the_project_is_empty_which_its_schema_refuses(transcripts, codings):
    content = write_project("trio", BOOK, transcripts, codings)
    root = ElementTree.fromstring(zipfile.ZipFile(BytesIO(content)).read("project.qde"))
    lists = [each for each in root.iter() if each.tag.rpartition("}")[2] in ("Users", "Sources", "CodeBook", "Codes")]
    assert all(len(each) for each in lists)
    assert [each.tag.rpartition("}")[2] for each in root] == [
        name
        for name, there in (("Users", codings), ("CodeBook", True), ("Sources", transcripts), ("Description", True))
        if there
    ]
    assert read_project(content, BOOK, transcripts).codes == (DUE if codings else {})


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(Passage, st.sampled_from(["time", "help"]), st.text(max_size=20), st.text(max_size=20)), max_size=5
    )
)
def test_passages_lie_where_the_text_says_whatever_was_answered(passages):
    passages = [Passage(p.topic, *(each.encode("utf-8", "replace").decode() for each in (p.question, p.answer)))
                for p in passages]  # fmt: skip
    transcript = InterviewText("i1", "en", tuple(passages))
    text, spans = laid_out(transcript)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    codings = [QdaCoding("i1", topic, "ann", frozenset({"trust"}), AT) for topic in transcript.topics]
    found = read_project(write_project("trio", BOOK, [transcript], codings), BOOK, [transcript]).codes
    assert found == {("ann", "i1", topic): {"trust"} for topic in transcript.topics}


def test_a_selection_counts_for_every_topic_that_it_touches():
    text, spans = laid_out(TRANSCRIPTS[0])
    assert topics_at(spans, 0, len(text)) == ("time", "help")
    assert topics_at(spans, spans[0].end, spans[1].start) == ()
    assert topics_at(spans, spans[2].end - 1, spans[2].end) == ("help",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a .qdpx file"),
        (b"PK\x03\x04 no archive", "not a .qdpx file"),
        (changed("none", b"", b""), None),
        (changed("project.qde", b"<Users>", b"<Users"), "not XML"),
        (changed("project.qde", b"<Users>", b"<!DOCTYPE x><Users>"), "not XML"),
        (
            changed(
                "project.qde", b"<?xml version='1.0' encoding='utf-8'?>", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>"
            ),
            "entities",
        ),
        (BILLION, "entities"),
        (damaged("project.qde"), "'project.qde' in it is damaged"),
        (damaged("sources/"), "in it is damaged"),
        (bomb(), "bytes unpacked, and the limit is 100,000,000"),
        (
            changed("project.qde", BOOK.version.encode(), b"exit-0123456789ab"),
            f"was coded by the codebook exit-0123456789ab; frozen is {BOOK.version}",
        ),
        (changed("project.qde", b'name="ben"', b'name="' + b"b" * 81 + b'"'), "the coder's name has 81 characters"),
        (changed("project.qde", b'name="ben"', b'name="  "'), "without place, coder or a code"),
        (changed("project.qde", b'name="i1"', b'name="i9"'), "i9: is not an interview of this study"),
        (changed("project.qde", b'name="trust"', b'name="doubt"'), "a code of the codebook"),
        (changed("project.qde", b'startPosition="0"', b'startPosition="-4"'), "without place"),
        (changed(".txt", b"A rush", b"No rush"), "i1: its text is not that of the interview"),
    ],
)
def test_a_project_that_cannot_be_read_is_refused_with_what_is_wrong(content, said):
    if said is None:
        assert read_project(content, BOOK, TRANSCRIPTS).codes == DUE
        return
    with pytest.raises(ProblemsFound, match=said):
        read_project(content, BOOK, TRANSCRIPTS, "coded.qdpx")


def test_what_another_program_makes_of_the_description_does_not_matter():
    for said in (b"", b"Coded with care"):
        described = f"Interviews of trio, coded by the codebook {BOOK.version}".encode()
        assert read_project(changed("project.qde", described, said), BOOK, TRANSCRIPTS).codes == DUE


def test_codes_are_known_by_their_title_and_the_ids_of_other_programs_may_be_in_small_letters():
    text = project()
    archive = zipfile.ZipFile(BytesIO(text))
    qde = archive.read("project.qde").decode()

    lower = re.sub(r'(guid|targetGUID|creatingUser)="([^"]+)"', lambda m: f'{m[1]}="{m[2].lower()}"', qde)
    renamed = lower.replace('name="hurry"', 'name="time PRESSURE"').encode()
    assert read_project(changed("project.qde", qde.encode(), renamed), BOOK, TRANSCRIPTS).codes == DUE
