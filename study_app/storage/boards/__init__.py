"""What the console's boards and lists ask for: one query each, whatever the number of participants."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from study_app.domain.assistants.budget import Usage
from study_app.domain.events import Event
from study_app.domain.records import AuditEntry, Kind, Participant, Turn, Visit
from study_app.ports import Stay
from study_app.storage.columns import stored_json
from study_app.storage.driver import RowOf, bound
from study_app.storage.event_log import EVENTS, LOGGED
from study_app.storage.positions import PARTICIPANTS, VISITS, SqlPositions
from study_app.storage.tables import AuditRow, RunRow, TurnRow

AUDIT = AuditRow.__table__  # type: ignore[attr-defined]
RUNS = RunRow.__table__  # type: ignore[attr-defined]
TURNS = TurnRow.__table__  # type: ignore[attr-defined]
_PARTICIPANT, _VISIT = RowOf(Participant, PARTICIPANTS), RowOf(Visit, VISITS)
_OF_KIND = f"SELECT {_PARTICIPANT.columns} FROM participants WHERE kind = ? ORDER BY number"
_TURN = RowOf(Turn, TURNS)
_TURNS_OF_KIND = (
    f"SELECT {_TURN.columns} FROM turns JOIN participants ON participants.id = turns.participant_id "
    "WHERE participants.kind = ? AND NOT participants.data_withdrawn ORDER BY turns.participant_id, turns.number"
)
_KINDS = "SELECT DISTINCT kind FROM participants"
_VISITS_OF_KIND = (
    f"SELECT {_VISIT.columns} FROM visits JOIN participants ON participants.id = visits.participant_id "
    "WHERE participants.kind = ?"
)
_CUT_OFF = (
    f"SELECT {_VISIT.columns} FROM visits JOIN participants ON participants.id = visits.participant_id "
    "WHERE visits.ended_by = 'deadline' AND visits.deadline_at >= ? AND participants.kind <> 'simulated'"
)
"""Simulated participants live by a clock that may be ahead of this machine's, and nothing of theirs comes late."""
_STAYS = (
    "SELECT visits.stage, visits.ended_at - visits.started_at, participants.study_hash FROM visits "
    "JOIN participants ON participants.id = visits.participant_id WHERE participants.kind = ?"
)
"""Moments are whole milliseconds."""
_SPANS = (
    "SELECT visits.participant_id, visits.stage, visits.started_at, visits.ended_at FROM visits "
    "JOIN participants ON participants.id = visits.participant_id WHERE participants.kind = ?"
)
_UNDER_WAY = (
    f"SELECT {_PARTICIPANT.columns}, visits.started_at, EXISTS (SELECT 1 FROM runs WHERE "
    "runs.participant_id = participants.id AND runs.ended_by = 'infrastructure' AND runs.kind <> 'agent' "
    "AND runs.started_at > ?) "
    "FROM participants LEFT JOIN visits "
    "ON visits.participant_id = participants.id AND visits.stage = participants.stage "
    "WHERE participants.kind = ? AND participants.status = 'in_progress' "
    "AND (participants.last_seen_at > ? OR participants.paused_at IS NOT NULL) ORDER BY participants.last_seen_at"
)
_ANSWERS_TO = (
    f"SELECT {_PARTICIPANT.columns}, answers.response FROM answers "
    "JOIN participants ON participants.id = answers.participant_id "
    "WHERE answers.item = ? AND answers.bank = '' AND participants.kind = ?"
)
_QUIZ_ANSWERS = (
    "SELECT answers.participant_id, answers.stage, answers.item, answers.response FROM answers "
    "JOIN participants ON participants.id = answers.participant_id WHERE participants.kind = ? "
    "AND NOT participants.data_withdrawn AND answers.bank <> '' AND answers.item IN ({items}) ORDER BY answers.number"
)
_TOKENS = (
    "SELECT turns.treatment, turns.model, COUNT(*), SUM(turns.input_tokens), SUM(turns.output_tokens), "
    "COUNT(*) - COUNT(turns.output_tokens) FROM turns JOIN participants ON participants.id = turns.participant_id "
    "WHERE participants.kind = ? AND turns.assistant <> 'recorded' "
    "GROUP BY turns.treatment, turns.model ORDER BY turns.treatment, turns.model"
)
_REPORTED = (
    "SELECT turns.treatment, SUM(CASE WHEN turns.assistant = 'recorded' THEN 1 ELSE 0 END), COUNT(*), "
    "SUM(turns.input_tokens), SUM(turns.output_tokens), SUM(turns.total_seconds) "
    "FROM turns JOIN participants ON participants.id = turns.participant_id "
    "WHERE participants.kind = ? AND turns.input_tokens IS NOT NULL AND turns.output_tokens IS NOT NULL "
    "GROUP BY turns.treatment, turns.assistant ORDER BY turns.treatment, turns.assistant"
)
_METAS = "SELECT key, value FROM meta WHERE substr(key, 1, ?) = ?"
_WAITED = (
    "SELECT participants.id FROM participants JOIN visits ON visits.participant_id = participants.id "
    "AND visits.stage = participants.stage WHERE participants.kind = ? AND participants.opens_at IS NOT NULL"
)
_FAILED_RUNS = "SELECT COUNT(*) FROM runs WHERE ended_by = 'infrastructure' AND started_at > ?"
_LATEST_RUNS = (
    "SELECT runs.ended_by FROM runs JOIN participants ON participants.id = runs.participant_id "
    "WHERE participants.kind = 'real' AND COALESCE(runs.ended_by, '') <> 'cancelled' "
    "AND COALESCE(runs.error_message, '') <> ? AND (runs.ended_by IS NOT NULL OR runs.grading = 'failed' "
    "OR (runs.kind = 'submission' AND runs.grading IS NULL AND runs.started_at < ?)) "
    "ORDER BY runs.number DESC LIMIT ?"
)
_LATEST_TURNS = (
    "SELECT turns.error FROM turns JOIN participants ON participants.id = turns.participant_id "
    "WHERE participants.kind = 'real' AND turns.complete ORDER BY turns.number DESC LIMIT ?"
)
_LATE_GRADING = "SELECT COUNT(*) FROM runs WHERE kind = 'submission' AND ended_by IS NULL AND started_at < ?"


