"""Codes from a REFI-QDA project (`.qdpx`) that another program wrote; nothing in it is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as Xml

from study_app.dataset.border import limits
from study_app.dataset.border.limits import beyond
from study_app.dataset.border.projects import ProjectFile
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.transcripts import InterviewText, PassageSpan, laid_out, topics_at

CODEBOOK_SAID = re.compile(r"\bcodebook ([a-z][a-z0-9_]*-[0-9a-f]{12})\b")
"""How a project that we wrote names its codebook; other programs keep the description, or drop it."""
STATE_SAID = re.compile(r"\bcodes as of (\S+)")
"""How a project that we wrote says up to which moment the codes in it go."""
LONGEST_NAME = 80
"""Of a coder: the column has names of people, not texts."""
MOST_NAMED = 50
"""Problems that are named; nothing of a file with more is worth reading."""
Coded = dict[tuple[str, str, str], frozenset[str]]
"""(coder, interview, topic) -> codes."""


@dataclass(frozen=True)
class ReadProject:
    """What a project says."""

    codes: Coded
    as_of: datetime | None
    """Up to when its export went; None where it does not say so."""


@dataclass(frozen=True)
class _Lookup:
    """What ids of the project mean."""

    codes: Mapping[str, str]
    users: Mapping[str, str]

    def named(self, file: str) -> set[str]:
        """Return the names of users, of those that have one.

        Raises:
            BeyondLimits: there are more than people code a study.
        """
        found = {name for name in self.users.values() if 0 < len(name) <= LONGEST_NAME}
        if len(found) > limits.LIMITS.coders:
            raise beyond(file, len(found), "coders", limits.LIMITS.coders)
        return found


def read_project(
    content: bytes,
    book: Codebook,
    transcripts: Sequence[InterviewText],
    name: str = "project.qdpx",
    *,
    complete: bool = False,
) -> ReadProject:
    """Return the codes of each coder, by interview and topic, and as of when the project was exported.

    A selection counts for every topic that it touches. A coder who selected anything in an interview has coded all of
    it: topics without a selection carry none of the codes.

    Args:
        content: the file.
        book: codes are known by id or title.
        transcripts: interviews that may be coded.
        name: of the file, for the messages.
        complete: each user of the project has read every interview in it, those without a selection, too.

    Raises:
        BeyondLimits: it holds more than is read of a project.
        ProblemsFound: not such a file, an interview or code that is not of this study, or another text: every problem.
    """
    file = ProjectFile(content, name)
    root = file.project()
    _refuse_other_codebook(root, book, name)
    known = {each.interview_id: each for each in transcripts}
    users = {_guid(each): " ".join(each.get("name", "").split()) for each in _all(root, "User")}
    lookup = _Lookup(_codes(root, book), users)
    coders = lookup.named(name)
    problems: list[Problem] = []
    found: dict[tuple[str, str, str], set[str]] = {}
    for source in _all(root, "TextSource"):
        if len(problems) >= MOST_NAMED:
            break
        transcript = known.get(source.get("name", ""))
        selections = [each for each in source if _tag(each) == "PlainTextSelection"]
        if not selections and not complete:
            continue
        if transcript is None:
            what = "is not an interview of this study that may be coded"
            problems.append(Problem(name, source.get("name", "a source"), what, "keep the names of sources"))
            continue
        text, spans = laid_out(transcript)
        if (given := file.text(source.get("plainTextPath", ""))) is not None and given != text:
            what = "its text is not that of the interview; places of codes cannot be compared"
            problems.append(Problem(name, transcript.interview_id, what, "code without editing the text"))
            continue
        for coder in coders if complete else ():
            found |= {(coder, transcript.interview_id, each): set() for each in transcript.topics}
        for coder, topic, code in _selected(selections, spans, lookup, (name, problems)):
            for each in transcript.topics:
                found.setdefault((coder, transcript.interview_id, each), set())
            found[coder, transcript.interview_id, topic].add(code)
    if problems:
        raise ProblemsFound(problems[:MOST_NAMED])
    return ReadProject({key: frozenset(codes) for key, codes in found.items()}, _as_of(root))


def _description(root: Xml.Element) -> str:
    return next((each.text or "" for each in root if _tag(each) == "Description"), "")


def _as_of(root: Xml.Element) -> datetime | None:
    """Return the moment that the description names; one without a zone, or none at all, counts as not said."""
    found = STATE_SAID.search(_description(root))
    try:
        moment = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _refuse_other_codebook(root: Xml.Element, book: Codebook, name: str) -> None:
    """Refuse codes by another codebook: the same id may have meant something else there."""
    found = CODEBOOK_SAID.search(_description(root))
    if found and found[1] != book.version:
        what = f"was coded by the codebook {found[1]}; frozen is {book.version}"
        raise ProblemsFound([Problem(name, "", what, "export the project again and code by that codebook")])


def _codes(root: Xml.Element, book: Codebook) -> dict[str, str]:
    """Id in the project -> code of the codebook; codes may lie in each other."""
    by_name = {code.title.casefold(): code.id for code in book.codes} | {code.id: code.id for code in book.codes}
    names = {_guid(each): each.get("name", "") for each in _all(root, "Code")}
    return {key: by_name.get(name, by_name.get(name.casefold(), "")) for key, name in names.items()}


def _selected(
    selections: Sequence[Xml.Element],
    spans: Sequence[PassageSpan],
    lookup: _Lookup,
    report: tuple[str, list[Problem]],
) -> Iterator[tuple[str, str, str]]:
    """Yield coder, topic and code of each coding of the selections."""
    name, problems = report
    for selection in selections:
        start, end = (_number(selection.get(key)) for key in ("startPosition", "endPosition"))
        for coding in (each for each in selection if _tag(each) == "Coding"):
            user = (coding.get("creatingUser") or selection.get("creatingUser") or "").upper()
            coder = lookup.users.get(user, "")
            target = next((each.get("targetGUID", "").upper() for each in coding if _tag(each) == "CodeRef"), "")
            code = lookup.codes.get(target, "")
            if len(coder) > LONGEST_NAME:
                what = f"the coder's name has {len(coder)} characters"
                problems.append(Problem(name, f"{coder[:20]}…", what, f"use {LONGEST_NAME} at most"))
                continue
            if start is None or end is None or not coder or not code:
                what = "a coding without place, coder or a code of the codebook"
                problems.append(Problem(name, selection.get("name", "a selection"), what, "use the codebook's codes"))
                continue
            yield from ((coder, topic, code) for topic in topics_at(spans, start, end))


def _number(text: str | None) -> int | None:
    # `int` alone takes digits of every script, and takes long over thousands of them.
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 12 else None


def _tag(element: Xml.Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(root: Xml.Element, tag: str) -> Iterator[Xml.Element]:
    return (each for each in root.iter() if _tag(each) == tag)


def _guid(element: Xml.Element) -> str:
    return element.get("guid", "").upper()
