"""What servers are doing for participants just now; rows that live for seconds and are in no dataset."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import delete, literal, select, update

from study_app.domain.records import InProgress, Replica, WorkKind
from study_app.storage.event_log import insert_new
from study_app.storage.positions import SqlPositions
from study_app.storage.tables import InProgressRow, ReplicaRow

REPLICAS: Any = ReplicaRow.__table__  # type: ignore[attr-defined]
WORKS: Any = InProgressRow.__table__  # type: ignore[attr-defined]
_WORK_COLUMNS = [WORKS.c[each.name] for each in fields(InProgress)]


class SqlInProgress(SqlPositions):
    """The part of ports.UnitOfWork about replicas."""

    def beat(self, replica: Replica) -> None:
        """See ports.UnitOfWork."""
        query = insert_new(self.connection, REPLICAS).returning(literal(1))
        if self.connection.execute(query, asdict(replica)).first() is None:
            mine = REPLICAS.c.name == replica.name
            self.connection.execute(update(REPLICAS).where(mine).values(beat_at=replica.beat_at, taken=replica.taken))

    def replicas(self) -> list[Replica]:
        """See ports.UnitOfWork."""
        query = select(REPLICAS).order_by(REPLICAS.c.began_at, REPLICAS.c.name)
        return [Replica(**row._mapping) for row in self.connection.execute(query)]

    def replica(self, name: str) -> Replica | None:
        """See ports.UnitOfWork."""
        row = self.connection.execute(select(REPLICAS).where(REPLICAS.c.name == name)).first()
        return None if row is None else Replica(**row._mapping)

    def forget_replica(self, name: str) -> None:
        """See ports.UnitOfWork."""
        self.connection.execute(delete(WORKS).where(WORKS.c.replica == name))
        self.connection.execute(delete(REPLICAS).where(REPLICAS.c.name == name))

    def begin_work(self, work: InProgress) -> bool:
        """See ports.UnitOfWork."""
        # The primary key decides between two servers, not a look beforehand: both could see that there is none.
        query = insert_new(self.connection, WORKS).returning(literal(1))
        return self.connection.execute(query, asdict(work)).first() is not None

    def work_of(self, participant_id: str, kind: WorkKind) -> InProgress | None:
        """See ports.UnitOfWork."""
        query = select(*_WORK_COLUMNS).where(WORKS.c.participant_id == participant_id, WORKS.c.kind == kind)
        row = self.connection.execute(query).first()
        return None if row is None else InProgress(**row._mapping)

    def works(self) -> list[InProgress]:
        """See ports.UnitOfWork."""
        query = select(*_WORK_COLUMNS).order_by(WORKS.c.participant_id, WORKS.c.kind)
        return [InProgress(**row._mapping) for row in self.connection.execute(query)]

    def stop_work(self, participant_id: str, kind: WorkKind) -> bool:
        """See ports.UnitOfWork."""
        wanted = update(WORKS).where(WORKS.c.participant_id == participant_id, WORKS.c.kind == kind).values(stop=True)
        return self.connection.execute(wanted).rowcount > 0

    def end_work(self, work: InProgress) -> bool:
        """See ports.UnitOfWork."""
        # Named whole: another server may have taken the work over, and its row must stay.
        mine = (
            WORKS.c.participant_id == work.participant_id,
            WORKS.c.kind == work.kind,
            WORKS.c.work == work.work,
            WORKS.c.replica == work.replica,
        )
        return self.connection.execute(delete(WORKS).where(*mine)).rowcount > 0