class SqlBoards(SqlPositions):
    """The part of ports.UnitOfWork that the console's boards use."""

    def kinds(self) -> set[Kind]:
        """See ports.UnitOfWork."""
        return set(self.driver.column(_KINDS))

    def participants_of(self, kind: Kind) -> list[Participant]:
        """See ports.UnitOfWork."""
        found = self.driver.rows(_OF_KIND, (kind,))
        return [person for row in found if (person := _PARTICIPANT.read(row)) is not None]

    def turns_of(self, kind: Kind) -> list[Turn]:
        """See ports.UnitOfWork."""
        return [turn for row in self.driver.rows(_TURNS_OF_KIND, (kind,)) if (turn := _TURN.read(row)) is not None]

    def visits_of_kind(self, kind: Kind) -> list[Visit]:
        """See ports.UnitOfWork."""
        return [visit for row in self.driver.rows(_VISITS_OF_KIND, (kind,)) if (visit := _VISIT.read(row)) is not None]

    def stays(self, kind: Kind) -> list[Stay]:
        """See ports.UnitOfWork."""
        rows = self.driver.rows(_STAYS, (kind,))
        return [Stay(stage, None if length is None else length / 1000, version) for stage, length, version in rows]

    def spans(self, kind: Kind) -> list[tuple[str, str, int, int | None]]:
        """See ports.UnitOfWork."""
        return [(str(who), str(stage), begun, ended) for who, stage, begun, ended in self.driver.rows(_SPANS, (kind,))]

    def under_way(self, kind: Kind, since: datetime) -> list[tuple[Participant, datetime | None, bool]]:
        """See ports.UnitOfWork."""
        rows = self.driver.rows(_UNDER_WAY, (bound(RUNS, "started_at", since), kind, _seen_since(since)))
        return [(person, _moment(row[-2]), bool(row[-1])) for row in rows if (person := _PARTICIPANT.read(row[:-2]))]

    def answers_to(self, question: str, kind: Kind) -> list[tuple[Participant, Any]]:
        """See ports.UnitOfWork."""
        rows = self.driver.rows(_ANSWERS_TO, (question, kind))
        return [(person, stored_json(row[-1])) for row in rows if (person := _PARTICIPANT.read(row[:-1]))]

    def quiz_answers(self, kind: Kind, items: Collection[str]) -> list[tuple[str, str, str, Any]]:
        """See ports.UnitOfWork."""
        query = _QUIZ_ANSWERS.format(items=", ".join("?" * len(items)) or "NULL")
        rows = self.driver.rows(query, (kind, *items))
        return [(str(who), str(stage), str(item), stored_json(given)) for who, stage, item, given in rows]

    def cut_off_since(self, at: datetime) -> list[Visit]:
        """See ports.UnitOfWork."""
        rows = self.driver.rows(_CUT_OFF, (bound(VISITS, "deadline_at", at),))
        return [visit for row in rows if (visit := _VISIT.read(row))]

    def events_of_kind(self, kind: Kind, event: str) -> list[Event]:
        """See ports.UnitOfWork."""
        people = select(PARTICIPANTS.c.id).where(PARTICIPANTS.c.kind == kind)
        query = select(*LOGGED).where(EVENTS.c.kind == event, EVENTS.c.participant_id.in_(people))
        return [Event(**row._mapping) for row in self.connection.execute(query.order_by(EVENTS.c.event_id))]

    def tokens_by_model(self, kind: Kind) -> list[tuple[str, str, int, int, int, int]]:
        """See ports.UnitOfWork."""
        rows = self.driver.rows(_TOKENS, (kind,))
        return [(str(row[0]), str(row[1]), *(int(cell or 0) for cell in row[2:6])) for row in rows]  # type: ignore[misc]

    def reported_use(self, kind: Kind) -> list[tuple[str, bool, Usage]]:
        """See ports.UnitOfWork."""
        return [
            (str(treatment), bool(recorded), Usage(int(turns), int(read), int(written), float(seconds or 0.0) / 60))
            for treatment, recorded, turns, read, written, seconds in self.driver.rows(_REPORTED, (kind,))
        ]

    def treatments_of_turns(self, kind: Kind, treatments: Collection[str]) -> dict[str, str]:
        """See ports.UnitOfWork."""
        people = select(PARTICIPANTS.c.id).where(PARTICIPANTS.c.kind == kind)
        query = select(TURNS.c.id, TURNS.c.treatment).where(TURNS.c.treatment.in_(treatments))
        return {
            row.id: row.treatment for row in self.connection.execute(query.where(TURNS.c.participant_id.in_(people)))
        }

    def meta_values(self, prefix: str) -> dict[str, Any]:
        """See ports.UnitOfWork."""
        return {key: stored_json(text) for key, text in self.metas(prefix).items() if text}

    def metas(self, prefix: str) -> dict[str, str]:
        """See ports.UnitOfWork."""
        return {str(key): str(value) for key, value in self.driver.rows(_METAS, (len(prefix), prefix))}

    def begun_sessions(self, kind: Kind) -> set[str]:
        """See ports.UnitOfWork."""
        return set(self.driver.column(_WAITED, (kind,)))

    def failed_runs(self, since: datetime) -> int:
        """See ports.UnitOfWork."""
        return int(self.driver.returned(_FAILED_RUNS, (bound(RUNS, "started_at", since),))[0])

    def latest_runs_failed(self, count: int, waiting_since: datetime, but_for: str) -> list[bool]:
        """See ports.UnitOfWork."""
        rows = self.driver.rows(_LATEST_RUNS, (but_for, bound(RUNS, "started_at", waiting_since), count))
        return [ended_by in (None, "infrastructure") for (ended_by,) in rows]

    def latest_turn_errors(self, count: int) -> list[str | None]:
        """See ports.UnitOfWork."""
        return [error for (error,) in self.driver.rows(_LATEST_TURNS, (count,))]

    def ungraded_before(self, before: datetime) -> int:
        """See ports.UnitOfWork."""
        return int(self.driver.returned(_LATE_GRADING, (bound(RUNS, "started_at", before),))[0])

    def audit_of(self, whats: Sequence[str] = (), participant_id: str = "") -> list[AuditEntry]:
        """See ports.UnitOfWork."""
        query = select(AUDIT).order_by(AUDIT.c.number)
        if whats:
            query = query.where(AUDIT.c.what.in_(whats))
        rows = self.connection.execute(query).mappings()
        kept = (row for row in rows if not participant_id or row["detail"].get("participant_id") == participant_id)
        return [AuditEntry(**{name: row[name] for name in AuditEntry.__dataclass_fields__}) for row in kept]


def _seen_since(since: datetime) -> Any:
    return bound(PARTICIPANTS, "last_seen_at", since)


def _moment(value: Any) -> datetime | None:
    kind: Any = VISITS.c.started_at.type
    return None if value is None else kind.process_result_value(value, None)
