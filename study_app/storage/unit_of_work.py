"""Study, participants, visits, runs, turns, answers, ledgers, links and the audit log, within one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import bindparam, delete, literal, or_, select, update
from sqlmodel import SQLModel

from study_app.dataset.integrity import chain
from study_app.dataset.integrity.differences import Difference
from study_app.dataset.integrity.stored_rows import answer_row, run_row, turn_row, visit_row
from study_app.dataset.schema import TableName, compact_json
from study_app.domain.errors import present
from study_app.domain.events import ERASED
from study_app.domain.records import (
    Answer,
    AuditEntry,
    EndedBy,
    Kind,
    Link,
    Participant,
    ProtocolVersion,
    Rating,
    RunRecord,
    TextReview,
    Turn,
    Visit,
)
from study_app.domain.study.study import canonical_json
from study_app.storage import tables
from study_app.storage.boards import SqlBoards
from study_app.storage.chained import in_order, kept
from study_app.storage.columns import stored_json
from study_app.storage.engine import ERASES, MUST_LAST
from study_app.storage.event_log import EVENTS, insert_new
from study_app.storage.positions import DOCUMENTS, PARTICIPANTS, TOKENS, VISITS
from study_app.storage.sealed.columns import SEALED, is_sealed_fact
from study_app.storage.sealed.differing import Comparison
from study_app.storage.sealed.heads import SqlHeads
from study_app.storage.serving.in_progress import SqlInProgress

Row = TypeVar("Row")


def _table(row: type[SQLModel]) -> Any:
    return row.__table__  # type: ignore[attr-defined]


META, LOCKS, VERSIONS = _table(tables.MetaRow), _table(tables.LockRow), _table(tables.VersionRow)
RUNS, TURNS = _table(tables.RunRow), _table(tables.TurnRow)
ANSWERS, ALLOCATIONS, LINKS = _table(tables.AnswerRow), _table(tables.AllocationRow), _table(tables.LinkRow)
LATER_ALLOCATIONS = _table(tables.LaterAllocationRow)
ENTRIES = _table(tables.ChainEntryRow)
AUDIT, RATINGS = _table(tables.AuditRow), _table(tables.RatingRow)
REVIEWS = _table(tables.TextReviewRow)


class SqlUnitOfWork(SqlBoards, SqlInProgress, SqlHeads):
    """ports.UnitOfWork over one connection in a transaction."""

    def _rows(self, kind: type[Row], query: Any) -> list[Row]:
        found = self.connection.execute(query)
        keys = tuple(found.keys())
        # By place and not by name: a board reads tens of thousands of rows.
        places = [keys.index(field.name) for field in fields(kind)]  # type: ignore[arg-type]
        return [kind(*[row[place] for place in places]) for row in found]

    def _one(self, kind: type[Row], query: Any) -> Row | None:
        return next(iter(self._rows(kind, query)), None)

    def _insert(self, table: Any, row: Any) -> None:
        self.connection.execute(table.insert(), asdict(row))

    def _insert_numbered(self, table: Any, row: Any) -> None:
        """Insert a row whose number names it, and append it to the chain."""
        number = self.connection.execute(table.insert(), asdict(row)).inserted_primary_key
        self.chain.seal(table.name, tuple(present(number, "the number of a new row")))

    def _must_last(self) -> None:
        """Let no power cut undo this transaction: a step on the way, an allocation, a submission, a locked version."""
        self.connection.info[MUST_LAST] = True

    def chain_everything(self) -> None:
        """Append the present state of every record but events."""
        for participant in self.participants():
            self.chain_participant(participant.id)
        for visit in self.visits():
            self._chain("visits", visit_row(visit))
        for run in self.runs():
            self._chain_run(run)
        for turn in self.turns():
            self._chain_turn(turn)
        for answer in self.answers():
            self._chain("answers", answer_row(answer))
        for rating in self.ratings():
            self._chain_rating(rating)
        for name in set(SEALED) - set(chain.KEYS):
            self._seal_all(name)

    def _seal_all(self, name: str) -> None:
        """Append every row of a table that no dataset has."""
        table = SEALED[name].table
        for key in self.connection.execute(select(*(table.c[column] for column in SEALED[name].key))).all():
            if name != "meta" or is_sealed_fact(key[0]):
                self.chain.seal(name, tuple(key))

    def _chain(self, table: TableName, row: dict[str, Any], *, final: bool = False, owner: str = "") -> None:
        """Append the state of a record, as it is now stored, to the chain."""
        stored = {name: kept(value) for name, value in row.items()}
        content = chain.content_of(table, stored)
        key = chain.key_of(table, stored)
        self.chain.seal(table, key, content, final=final, owner=owner or str(row["participant_id"]))

    def _insert_new(self, table: Any, values: Mapping[str, Any]) -> bool:
        # Not by rowcount: on Postgres the driver does not know it for an INSERT that fills a serial column.
        query = insert_new(self.connection, table).returning(literal(1))
        return self.connection.execute(query, values).first() is not None

    # -- the study -----------------------------------------------------------------------------------------------------

    def lock(self, name: str) -> None:
        """See ports.UnitOfWork."""
        # A row to lock must be there first; FOR UPDATE then makes the next taker wait for this commit (SQLite's one
        # writer waits anyway).
        self._insert_new(LOCKS, {"name": name})
        self.connection.execute(select(LOCKS.c.name).where(LOCKS.c.name == name).with_for_update())

    def meta(self, key: str) -> str | None:
        """See ports.UnitOfWork."""
        return self.connection.execute(select(META.c.value).where(META.c.key == key)).scalar_one_or_none()

    def set_meta(self, key: str, value: str) -> None:
        """See ports.UnitOfWork."""
        if not self._insert_new(META, {"key": key, "value": value}):
            self.connection.execute(update(META).where(META.c.key == key).values(value=value))
        if is_sealed_fact(key):
            self.chain.seal("meta", (key,))

    def meta_value(self, key: str) -> Any:
        """See ports.UnitOfWork."""
        # An empty text is how a fact that holds no longer was kept before facts could be values.
        text = self.meta(key)
        return stored_json(text) if text else None

    def set_meta_value(self, key: str, value: Any) -> None:
        """See ports.UnitOfWork."""
        self.set_meta(key, json.dumps(value, ensure_ascii=False))

    def versions(self) -> list[ProtocolVersion]:
        """See ports.UnitOfWork."""
        return self._rows(ProtocolVersion, select(VERSIONS).order_by(VERSIONS.c.number))

    def newest_version(self) -> str | None:
        """See ports.UnitOfWork."""
        query = select(VERSIONS.c.study_hash).order_by(VERSIONS.c.number.desc()).limit(1)
        return self.connection.execute(query).scalar_one_or_none()

    def add_version(self, version: ProtocolVersion) -> None:
        """See ports.UnitOfWork."""
        self._must_last()
        self._insert_numbered(VERSIONS, version)

    # -- participants --------------------------------------------------------------------------------------------------

    def add_participant(self, participant: Participant) -> bool:
        """See ports.UnitOfWork."""
        added = self._insert_new(PARTICIPANTS, asdict(participant))
        if added:
            self.chain_participant(participant.id)
        return added

    def participants(self) -> list[Participant]:
        """See ports.UnitOfWork."""
        return self._rows(Participant, select(PARTICIPANTS).order_by(PARTICIPANTS.c.number))

    def find(self, **keys: str) -> Participant | None:
        """See ports.UnitOfWork."""
        where = [PARTICIPANTS.c[key] == value for key, value in keys.items()]
        return self._one(Participant, select(PARTICIPANTS).where(*where))

    def move(self, participant: Participant, **changes: Any) -> bool:
        """See ports.UnitOfWork."""
        # Compare and swap: of two tabs that go on from one position the second changes no row.
        guard = [PARTICIPANTS.c[name] == getattr(participant, name) for name in ("id", "stage", "step", "status")]
        moved = self.connection.execute(update(PARTICIPANTS).where(*guard).values(**changes)).rowcount == 1
        self._must_last()
        if moved:
            self.chain_participant(participant.id)
        return moved

    def add_token(self, participant_id: str, token_hash: str, expires_at: datetime) -> None:
        """See ports.UnitOfWork."""
        row = {"participant_id": participant_id, "token_hash": token_hash, "expires_at": expires_at}
        self.connection.execute(TOKENS.insert(), row)

    # -- visits --------------------------------------------------------------------------------------------------------

    def open_visit(self, visit: Visit) -> bool:
        """See ports.UnitOfWork."""
        opened = self._insert_new(VISITS, asdict(visit))
        if opened:
            self._chain_visit(visit.participant_id, visit.stage)
        return opened

    def _chain_visit(self, participant_id: str, stage: str) -> None:
        visit = present(self.visit(participant_id, stage), "the visit")
        self._chain("visits", visit_row(visit))

    def visits(self, participant_id: str | None = None) -> list[Visit]:
        """See ports.UnitOfWork."""
        return self._rows(Visit, _of(VISITS, participant_id))

    def end_visit(self, participant_id: str, stage: str, at: datetime, ended_by: EndedBy) -> bool:
        """See ports.UnitOfWork."""
        where = (VISITS.c.participant_id == participant_id, VISITS.c.stage == stage, VISITS.c.ended_at.is_(None))
        query = update(VISITS).where(*where).values(ended_at=at, ended_by=ended_by)
        ended = self.connection.execute(query).rowcount == 1
        if ended:
            self._chain_visit(participant_id, stage)
        return ended

    def extend_visit(self, participant_id: str, stage: str, by: timedelta) -> bool:
        """See ports.UnitOfWork."""
        visit = self.visit(participant_id, stage)
        if visit is None or visit.deadline_at is None:
            return False
        where = (VISITS.c.participant_id == participant_id, VISITS.c.stage == stage, VISITS.c.ended_at.is_(None))
        # The sum is made here and not in SQL, so that two extensions at once must not both start from the same
        # deadline.
        unchanged = VISITS.c.deadline_at == visit.deadline_at
        query = update(VISITS).where(*where, unchanged).values(deadline_at=visit.deadline_at + by)
        extended = self.connection.execute(query).rowcount == 1
        if extended:
            self._chain_visit(participant_id, stage)
        return extended

    def set_deadline(self, participant_id: str, stage: str, deadline_at: datetime | None) -> bool:
        """See ports.UnitOfWork."""
        where = (VISITS.c.participant_id == participant_id, VISITS.c.stage == stage, VISITS.c.ended_at.is_(None))
        changed = self.connection.execute(update(VISITS).where(*where).values(deadline_at=deadline_at)).rowcount == 1
        if changed:
            self._chain_visit(participant_id, stage)
        return changed

    def reopen_visit(self, participant_id: str, stage: str, deadline_at: datetime) -> bool:
        """See ports.UnitOfWork."""
        where = (VISITS.c.participant_id == participant_id, VISITS.c.stage == stage, VISITS.c.ended_by == "deadline")
        query = update(VISITS).where(*where).values(ended_at=None, ended_by=None, deadline_at=deadline_at)
        reopened = self.connection.execute(query).rowcount == 1
        if reopened:
            self._chain_visit(participant_id, stage)
        return reopened

    def overdue(self, at: datetime, *, simulated: bool = False) -> list[Visit]:
        """See ports.UnitOfWork."""
        people = select(PARTICIPANTS.c.id).where(PARTICIPANTS.c.kind == "simulated")
        whose = VISITS.c.participant_id.in_(people) if simulated else VISITS.c.participant_id.not_in(people)
        return self._rows(Visit, select(VISITS).where(VISITS.c.ended_at.is_(None), VISITS.c.deadline_at <= at, whose))

    def simulated(self) -> set[str]:
        """See ports.UnitOfWork."""
        query = select(PARTICIPANTS.c.id).where(PARTICIPANTS.c.kind == "simulated")
        return {row.id for row in self.connection.execute(query)}

    # -- work ----------------------------------------------------------------------------------------------------------

    def add_run(self, run: RunRecord) -> None:
        """See ports.UnitOfWork."""
        if run.kind == "submission":
            self._must_last()
        self._insert(RUNS, run)
        self._chain_run(run)

    def update_run(self, run: RunRecord) -> bool:
        """See ports.UnitOfWork."""
        query = update(RUNS).where(RUNS.c.id == run.id).values(**asdict(run))
        there = self.connection.execute(query).rowcount == 1
        # What was erased meanwhile leaves nothing, also no digest with a salt by which it could be guessed.
        if there:
            self._chain_run(run)
        return there

    def _chain_run(self, run: RunRecord) -> None:
        self._chain("runs", run_row(run), final=run.ended_by is not None)

    def runs(self, participant_id: str | None = None) -> list[RunRecord]:
        """See ports.UnitOfWork."""
        return self._rows(RunRecord, _of(RUNS, participant_id))

    def ungraded(self) -> list[RunRecord]:
        """See ports.UnitOfWork."""
        waiting = (RUNS.c.kind == "submission", RUNS.c.ended_by.is_(None), RUNS.c.grading.is_(None))
        return self._rows(RunRecord, select(RUNS).where(*waiting).order_by(RUNS.c.number))

    def remarkable(self) -> list[RunRecord]:
        """See ports.UnitOfWork."""
        noted = or_(RUNS.c.grading.is_not(None), RUNS.c.review != "")
        query = select(RUNS).where(RUNS.c.kind == "submission", noted).order_by(RUNS.c.number)
        return self._rows(RunRecord, query)

    def add_turn(self, turn: Turn) -> None:
        """See ports.UnitOfWork."""
        self._insert(TURNS, turn)
        self._chain_turn(turn)

    def update_turn(self, turn: Turn) -> bool:
        """See ports.UnitOfWork."""
        query = update(TURNS).where(TURNS.c.id == turn.id).values(**asdict(turn))
        there = self.connection.execute(query).rowcount == 1
        # What was erased meanwhile leaves nothing, also no digest with a salt by which it could be guessed.
        if there:
            self._chain_turn(turn)
        return there

    def _chain_turn(self, turn: Turn) -> None:
        self._chain("turns", turn_row(turn), final=turn.complete)

    def turns(self, participant_id: str | None = None) -> list[Turn]:
        """See ports.UnitOfWork."""
        return self._rows(Turn, _of(TURNS, participant_id))

    def turns_apart(self, kind: Kind, treatments: Collection[str]) -> list[Turn]:
        """See ports.UnitOfWork."""
        people = select(PARTICIPANTS.c.id).where(PARTICIPANTS.c.kind == kind)
        unreported = or_(TURNS.c.input_tokens.is_(None), TURNS.c.output_tokens.is_(None))
        apart = or_(unreported, TURNS.c.treatment.in_(treatments))
        return self._rows(Turn, _of(TURNS, None).where(TURNS.c.participant_id.in_(people), apart))

    def save_answer(self, answer: Answer) -> None:
        """See ports.UnitOfWork."""
        if self._insert_new(ANSWERS, asdict(answer)):
            self._chain("answers", answer_row(answer))
            return
        keys = ("participant_id", "stage", "item")
        where = [ANSWERS.c[name] == getattr(answer, name) for name in keys]
        before = self.connection.execute(select(ANSWERS.c.response, ANSWERS.c.changes).where(*where)).one()
        # Compared as JSON text, for to Python 1, 1.0 and True are equal and a changed answer would not count.
        changes = max(answer.changes, before.changes + (json.dumps(before.response) != json.dumps(answer.response)))
        counted = replace(answer, changes=changes)
        self.connection.execute(update(ANSWERS).where(*where).values(**asdict(counted)))
        self._chain("answers", answer_row(counted))

    def drop_answer(self, participant_id: str, stage: str, item: str) -> None:
        """See ports.UnitOfWork."""
        where = (ANSWERS.c.participant_id == participant_id, ANSWERS.c.stage == stage, ANSWERS.c.item == item)
        if self.connection.execute(delete(ANSWERS).where(*where)).rowcount:
            self.chain.gone("answers", (participant_id, stage, item), participant_id)

    def answers(self, participant_id: str | None = None) -> list[Answer]:
        """See ports.UnitOfWork."""
        return self._rows(Answer, _of(ANSWERS, participant_id))

    def unscored(self, by: str | None = None) -> list[Answer]:
        """See ports.UnitOfWork."""
        query = _of(ANSWERS, None).where(ANSWERS.c.bank != "", ANSWERS.c.points.is_(None))
        return self._rows(Answer, query if by is None else query.where(ANSWERS.c.scored_by == by))

    def set_points(self, answer: Answer) -> bool:
        """See ports.UnitOfWork."""
        same = ("participant_id", "stage", "item", "response")
        # Bound as JSON: a bare None or True would be compared as SQL's NULL or boolean and never be found.
        where = [ANSWERS.c[name] == literal(getattr(answer, name), ANSWERS.c[name].type) for name in same]
        scoring = ("points", "max_points", "scored_by", "key_version", "scoring_reason", "repeats")
        points = {name: getattr(answer, name) for name in scoring}
        scored = self.connection.execute(update(ANSWERS).where(*where).values(points)).rowcount == 1
        if scored:
            stored = present(self._one(Answer, select(ANSWERS).where(*where)), "the answer")
            self._chain("answers", answer_row(stored))
        return scored

    def erase_payloads(self, participant_id: str) -> None:
        """See ports.UnitOfWork."""
        self.connection.info[ERASES] = True
        self.connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.participant_id == participant_id))
        self._close_entries(participant_id)
        for table in (RUNS, TURNS, ANSWERS, REVIEWS):
            key = [table.c[column] for column in SEALED[table.name].key]
            there = self.connection.execute(select(*key).where(table.c.participant_id == participant_id)).all()
            self.connection.execute(delete(table).where(table.c.participant_id == participant_id))
            for row in there:
                self.chain.gone(table.name, tuple(row), participant_id)
        self._erase_events(EVENTS.c.participant_id == participant_id)

    def _close_entries(self, participant_id: str) -> None:
        """Forget the salts of a participant's records: their contents go, and the digest is what the chain needs.

        An entry that says that a record is gone keeps its salt, without which the chain would miss that record.
        """
        own = (ENTRIES.c.participant_id == participant_id, ENTRIES.c.table != "visits", ENTRIES.c.opening != b"")
        columns = [ENTRIES.c[name] for name in ("number", "table", "key", "final", "opening", "digest")]
        entries = [
            (row.number, chain.Chained(0, 0, row.table, row.key, "", row.final, bytes(row.opening), bytes(row.digest)))
            for row in self.connection.execute(select(*columns).where(*own))
        ]
        closed = [{"entry": number} for number, entry in entries if not entry.is_gone]
        if closed:
            close = update(ENTRIES).where(ENTRIES.c.number == bindparam("entry")).values(opening=b"")
            self.connection.execute(close, closed)

    def erase_ratings(self, objects: Collection[str]) -> None:
        """See ports.UnitOfWork."""
        for name in objects:
            of_it = or_(RATINGS.c.object == name, RATINGS.c.object.startswith(f"{name}#", autoescape=True))
            there = self.connection.execute(select(RATINGS.c.rating_id, RATINGS.c.object).where(of_it)).all()
            self.connection.info[ERASES] = True
            self.connection.execute(delete(RATINGS).where(of_it))
            for row in there:
                self.chain.gone("ratings", (row.rating_id,), row.object)

    def erase_events(self, event_ids: Collection[int]) -> None:
        """See ports.UnitOfWork."""
        if event_ids:
            self.connection.info[ERASES] = True
            which = EVENTS.c.event_id.in_(sorted(event_ids))
            whose = select(EVENTS.c.event_id, EVENTS.c.participant_id).where(which).order_by(EVENTS.c.event_id)
            for row in self.connection.execute(whose).all():
                self.chain.gone(chain.ERASED_EVENTS, (row.event_id,), row.participant_id)
            self._erase_events(which)

    def _erase_events(self, which: Any) -> None:
        """Keep the bodies of what is being erased in place of their salts, so that the chain still holds."""
        query = select(EVENTS.c.event_id, EVENTS.c.opening, EVENTS.c.payload)
        query = query.where(which, EVENTS.c.opening.is_not(None))
        bodies = [
            {"row": row.event_id, "body": chain.body_of(row.opening, compact_json(row.payload).encode())}
            for row in self.connection.execute(query)
        ]
        if bodies:
            erased = update(EVENTS).where(EVENTS.c.event_id == bindparam("row")).values(opening=bindparam("body"))
            self.connection.execute(erased, bodies)
        # After the bodies, which are computed from what is overwritten here.
        self.connection.execute(update(EVENTS).where(which).values(payload=ERASED))

    # -- ledgers, links, audit -----------------------------------------------------------------------------------------

    def append_allocation(self, row: Mapping[str, Any]) -> None:
        """See ports.UnitOfWork."""
        self._must_last()
        keys = {name: row[name] for name in ("participant_id", "ledger", "allocation_index")}
        table, named = _ledger_of(row.get("decision", 1))
        self.connection.execute(table.insert(), keys | named | {"row": dict(row)})
        self.chain.seal(table.name, (*named.values(), row["ledger"], row["allocation_index"]))

    def allocations(self, ledger: Kind | None = None, decision: int = 1) -> list[dict[str, Any]]:
        """See ports.UnitOfWork."""
        table, named = _ledger_of(decision)
        query = select(table.c.row).order_by(table.c.ledger, table.c.allocation_index)
        query = query.where(*(table.c[name] == value for name, value in named.items()))
        if ledger is not None:
            query = query.where(table.c.ledger == ledger)
        return [dict(row.row) for row in self.connection.execute(query)]

    def erase_allocation(self, allocation_index: int, ledger: Kind, row: Mapping[str, Any]) -> None:
        """See ports.UnitOfWork."""
        table, named = _ledger_of(row.get("decision", 1))
        where = [table.c.allocation_index == allocation_index, table.c.ledger == ledger]
        where += [table.c[name] == value for name, value in named.items()]
        self.connection.info[ERASES] = True
        # The column is unique and the place in the ledger must stay: later rows are chained to it, and counts rest on
        # it.
        values = {"row": dict(row), "participant_id": f"erased-{ledger}-{allocation_index}"}
        self.connection.execute(update(table).where(*where).values(**values))
        self.chain.seal(table.name, (*named.values(), ledger, allocation_index))

    def forget_label_of_link(self, participant_id: str) -> None:
        """See ports.UnitOfWork."""
        of_person = LINKS.c.participant_id == participant_id
        self.connection.execute(update(LINKS).where(of_person).values(label=None))
        for token in self.connection.execute(select(LINKS.c.token_hash).where(of_person)).scalars().all():
            self.chain.seal("links", (token,))

    def add_link(self, link: Link) -> None:
        """See ports.UnitOfWork."""
        self._insert(LINKS, link)
        self.chain.seal("links", (link.token_hash,))

    def link(self, token_hash: str) -> Link | None:
        """See ports.UnitOfWork."""
        return self._one(Link, select(LINKS).where(LINKS.c.token_hash == token_hash))

    def links(self) -> list[Link]:
        """See ports.UnitOfWork."""
        return self._rows(Link, select(LINKS).order_by(LINKS.c.number))

    def take_link(self, token_hash: str, participant_id: str) -> bool:
        """See ports.UnitOfWork."""
        where = (LINKS.c.token_hash == token_hash, LINKS.c.participant_id.is_(None))
        query = update(LINKS).where(*where).values(participant_id=participant_id)
        taken = self.connection.execute(query).rowcount == 1
        if taken:
            self.chain.seal("links", (token_hash,))
        return taken

    def add_audit(self, entry: AuditEntry) -> None:
        """See ports.UnitOfWork."""
        # Each entry holds the hash of the last: two writers must not both follow the same one.
        self.lock("audit")
        last = self.connection.execute(
            select(AUDIT.c.row_hash).order_by(AUDIT.c.number.desc()).limit(1)
        ).scalar_one_or_none()
        chained = replace(entry, previous_hash=last or "", row_hash="")
        body = asdict(chained) | {"at": entry.at.isoformat(timespec="milliseconds"), "detail": dict(entry.detail)}
        digest = hashlib.sha256(canonical_json(body).encode()).hexdigest()
        self._insert_numbered(AUDIT, replace(chained, detail=dict(entry.detail), row_hash=digest))

    def audit(self) -> list[AuditEntry]:
        """See ports.UnitOfWork."""
        return self._rows(AuditEntry, select(AUDIT).order_by(AUDIT.c.number))

    def add_rating(self, rating: Rating) -> None:
        """See ports.UnitOfWork."""
        # A rating that comes again, as by a second click, changes nothing: judgements are never overwritten.
        if self._insert_new(RATINGS, asdict(rating)):
            self._chain_rating(rating)

    def _chain_rating(self, rating: Rating) -> None:
        self._chain("ratings", asdict(rating), final=True, owner=rating.object)

    def after_commit(self, act: Callable[[], object]) -> None:
        """See ports.UnitOfWork."""
        self.afterwards.append(act)

    def differences(
        self, *, events: bool, through: Callable[[Iterator[chain.Chained]], Iterator[chain.Chained]] = iter
    ) -> list[Difference]:
        """See ports.UnitOfWork."""
        self.flush()
        compared = Comparison(self.connection, self.chained, through)
        return [*compared.differences(), *(compared.events() if events else ())]

    def chained(self, logged: Iterator[tuple[Any, ...]]) -> Iterator[chain.Chained]:
        """Return the entries of events (`EVENT_ENTRIES`) among those of all other records."""
        return in_order(map(_of_event, logged), self.chained_records())

    def chained_records(self) -> Iterator[chain.Chained]:
        """See ports.UnitOfWork."""
        r = ENTRIES.c
        columns = (r.chain, r.position, r.table, r.key, r.participant_id, r.final, r.opening, r.digest, r.number)
        query = select(*columns).order_by(r.number)
        return (chain.Chained(*row) for row in self.connection.execute(query, execution_options={"yield_per": 2000}))

    def ratings(self) -> list[Rating]:
        """See ports.UnitOfWork."""
        return self._rows(Rating, select(RATINGS).order_by(RATINGS.c.number))

    def add_text_review(self, review: TextReview) -> None:
        """See ports.UnitOfWork."""
        self._insert_numbered(REVIEWS, review)

    def text_reviews(self) -> list[TextReview]:
        """See ports.UnitOfWork."""
        rows = self._rows(TextReview, select(REVIEWS).order_by(REVIEWS.c.number))
        # In the order of storing, so that of several decisions on one text the last stays in the dictionary.
        return list({review.key: review for review in rows}.values())


def _of_event(row: tuple[Any, ...]) -> chain.Chained:
    number, position, event_id, owner, opening, digest = row
    return chain.Chained(
        number or 0, position or 0, "events", str(event_id), owner, True, opening or b"", digest or b""
    )


def _of(table: Any, participant_id: str | None) -> Any:
    query = select(table).order_by(table.c.participant_id, table.c.number)
    return query if participant_id is None else query.where(table.c.participant_id == participant_id)


def _ledger_of(decision: int) -> tuple[Any, dict[str, int]]:
    """Return the table of a decision's ledger, and what names the decision there."""
    return (ALLOCATIONS, {}) if decision == 1 else (LATER_ALLOCATIONS, {"decision": decision})
