"""Interviews and codes to and from other programs for qualitative analysis."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from study_app.dataset.border.projects import refuse_large
from study_app.dataset.reading.refi_qda import read_project
from study_app.dataset.writing.refi_qda import QdaCoding, write_project
from study_app.domain.errors import NotAllowed, Problem, ProblemsFound
from study_app.domain.interaction.codes import people
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.themes.codebook import split
from study_app.domain.themes.marks import interview_of
from study_app.services.context import StudyContext
from study_app.services.researcher.themes.reading import Coded, rating_of


class CodeExchange:
    """Writes a REFI-QDA project of what is for coding, and takes people's codes from one."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def packed(self, who: str, kind: Kind, *, blank: bool = False) -> tuple[bytes, dict[str, Any]]:
        """Return the project as a file's content, and what is in it.

        Args:
            who: who asks for it.
            kind: whose interviews.
            blank: only the interviews drawn for people, without anybody's codes, so that they can be coded blind.

        Raises:
            NotAllowed: no codebook is frozen, or the sample that was asked for is not drawn yet.
        """
        with self.context.registry.begin() as unit:
            coded = Coded(self.context, unit, kind)
            drawn = {each for each, draw in coded.draws().items() if draw.drawn}
            if blank and not drawn:
                raise NotAllowed("no sample is drawn for people yet; run: study code interviews gold")
            codings = [] if blank else _codings(coded)
            transcripts = [each.transcript for each in coded.to_code() if not blank or each.id in drawn]
            content = write_project(self.context.study.id, coded.book, transcripts, codings)
            detail = {"interviews": len(transcripts), "codings": len(codings), "kind": kind}
            unit.add_audit(AuditEntry(self.context.now(), who, "export interviews", "", detail))
        return content, {"interviews": len(transcripts), "codings": len(codings)}

    def read(self, who: str, kind: Kind, file: Path, *, complete: bool = False) -> dict[str, Any]:
        """Take people's codes from a project; codes that are the same as before are not stored again.

        Args:
            who: who imports them.
            kind: whose interviews.
            file: the project.
            complete: each user of the project has read every interview in it; those without a selection have no code.

        Raises:
            NotAllowed: no codebook is frozen.
            ProblemsFound: the file cannot be read or does not fit, or a coder has the name of a program.
        """
        if not file.is_file():
            raise ProblemsFound([Problem(str(file), "", "there is no such file", "give a .qdpx file")])
        refuse_large(file.stat().st_size, str(file))
        with self.context.registry.begin() as unit:
            unit.lock("themes")
            coded = Coded(self.context, unit, kind)
            transcripts = [each.transcript for each in coded.to_code()]
            found = read_project(file.read_bytes(), coded.book, transcripts, str(file), complete=complete)
            # Codes of programs travel along in our own exports; they are stored here already.
            theirs = {key: codes for key, codes in found.items() if people([key[0]])}
            known = coded.codes()
            counts: Counter[str] = Counter()
            for (coder, interview, topic), codes in sorted(theirs.items()):
                # Other programs know no topics: a code may be laid on an answer to which the codebook does not apply
                # it.
                allowed = {code for code in codes if coded.book.applies(code, topic)}
                if known.get((interview, topic), {}).get(coder) != frozenset(allowed):
                    value = coded.book.join(allowed)
                    unit.add_rating(rating_of(self.context, (interview, topic), coder, value, coded.book.version))
                    counts[coder] += 1
            detail = {"codings": dict(counts), "kind": kind}
            unit.add_audit(AuditEntry(self.context.now(), who, "import codes", "", detail))
        return {"file": str(file), "codings": sum(counts.values()), "coders": sorted(counts)}


def _codings(coded: Coded) -> list[QdaCoding]:
    newest: dict[tuple[str, str, str], QdaCoding] = {}
    to_code = {each.id for each in coded.to_code()}
    for rating in coded.ratings:
        key = interview_of(rating.object)
        if key is not None and rating.rubric == coded.book.version and key[0] in to_code:
            newest[(*key, rating.rater)] = QdaCoding(*key, rating.rater, split(rating.value), rating.rated_at)
    return list(newest.values())
