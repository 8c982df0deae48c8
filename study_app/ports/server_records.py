"""What is stored of the servers of a study, and of the work that each has begun."""

from __future__ import annotations

from typing import Protocol

from study_app.domain.records import (
    InProgress,
    Replica,
    WorkKind,
)


class ServerRecords(Protocol):
    """Servers and their work in progress, within one transaction."""

    def beat(self, replica: Replica) -> None:
        """Keep a server's sign of life."""
        ...

    def replicas(self) -> list[Replica]:
        """Return the servers that have not said goodbye, the oldest first."""
        ...

    def replica(self, name: str) -> Replica | None:
        """Return the server of that name, or None."""
        ...

    def forget_replica(self, name: str) -> None:
        """Forget a server and what it was doing."""
        ...

    def begin_work(self, work: InProgress) -> bool:
        """Note what a server begins for a participant; False where another of that kind is going on."""
        ...

    def work_of(self, participant_id: str, kind: WorkKind) -> InProgress | None:
        """Return what is being done for a participant, or None."""
        ...

    def works(self) -> list[InProgress]:
        """Return everything that is being done for participants."""
        ...

    def stop_work(self, participant_id: str, kind: WorkKind) -> bool:
        """Ask whichever server does it to end it; False where nothing is going on."""
        ...

    def end_work(self, work: InProgress) -> bool:
        """Note that it is over; False where it was taken from this server meanwhile."""
        ...
