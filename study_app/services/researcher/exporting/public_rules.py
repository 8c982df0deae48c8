"""What an export for everybody must know before its first row: who shares which answers, and what was released."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study_app.dataset.disclosure.coarsening import Recoding, recoding_of
from study_app.dataset.disclosure.patterns import identifiers_in
from study_app.dataset.disclosure.public import WITHHELD, Public
from study_app.dataset.disclosure.report import disclosure
from study_app.dataset.disclosure.scores import sums_of
from study_app.dataset.measures.record import ParticipantRecord, identity_and_flow, questions
from study_app.dataset.redaction import Mask
from study_app.dataset.schema import Column, TableName, TableSchema
from study_app.domain.content.content_paths import name_of
from study_app.domain.quiz.items import Item
from study_app.domain.records import Participant
from study_app.ports import UnitOfWork
from study_app.services.researcher.exporting.collect_records import VersionContents, Versions


@dataclass
class PublicExport:
    """An export for everybody: its rules and its report."""

    rules: Public
    k: int
    columns: tuple[Column, ...]
    """Of answers about people, before they are coarsened."""
    rows: Sequence[Mapping[str, Any]]
    """Their values, one row for each person with data."""
    _seen: set[str] = field(default_factory=set)
    """Reasons that were looked through."""

    def recoded(self) -> dict[str, Any]:
        """Return the columns whose values changed, for the manifest."""
        return {
            column.name: {"levels": list(recoding.described(column).levels), "method": recoding.method}
            for column in self.columns
            if (recoding := self.rules.recodings[column.name]).coarse
        }

    def reason(self, text: str) -> str:
        """Return a reason that a researcher gave for an act; withheld where a pattern finds an identifier in it."""
        kinds = identifiers_in(text)
        # One reason stands in several files, and what is found in it counts once.
        if text not in self._seen:
            self._seen.add(text)
            for kind in kinds:
                self.rules.found.identifiers["reasons of acts", kind, False] += 1
        return WITHHELD if kinds else text

    def report(self) -> str:
        """Return documentation/disclosure.md; after the last row."""
        recodings = self.rules.recodings
        rows = [{name: recodings[name].of(value) for name, value in row.items()} for row in self.rows]
        return disclosure(self.rules.found, recodings, self.columns, rows, self.k)


def public_export(
    unit: UnitOfWork,
    people: Sequence[Participant],
    versions: Versions,
    mask: Mask,
    contents: VersionContents,
    tables: Mapping[TableName, TableSchema],
    k: int,
) -> PublicExport:
    """Return the rules for these people.

    Args:
        unit: the database.
        people: who is exported.
        versions: of the study.
        mask: what the trial's state withholds anyway.
        contents: of each version.
        tables: schemas of the export.
        k: least number of people who share an answer.
    """
    # Before the first row is written: whether an answer is rare is known once everybody's was read.
    columns = tuple(column for column in tables["participants"].columns if column.about_person)
    rows = [_answers(unit, person, versions, mask, columns) for person in people if not person.data_withdrawn]
    recodings: dict[str, Recoding] = {c.name: recoding_of(c, (row.get(c.name) for row in rows), k) for c in columns}

    def item_of(study_hash: str, folder: str, name: str) -> Item | None:
        bank = contents.of(study_hash).bank(folder)
        return None if bank is None else next((item for item in bank.items if item.id == name), None)

    released = frozenset(review.key for review in unit.text_reviews() if review.released)
    entries = {person.id: person.enrolled_at for person in people}
    ids = frozenset(_ids(versions, contents))
    rules = Public(recodings, released, entries, item_of, ids, sums=sums_of(versions.in_order))
    return PublicExport(rules, k, columns, rows)


def _answers(
    unit: UnitOfWork, person: Participant, versions: Versions, mask: Mask, columns: Iterable[Column]
) -> dict[str, Any]:
    """Return a person's answers to what others may know, as far as the trial's state shows them."""
    record = ParticipantRecord(
        participant=person,
        status=person.status,
        study=versions.study(person.study_hash),
        visits=(),
        runs=(),
        turns=(),
        answers=unit.answers(person.id),
        events=(),
        ratings={},
    )
    shown = mask.participant(record, identity_and_flow(record) | questions(record))
    return {column.name: shown.get(column.name) for column in columns}


def _ids(versions: Versions, contents: VersionContents) -> Iterable[str]:
    """Ids that the study's authors gave."""
    for study, study_hash in zip(versions.in_order, versions.hashes, strict=True):
        yield from (session.id for session in study.sessions)
        for stage in study.stages:
            yield stage.id
            yield from (question.id for question in stage.asked)
            yield from (name_of(folder) for folder in stage.packs)
            bank = contents.of(study_hash).bank(stage.bank) if stage.bank else None
            yield from (item.id for item in bank.items) if bank is not None else ()
