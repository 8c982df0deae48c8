"""Interviews and codes to and from other programs for qualitative analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from study_app.dataset.border.projects import refuse_large
from study_app.dataset.reading.refi_qda import MOST_NAMED, ReadProject, read_project
from study_app.dataset.writing.refi_qda import QdaCoding, write_project
from study_app.domain.errors import NotAllowed, Problem, ProblemsFound
from study_app.domain.interaction.codes import ADJUDICATED, check_coder, people
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.themes.codebook import split
from study_app.domain.themes.marks import interview_object, interview_of
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.judging.looks import looked_at
from study_app.services.researcher.themes.reading import Coded, rating_of

LEAVE_OUT = "take this coder's codes of the interview out of the project, or export again and code that"


class CodeExchange:
    """Writes a REFI-QDA project of what is for coding, and takes people's codes from one."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def packed(
        self, who: str, kind: Kind, *, blank: bool = False, coder: str | None = None
    ) -> tuple[bytes, dict[str, Any]]:
        """Return the project as a file's content, and what is in it.

        Args:
            who: who asks for it.
            kind: whose interviews.
            blank: only the interviews drawn for people, without anybody's codes, so that they can be coded blind.
            coder: only this person's codes; those of everybody, and of programs, where None.

        Raises:
            NotAllowed: no codebook is frozen, the sample that was asked for is not drawn yet, or no person who codes
                can have that name.
        """
        if coder is not None:
            check_coder(coder)
        with self.context.registry.begin() as unit:
            coded = Coded(self.context, unit, kind)
            drawn = {each for each, draw in coded.draws().items() if draw.drawn}
            if blank and not drawn:
                raise NotAllowed("no sample is drawn for people yet; run: study code interviews gold")
            codings = [] if blank else [each for each in _codings(coded) if coder in (None, each.coder)]
            transcripts = [each.transcript for each in coded.to_code() if not blank or each.id in drawn]
            content = write_project(self.context.study.id, coded.book, transcripts, codings, _state(coded))
            detail: dict[str, Any] = {"interviews": len(transcripts), "codings": len(codings), "kind": kind}
            detail |= {} if coder is None else {"coder": coder}
            unit.add_audit(AuditEntry(self.context.now(), who, "export interviews", "", detail))
        return content, {"interviews": len(transcripts), "codings": len(codings)}

    def read(
        self, who: str, kind: Kind, file: Path, *, complete: bool = False, coder: str | None = None
    ) -> dict[str, Any]:
        """Take people's codes from a project: those that they changed in it.

        Codes that a coder has changed here since the export are newer than the same codes in the file, which are passed
        over.

        Args:
            who: who imports them.
            kind: whose interviews.
            file: the project.
            complete: each user of the project has read every interview in it; those without a selection have no code.
            coder: whose codes those of the project's one user are, whatever its program calls that user.

        Raises:
            NotAllowed: no codebook is frozen, or no person who codes can have that name.
            ProblemsFound: the file cannot be read or does not fit, a coder has the name of a program, or codes were
                changed of answers that are settled or whose other codes their coder has seen; nothing is stored.
        """
        if not file.is_file():
            raise ProblemsFound([Problem(str(file), "", "there is no such file", "give a .qdpx file")])
        refuse_large(file.stat().st_size, str(file))
        if coder is not None:
            check_coder(coder)
        with self.context.registry.begin() as unit:
            unit.lock("themes")
            coded = Coded(self.context, unit, kind)
            transcripts = [each.transcript for each in coded.to_code()]
            found = read_project(file.read_bytes(), coded.book, transcripts, str(file), complete=complete)
            changed = _changed(coded, found if coder is None else _of_one(found, coder, str(file)))
            if problems := list(_closed(unit, coded, changed.taken, str(file))):
                raise ProblemsFound(problems[:MOST_NAMED])
            counts: Counter[str] = Counter()
            for (rater, interview, topic), codes in sorted(changed.taken.items()):
                value = coded.book.join(codes)
                unit.add_rating(rating_of(self.context, (interview, topic), rater, value, coded.book.version))
                counts[rater] += 1
            detail = {"codings": dict(counts), "passed_over": changed.passed_over, "kind": kind}
            unit.add_audit(AuditEntry(self.context.now(), who, "import codes", "", detail))
        taken = {"file": str(file), "codings": sum(counts.values()), "coders": sorted(counts)}
        return taken | {"passed_over": changed.passed_over}


