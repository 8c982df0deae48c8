"""Interviews and their codes as a REFI-QDA project (`.qdpx`), which programs for qualitative analysis open.

One text source an interview; each coding of a topic is a selection of its passages. Ids follow from what they name, so
that the same codings make the same file.
"""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from xml.etree import ElementTree as Xml

from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.transcripts import InterviewText, laid_out

NAMESPACE = "urn:QDA-XML:project:1.0"
PROJECT_FILE = "project.qde"
SOURCES = "sources"
_COLOURS = ("#1b6ca8", "#b3541e", "#2e7d32", "#7b1fa2", "#8d6e00", "#00695c", "#ad1457", "#455a64")
_NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class QdaCoding:
    """The codes that one coder gave one topic of an interview."""

    interview_id: str
    topic: str
    coder: str
    codes: frozenset[str]
    at: datetime


def guid(*names: str) -> str:
    """Return the id of what these names name, in the format's form."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:study-app:" + "\x1f".join(names))).upper()


def write_project(
    study_id: str,
    book: Codebook,
    transcripts: Sequence[InterviewText],
    codings: Sequence[QdaCoding],
    as_of: datetime | None = None,
) -> bytes:
    """Return the project as a `.qdpx` file.

    Args:
        study_id: name of the project, and part of all ids.
        book: the codebook.
        transcripts: what is coded.
        codings: those of interviews that are not among the transcripts are left out.
        as_of: up to when codes were taken into account; an import tells by it what changed since.
    """
    coders = sorted({each.coder for each in codings})
    latest = max((each.at for each in codings), default=datetime(2000, 1, 1, tzinfo=UTC))
    root = Xml.Element(
        f"{{{NAMESPACE}}}Project", {"name": study_id, "origin": "study-app", "creationDateTime": _time(latest)}
    )
    # The schema has no empty list: what holds nothing, as before anybody has coded, is left out.
    users = _child(root, "Users") if coders else root
    for coder in coders:
        _child(users, "User", guid=guid(study_id, "user", coder), name=coder)
    _codebook(root, study_id, book)
    sources = _child(root, "Sources") if transcripts else root
    by_interview: dict[str, list[QdaCoding]] = {}
    for coding in codings:
        by_interview.setdefault(coding.interview_id, []).append(coding)
    files = {}
    for transcript in transcripts:
        name = guid(study_id, "source", transcript.interview_id)
        files[f"{SOURCES}/{name}.txt"] = laid_out(transcript)[0].encode()
        own = by_interview.get(transcript.interview_id, [])
        _source(sources, study_id, transcript, sorted(own, key=lambda each: (each.topic, each.coder)))
    state = f"; codes as of {as_of.isoformat()}" if as_of is not None else ""
    _child(root, "Description").text = f"Interviews of {study_id}, coded by the codebook {book.version}{state}"
    Xml.register_namespace("", NAMESPACE)
    project = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return _zipped({PROJECT_FILE: project, **files})


def _codebook(root: Xml.Element, study_id: str, book: Codebook) -> None:
    codes = _child(_child(root, "CodeBook"), "Codes")
    for number, code in enumerate(book.codes):
        entry = _child(
            codes, "Code", guid=guid(study_id, "code", code.id), name=code.id, isCodable="true",
            color=_COLOURS[number % len(_COLOURS)],
        )  # fmt: skip
        _child(entry, "Description").text = _allowed(f"{code.title}: {code.definition}")


def _source(sources: Xml.Element, study_id: str, transcript: InterviewText, codings: Sequence[QdaCoding]) -> None:
    name = guid(study_id, "source", transcript.interview_id)
    source = _child(
        sources, "TextSource", guid=name, name=transcript.interview_id, plainTextPath=f"internal://{name}.txt"
    )
    _, spans = laid_out(transcript)
    for coding in codings:
        for number, span in enumerate(each for each in spans if each.topic == coding.topic):
            if coding.codes:
                at = {"creatingUser": guid(study_id, "user", coding.coder), "creationDateTime": _time(coding.at)}
                where = (transcript.interview_id, coding.topic, coding.coder, str(number))
                selection = _child(
                    source, "PlainTextSelection", guid=guid(study_id, "selection", *where), name=coding.topic,
                    startPosition=str(span.start), endPosition=str(span.end), **at,
                )  # fmt: skip
                for code in sorted(coding.codes):
                    entry = _child(selection, "Coding", guid=guid(study_id, "coding", *where, code), **at)
                    _child(entry, "CodeRef", targetGUID=guid(study_id, "code", code))


def _child(parent: Xml.Element, tag: str, **attributes: str) -> Xml.Element:
    return Xml.SubElement(parent, f"{{{NAMESPACE}}}{tag}", attributes)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _allowed(text: str) -> str:
    """Return a text without the control characters that XML does not have."""
    return "".join(each for each in text if each in "\t\n" or (each >= " " and each not in "\ufffe\uffff"))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_DATE), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
