"""What is stored of participants and of their way through the stages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from study_app.domain.records import (
    EndedBy,
    Kind,
    Participant,
    Visit,
)


class Stay(NamedTuple):
    """One participant's visit of one stage, as far as counts need it."""

    stage: str
    seconds: float | None
    """None while it goes on."""
    study_hash: str = ""
    """Of the version that the participant began with."""


class ParticipantRecords(Protocol):
    """Participants, their tokens and their visits of stages, within one transaction."""

    def add_participant(self, participant: Participant) -> bool:
        """Insert; False if a link, Prolific id or label is already taken, and nothing was inserted."""
        ...

    def participant(self, participant_id: str) -> Participant | None:
        """Return the participant as of now, or None."""
        ...

    def known_participant(self, participant_id: str) -> Participant:
        """Return the participant as of now.

        Raises:
            NotAllowed: there is none of this id.
        """
        ...

    def hold(self, participant: Participant) -> Participant:
        """Keep others from writing the participant's row until this transaction ends; return them as they are then.

        What another transaction was storing of them is committed, and seen by what is read from here on.
        """
        ...

    def participants(self) -> list[Participant]:
        """All, in order of enrolment."""
        ...

    def kinds(self) -> set[Kind]:
        """Kinds of participants that there are."""
        ...

    def participants_of(self, kind: Kind) -> list[Participant]:
        """Return all of one kind, in order of enrolment."""
        ...

    def find(self, **keys: str) -> Participant | None:
        """Return the participant whose columns equal all keys, or None."""
        ...

    def move(self, participant: Participant, **changes: Any) -> bool:
        """Change a participant, guarded by the stage and step that the given one has.

        Returns:
            False if they are no longer there: a double click, a second tab or a retry was faster; nothing changed.
        """
        ...

    def touch(self, participant_id: str, **changes: Any) -> None:
        """Change columns that are not part of the position (page, last_seen_at, exclusion)."""
        ...

    def add_token(self, participant_id: str, token_hash: str, expires_at: datetime) -> None:
        """Remember the hash of a cookie's token."""
        ...

    def renew_token(self, token_hash: str, expires_at: datetime) -> None:
        """Let a token hold until then, where it would end before."""
        ...

    def participant_of_token(self, token_hash: str, at: datetime) -> Participant | None:
        """Whose token it is; None if unknown or expired."""
        ...

    def open_visit(self, visit: Visit) -> bool:
        """Begin a visit; False if there is one already."""
        ...

    def visit(self, participant_id: str, stage: str) -> Visit | None:
        """Return the visit of that stage, or None before it was opened."""
        ...

    def visits(self, participant_id: str | None = None) -> list[Visit]:
        """Visits in order of their start."""
        ...

    def visits_of_kind(self, kind: Kind) -> list[Visit]:
        """Visits of all participants of one kind, in no order."""
        ...

    def spans(self, kind: Kind) -> list[tuple[str, str, int, int | None]]:
        """Visits of participants of one kind: participant, stage, begin and end in milliseconds; no end while open."""
        ...

    def stays(self, kind: Kind) -> list[Stay]:
        """Return how long each visit of participants of one kind took."""
        ...

    def under_way(self, kind: Kind, since: datetime) -> list[tuple[Participant, datetime | None, bool]]:
        """Who is in progress and was seen since then, or is paused, the longest silent first; in one query.

        Each with the moment at which they opened the stage they are on, and whether a run of theirs failed on the
        server since.
        """
        ...

    def begun_sessions(self, kind: Kind) -> set[str]:
        """Ids of those who have opened the stage of a later session that they waited for."""
        ...

    def end_visit(self, participant_id: str, stage: str, at: datetime, ended_by: EndedBy) -> bool:
        """End a visit once; False if it has ended or never began."""
        ...

    def extend_visit(self, participant_id: str, stage: str, by: timedelta) -> bool:
        """Move the deadline of a visit that goes on; False if it has none, has ended or never began."""
        ...

    def set_deadline(self, participant_id: str, stage: str, deadline_at: datetime | None) -> bool:
        """Give a visit that goes on another deadline, or none; False if it has ended or never began."""
        ...

    def reopen_visit(self, participant_id: str, stage: str, deadline_at: datetime) -> bool:
        """Let a visit that its deadline ended go on until that moment; False if it is not there or ended otherwise."""
        ...

    def overdue(self, at: datetime, *, simulated: bool = False) -> list[Visit]:
        """Visits whose deadline has passed and that are still open: of simulated participants, or of all others."""
        ...

    def cut_off_since(self, at: datetime) -> list[Visit]:
        """Visits that a deadline later than that ended, but for those of simulated participants."""
        ...
