"""Study, participants, visits, runs, turns, answers, ledgers, links and the audit log, within one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, literal, or_, select, update

from study_app.dataset.integrity import chain
from study_app.dataset.integrity.differences import Difference
from study_app.dataset.integrity.stored_rows import answer_row, run_row, turn_row, visit_row
from study_app.domain.errors import present
from study_app.domain.records import (
    Answer,
    EndedBy,
    Kind,
    Participant,
    ProtocolVersion,
    RunRecord,
    Turn,
    Visit,
)
from study_app.storage.aggregates.erasing import SqlErasing
from study_app.storage.aggregates.ledgers import SqlLedgers
from study_app.storage.aggregates.rows import ANSWERS, ENTRIES, META, RUNS, TURNS, VERSIONS
from study_app.storage.boards import SqlBoards
from study_app.storage.chained import in_order
from study_app.storage.columns import stored_json
from study_app.storage.positions import PARTICIPANTS, TOKENS, VISITS
from study_app.storage.sealed.columns import SEALED, is_sealed_fact
from study_app.storage.sealed.differing import Comparison
from study_app.storage.sealed.heads import SqlHeads
from study_app.storage.serving.in_progress import SqlInProgress

_SCORING = ("points", "max_points", "scored_by", "key_version", "scoring_reason", "repeats")


class SqlUnitOfWork(SqlErasing, SqlLedgers, SqlBoards, SqlInProgress, SqlHeads):
    """ports.UnitOfWork over one connection in a transaction."""

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

    # -- the study -----------------------------------------------------------------------------------------------------

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

    def renew_token(self, token_hash: str, expires_at: datetime) -> None:
        """See ports.UnitOfWork."""
        mine = (TOKENS.c.token_hash == token_hash, TOKENS.c.expires_at < expires_at)
        self.connection.execute(update(TOKENS).where(*mine).values(expires_at=expires_at))

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
        where = (VISITS.c.participant_id == participant_id, VISITS.c.stage == stage, VISITS.c.ended_at.is_(None))
        # Locked, for the sum is made here and not in SQL: of two extensions at once the second waits for the first and
        # starts from its deadline. (SQLite has one writer, who waits anyway.)
        open_visit = select(VISITS.c.deadline_at).where(*where).with_for_update()
        deadline_at = self.connection.execute(open_visit).scalar_one_or_none()
        if deadline_at is None:
            return False
        self.connection.execute(update(VISITS).where(*where).values(deadline_at=deadline_at + by))
        self._chain_visit(participant_id, stage)
        return True

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
        self.words.check(run.participant_id)
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
        self.words.check(turn.participant_id)
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
        self.words.check(answer.participant_id)
        if self._insert_new(ANSWERS, asdict(answer)):
            self._chain("answers", answer_row(answer))
            return
        keys = ("participant_id", "stage", "item")
        where = [ANSWERS.c[name] == getattr(answer, name) for name in keys]
        scoring = [ANSWERS.c[name] for name in _SCORING]
        query = select(ANSWERS.c.response, ANSWERS.c.changes, *scoring).where(*where)
        before = self.connection.execute(query).one()
        # Compared as JSON text, for to Python 1, 1.0 and True are equal and a changed answer would not count.
        changed = json.dumps(before.response) != json.dumps(answer.response)
        counted = replace(answer, changes=max(answer.changes, before.changes + changed))
        if answer.bank and not changed:
            # Handed in again as it was: what it is worth stays, and with it what a person gave.
            counted = replace(counted, **{name: getattr(before, name) for name in _SCORING})
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
        points = {name: getattr(answer, name) for name in _SCORING}
        scored = self.connection.execute(update(ANSWERS).where(*where).values(points)).rowcount == 1
        if scored:
            stored = present(self._one(Answer, select(ANSWERS).where(*where)), "the answer")
            self._chain("answers", answer_row(stored))
        return scored

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


def _of_event(row: tuple[Any, ...]) -> chain.Chained:
    number, position, event_id, owner, opening, digest = row
    return chain.Chained(
        number or 0, position or 0, "events", str(event_id), owner, True, opening or b"", digest or b""
    )


def _of(table: Any, participant_id: str | None) -> Any:
    query = select(table).order_by(table.c.participant_id, table.c.number)
    return query if participant_id is None else query.where(table.c.participant_id == participant_id)
