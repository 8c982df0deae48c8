"""What nearly every request asks for: the participant, their position, and their text; within one transaction."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from study_app.dataset.integrity import chain
from study_app.dataset.integrity.stored_rows import participant_facts
from study_app.domain.errors import NotAllowed, present
from study_app.domain.quiz.answer_log import Draft
from study_app.domain.records import Document, Participant, Visit
from study_app.storage.columns import stored_json
from study_app.storage.driver import RowOf, bound
from study_app.storage.event_log import SqlEventLog
from study_app.storage.sealed.columns import SEALED
from study_app.storage.tables import DocumentRow, ParticipantRow, TokenRow, VisitRow

PARTICIPANTS = ParticipantRow.__table__  # type: ignore[attr-defined]
TOKENS = TokenRow.__table__  # type: ignore[attr-defined]
VISITS = VisitRow.__table__  # type: ignore[attr-defined]
DOCUMENTS = DocumentRow.__table__  # type: ignore[attr-defined]

_SEALED = {field.name for field in fields(Participant)} & set(SEALED["participants"].columns)
_PARTICIPANT, _VISIT = RowOf(Participant, PARTICIPANTS), RowOf(Visit, VISITS)
_DOCUMENT = RowOf(Document, DOCUMENTS)
_BY_ID = f"SELECT {_PARTICIPANT.columns} FROM participants WHERE id = ?"
_BY_TOKEN = (
    f"SELECT {_PARTICIPANT.columns} FROM tokens JOIN participants ON participants.id = tokens.participant_id "
    "WHERE tokens.token_hash = ? AND tokens.expires_at > ?"
)
_STAY = f"SELECT {_VISIT.columns} FROM visits WHERE participant_id = ? AND stage = ?"
_TEXT = f"SELECT {_DOCUMENT.columns} FROM documents WHERE participant_id = ? AND task = ?"
_TEXT_PAGE = "SELECT page FROM documents WHERE participant_id = ? AND task = ?"
_DRAFT = "SELECT page, text FROM documents WHERE participant_id = ? AND task = ?"
_SAVE_TEXT = (
    "INSERT INTO documents (participant_id, task, page, text, source) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (participant_id, task) DO UPDATE SET page = excluded.page, text = excluded.text, "
    "source = excluded.source"
)


class SqlPositions(SqlEventLog):
    """The part of ports.UnitOfWork that the hot paths use."""

    def participant(self, participant_id: str) -> Participant | None:
        """See ports.UnitOfWork."""
        return _PARTICIPANT.read(self.driver.one(_BY_ID, (participant_id,)))

    def known_participant(self, participant_id: str) -> Participant:
        """See ports.UnitOfWork."""
        found = self.participant(participant_id)
        if found is None:
            raise NotAllowed("this participant is not known")
        return found

    def hold(self, participant: Participant) -> Participant:
        """See ports.UnitOfWork."""
        if self.driver.one_writer:
            self.words.held(participant.id, erased=participant.data_withdrawn)
            return participant
        # As strong as the update that follows, and no stronger: rows that refer to the participant may still be added.
        held = self.driver.one(f"{_BY_ID} FOR NO KEY UPDATE", (participant.id,))
        now = present(_PARTICIPANT.read(held), "the participant")
        self.words.held(now.id, erased=now.data_withdrawn)
        return now

    def participant_of_token(self, token_hash: str, at: datetime) -> Participant | None:
        """See ports.UnitOfWork."""
        return _PARTICIPANT.read(self.driver.one(_BY_TOKEN, (token_hash, bound(TOKENS, "expires_at", at))))

    def touch(self, participant_id: str, **changes: Any) -> None:
        """See ports.UnitOfWork."""
        columns = ", ".join(f"{PARTICIPANTS.c[name].name} = ?" for name in changes)
        values = [bound(PARTICIPANTS, name, value) for name, value in changes.items()]
        self.driver.run(f"UPDATE participants SET {columns} WHERE id = ?", (*values, participant_id))
        if "data_withdrawn" in changes:
            self.words.forget()
        # The last sign of life changes with every request and is not sealed: without this test each would add a link to
        # the chain.
        if _SEALED & changes.keys():
            self.chain_participant(participant_id)

    def chain_participant(self, participant_id: str) -> None:
        """Append the participant, as they are now stored, to the chain, where it has changed."""
        facts = participant_facts(self.known_participant(participant_id))
        self.chain.seal("participants", (participant_id,), chain.facts_content(facts), owner=participant_id)

    def visit(self, participant_id: str, stage: str) -> Visit | None:
        """See ports.UnitOfWork."""
        return _VISIT.read(self.driver.one(_STAY, (participant_id, stage)))

    def document(self, participant_id: str, task: str, of_page: str | None = None) -> Document | None:
        """See ports.UnitOfWork."""
        if of_page is not None:
            return _DOCUMENT.read(self.driver.one(f"{_TEXT} AND page = ?", (participant_id, task, of_page)))
        return _DOCUMENT.read(self.driver.one(_TEXT, (participant_id, task)))

    def document_page(self, participant_id: str, task: str) -> str | None:
        """See ports.UnitOfWork."""
        row = self.driver.one(_TEXT_PAGE, (participant_id, task))
        return None if row is None else str(row[0])

    def save_document(self, document: Document, page: str) -> None:
        """See ports.UnitOfWork."""
        if not self.words.may_keep(document.participant_id):
            # A page that writes on learns so by its next request; what it has sent so far is taken all the same.
            return
        text = bound(DOCUMENTS, "text", document.text)
        self.driver.run(_SAVE_TEXT, (document.participant_id, document.task, page, text, document.source))

    def draft(self, participant_id: str, stage: str, step: int) -> Draft | None:
        """See ports.UnitOfWork."""
        row = self.driver.one(_DRAFT, (participant_id, _form(stage, step)))
        return None if row is None else Draft(str(row[0]), stored_json(row[1]))

    def save_draft(self, participant_id: str, stage: str, step: int, draft: Draft) -> None:
        """See ports.UnitOfWork."""
        text = json.dumps(dict(draft.values))
        self.save_document(Document(participant_id, _form(stage, step), text, "saved"), draft.page)


def _form(stage: str, step: int) -> str:
    # Kept in the table of the tasks' texts, whose ids are names of folders and have no colon.
    return f"answers:{stage}:{step}"