@dataclass(frozen=True)
class _Changed:
    """What a project holds that is not stored."""

    taken: dict[tuple[str, str, str], frozenset[str]]
    """(coder, interview, topic) -> their codes."""
    passed_over: int
    """Codings that their coder has replaced since the export."""


def _changed(coded: Coded, found: ReadProject) -> _Changed:
    given = _given_since(coded, found.as_of)
    taken, passed_over = {}, 0
    for (coder, interview, topic), codes in found.codes.items():
        # Codes of programs travel along in our own exports; they are stored here already.
        if not people([coder]):
            continue
        # Other programs know no topics: a code may be laid on an answer to which the codebook does not apply it.
        allowed = frozenset(code for code in codes if coded.book.applies(code, topic))
        before = given.get((coder, interview, topic), [])
        if not before or allowed not in before:
            taken[coder, interview, topic] = allowed
        elif allowed != before[-1]:
            passed_over += 1
    return _Changed(taken, passed_over)


def _of_one(found: ReadProject, coder: str, file: str) -> ReadProject:
    """Return the project with the codes of its one user as those of a coder.

    Raises:
        ProblemsFound: several people have codes in it.
    """
    users = sorted(set(people({each for each, _, _ in found.codes})))
    if len(users) > 1:
        what = f"holds codes of {', '.join(users)}, and --coder names one person"
        remedy = "leave --coder out, or code a project that was exported with --coder or --blank"
        raise ProblemsFound([Problem(file, "", what, remedy)])
    # Those of programs are stored here already.
    mine = {
        (coder, interview, topic): codes for (user, interview, topic), codes in found.codes.items() if user in users
    }
    return replace(found, codes=mine)


def _given_since(coded: Coded, as_of: datetime | None) -> dict[tuple[str, str, str], list[frozenset[str]]]:
    """Return what each coder gave, in order: what held at the export and all since; all, where that is not known."""
    found: dict[tuple[str, str, str], list[frozenset[str]]] = {}
    for rating in coded.ratings:
        key = interview_of(rating.object)
        if key is None or rating.rubric != coded.book.version:
            continue
        given = found.setdefault((rating.rater, *key), [])
        if as_of is not None and rating.rated_at <= as_of:
            given.clear()
        given.append(split(rating.value))
    return found


def _closed(unit: UnitOfWork, coded: Coded, taken: Iterable[tuple[str, str, str]], file: str) -> Iterator[Problem]:
    """Yield what is wrong with codes of answers that take none any more, or none of their coder."""
    taken, known = sorted(taken), coded.codes()
    seen = {coder: looked_at(unit, coder) for coder in {each[0] for each in taken}}
    for coder, interview, topic in taken:
        place = f"topic '{topic}' of interview {interview}, coder {coder}"
        if ADJUDICATED in known.get((interview, topic), {}):
            yield Problem(file, place, "is settled, and its codes in the file are not those stored", LEAVE_OUT)
        elif interview_object(interview, topic) in seen[coder]:
            what = f"{coder} has seen what others gave, so that other codes than before are not independent"
            yield Problem(file, place, what, f"settle it on the console's board, or {LEAVE_OUT}")


def _state(coded: Coded) -> datetime | None:
    """Return up to when codes are in an export; the last that holds, and not the clock, so that it is one file."""
    return coded.ratings[-1].rated_at if coded.ratings else None


def _codings(coded: Coded) -> list[QdaCoding]:
    newest: dict[tuple[str, str, str], QdaCoding] = {}
    to_code = {each.id for each in coded.to_code()}
    for rating in coded.ratings:
        key = interview_of(rating.object)
        if key is not None and rating.rubric == coded.book.version and key[0] in to_code:
            newest[(*key, rating.rater)] = QdaCoding(*key, rating.rater, split(rating.value), rating.rated_at)
    return list(newest.values())
