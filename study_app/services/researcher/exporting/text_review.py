"""Texts that a person reads, one after the other, and releases for a dataset that everybody may have, or does not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from study_app.dataset.disclosure.coarsening import DEFAULT_K
from study_app.dataset.disclosure.patterns import identifiers_in, redacted
from study_app.dataset.disclosure.public import Cell
from study_app.dataset.measures.interviews.rows import interview_rows, turn_rows
from study_app.dataset.measures.record import Content, ParticipantRecord, identity_and_flow, questions
from study_app.dataset.measures.turns.acting import action_rows
from study_app.dataset.schema import TableName, tables_of
from study_app.dataset.writing import rows
from study_app.domain.errors import NotAllowed
from study_app.domain.records import AuditEntry, Kind, TextReview
from study_app.domain.trial_state import hides_arms
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.exporting.collect_records import (
    VersionContents,
    included,
    participant_records,
    versions_of,
)
from study_app.services.researcher.exporting.public_rules import public_export
from study_app.services.researcher.exporting.trial_facts import mask_of


@dataclass(frozen=True)
class ReviewedText:
    """A text, and what a pattern finds in it."""

    cell: Cell
    identifiers: tuple[str, ...]
    released: bool | None
    """What was decided; None where nothing was."""
    suggested: Cell | None = None
    """The same text without what the patterns found; None where they found nothing."""

    @property
    def column(self) -> str:
        """Return where it stands."""
        return f"{self.cell.table}.{self.cell.column}"


def _without_identifiers(cell: Cell) -> Cell:
    return replace(cell, text=redacted(cell.text))


def _reviewed(cell: Cell, decided: Mapping[tuple[str, str, str, str], bool]) -> ReviewedText:
    found = tuple(identifiers_in(cell.text))
    softer = _without_identifiers(cell) if found else None
    taken = softer is not None and decided.get(softer.key) is True
    return ReviewedText(cell, found, True if taken else decided.get(cell.key), softer)


class TextReviews:
    """Hands out texts and takes decisions; which text is whose, and what an export leaves out, it asks the export."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def lines(self, kind: Kind) -> list[ReviewedText]:
        """Return every text of these participants that an export for everybody leaves out unless it is released.

        Raises:
            NotAllowed: the study is masked, and programs and chats could tell arms.
        """
        with self.context.registry.begin(write=False) as unit:
            self._refuse_while_masked(unit, kind)
            decided = {review.key: review.released for review in unit.text_reviews()}
            cells = list(self._cells(unit, kind))
        return [_reviewed(cell, decided) for cell in cells]

    def decide(self, who: str, kind: Kind, keys: Collection[tuple[str, str, str, str]], released: bool) -> int:
        """Record a decision on texts; returns on how many.

        Args:
            who: who read them.
            kind: of whose texts.
            keys: `Cell.key` of each.
            released: whether they may stay.

        Raises:
            NotAllowed: the study is masked, or a text is not there any more.
        """
        with self.context.registry.begin() as unit:
            self._refuse_while_masked(unit, kind)
            # A text as it is, or without what the patterns found; another wording is not a person's to release.
            known = {each.key: each for cell in self._cells(unit, kind) for each in (cell, _without_identifiers(cell))}
            if any(key not in known for key in keys):
                raise NotAllowed("a text has changed or is gone; read the board again")
            now = self.context.now()
            for cell in (known[key] for key in keys):
                place = (cell.participant_id, cell.table, cell.column, cell.record, cell.digest)
                unit.add_text_review(TextReview(*place, released, who, now))
            unit.add_audit(AuditEntry(now, who, "review texts", "", {"released": released, "texts": len(keys)}))
        return len(keys)

    def _refuse_while_masked(self, unit: UnitOfWork, kind: Kind) -> None:
        if hides_arms(self.context.state(unit), kind):
            raise NotAllowed("texts can be read for release once the study is unsealed: they could tell arms before")

    def _cells(self, unit: UnitOfWork, kind: Kind) -> Iterator[Cell]:
        people = included(unit, (kind,))
        versions = versions_of(self.context, unit, people)
        contents = VersionContents(self.context)
        mask = mask_of(unit, self.context.state(unit), versions.in_order)
        acts = contents.acts(versions)
        tables = tables_of(versions.in_order, contents.quiz_types(versions), acts=acts, topics=contents.topics())
        rules = public_export(unit, people, versions, mask, contents, tables, DEFAULT_K).rules
        rules.found.cells = {}
        rules.tables(tables)
        for record in participant_records(self.context, unit, people, versions):
            content = contents.of(record.participant.study_hash)
            # The rows are not wanted: making them notes each cell that the rules would leave out.
            for _row in rules.rows(record, _texts_of(record, content, acts=acts)):
                pass
        names = {person.id for person in people}
        for rating in unit.ratings():
            if rating.object.partition(":")[2].split(":")[0] in names:
                rules.rating(vars(rating))
        yield from rules.found.cells


def _texts_of(
    record: ParticipantRecord, content: Content, *, acts: bool
) -> Iterator[tuple[TableName, Mapping[str, Any]]]:
    """Yield the rows of a participant in which texts stand, without what is derived."""
    asked = {} if record.participant.data_withdrawn else questions(record)
    yield "participants", identity_and_flow(record) | asked
    yield from (("answers", row) for row in rows.answers(record, content))
    yield from (("runs", row) for row in rows.runs(record, {}))
    yield from (("turns", row) for row in rows.turns(record, {}, {}))
    if acts:
        yield from (("agent_actions", row) for row in action_rows(record))
    yield from (("interviews", row) for row in interview_rows(record, ()))
    yield from (("interview_turns", row) for row in turn_rows(record))
